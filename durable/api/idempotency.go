package api

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"

	"github.com/durable-lambda/durable-lambda/durable"
)

// idempotencyTag is the tag that holds the Idempotency-Key with which an instance was started.
const idempotencyTag = "idempotency-key"

// startOnce starts an instance and returns its id. A request with a key that has started an instance before is answered
// with that instance, live or ended, instead of a second one: without an id the key gives the id.
func (a *API) startOnce(ctx context.Context, req durable.StartRequest, key string) (string, error) {
	if key != "" {
		req.Tags = map[string]string{idempotencyTag: key}
		if req.ID == "" {
			req.ID = keyedID(req.Name, key)
			req.Reuse = durable.ReuseNever
		} else if a.startedWith(ctx, req.ID, key) {
			return req.ID, nil
		}
	}
	ref, err := a.client.Start(ctx, req)
	if errors.Is(err, durable.ErrExists) && key != "" && a.startedWith(ctx, req.ID, key) {
		return req.ID, nil
	}
	return ref.ID, err
}

func (a *API) startedWith(ctx context.Context, id, key string) bool {
	instance, err := a.client.Get(ctx, id, durable.NoInput)
	return err == nil && instance.Tags[idempotencyTag] == key
}

func keyedID(name, key string) string {
	sum := sha256.Sum256([]byte(name + "\x00" + key))
	return hex.EncodeToString(sum[:16])
}

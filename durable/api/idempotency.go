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

// startOnce starts an instance and returns its name. A request with a key that has started an instance before is answered
// with that instance, live or ended, instead of a second one: without an id the key gives the id.
func (a *API) startOnce(ctx context.Context, req durable.StartRequest, key string) (durable.InstanceRef, error) {
	if key != "" {
		if req.Tags == nil {
			req.Tags = map[string]string{}
		}
		req.Tags[idempotencyTag] = key
		if req.ID == "" {
			req.ID = keyedID(req.Name, key)
			req.Reuse = durable.ReuseNever
		} else if ref, ok := a.startedWith(ctx, req.ID, key); ok {
			return ref, nil
		}
	}
	ref, err := a.client.Start(ctx, req)
	if errors.Is(err, durable.ErrExists) && key != "" {
		if ref, ok := a.startedWith(ctx, req.ID, key); ok {
			return ref, nil
		}
	}
	return ref, err
}

func (a *API) startedWith(ctx context.Context, id, key string) (durable.InstanceRef, bool) {
	instance, err := a.client.Get(ctx, id, durable.NoInput)
	return durable.InstanceRef{ID: id, Incarnation: instance.Incarnation}, err == nil && instance.Tags[idempotencyTag] == key
}

func keyedID(name, key string) string {
	sum := sha256.Sum256([]byte(name + "\x00" + key))
	return hex.EncodeToString(sum[:16])
}

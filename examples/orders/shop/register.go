package shop

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/durable-lambda/durable-lambda/durable/backend"
	"github.com/durable-lambda/durable-lambda/examples/orders"
)

// register remembers for each reference what was done for it, in one row of a table:
//
//	partition                   sort    owner  value
//	shop#<register>#<reference> record  shop   entry as JSON
//
// The sequence of a row counts its versions, and each is put only in place of the one that was read.
type register struct {
	table backend.Table
	name  string
}

type state string

const (
	tried     state = "tried"
	done      state = "done"
	cancelled state = "cancelled"
)

type entry struct {
	State state `json:"state"`
	// Key is the idempotency key of the last try.
	Key string `json:"key,omitempty"`
	// Tries counts the tries under Key.
	Tries int `json:"tries,omitempty"`
	// Answer is what was done; it stays when that is cancelled.
	Answer json.RawMessage `json:"answer,omitempty"`
}

const owner = "shop"

// do does something for a reference, once: try is called with the number of tries under this key, and an answer it gives
// is kept and given again. An error counts as a try and is not kept.
func do[A any](ctx context.Context, r register, ref orders.Reference, key string, try func(n int) (A, error)) (A, error) {
	var answer, none A
	var failure error
	_, err := r.update(ctx, ref, func(e entry) (entry, error) {
		failure = nil // of a try that was overtaken
		switch {
		case e.State == cancelled:
			return e, fmt.Errorf("%s of %s: it was cancelled before: %w", r.name, ref, orders.Cancelled)
		case e.State == done && e.Key != key:
			return e, fmt.Errorf("%s of %s: it was done before, under another key: %w", r.name, ref, orders.Conflict)
		case e.State == done:
			return e, json.Unmarshal(e.Answer, &answer)
		case e.Key != key:
			e.Key, e.Tries = key, 0
		}
		e.State, e.Tries = tried, e.Tries+1
		if answer, failure = try(e.Tries); failure != nil {
			return e, nil
		}
		b, err := json.Marshal(answer)
		e.State, e.Answer = done, b
		return e, err
	})
	if err := errors.Join(err, failure); err != nil {
		return none, err
	}
	return answer, nil
}

// cancel undoes what was done for a reference, and keeps anything from being done for it later.
func (r register) cancel(ctx context.Context, ref orders.Reference) (orders.Reversal, error) {
	e, err := r.update(ctx, ref, func(e entry) (entry, error) {
		e.State = cancelled
		return e, nil
	})
	return orders.Reversal{Reversed: len(e.Answer) > 0}, err
}

// update changes the entry of a reference and returns it as it is then. An unchanged entry is not put.
func (r register) update(ctx context.Context, ref orders.Reference, change func(entry) (entry, error)) (entry, error) {
	key := backend.Key{Partition: "shop#" + r.name + "#" + string(ref), Sort: "record"}
	for {
		found, err := r.table.Get(ctx, key)
		if err != nil {
			return entry{}, fmt.Errorf("%s of %s: %w", r.name, ref, err)
		}
		item := backend.Item{Key: key, Owner: owner, Sequence: backend.Sequence{Number: 1}}
		cond := backend.Absent()
		var old entry
		if found != nil {
			item.Sequence.Number = found.Sequence.Number + 1
			cond = backend.OwnedAt(owner, found.Sequence)
			if err := json.Unmarshal(found.Value, &old); err != nil {
				return entry{}, fmt.Errorf("%s of %s: its entry is damaged: %w", r.name, ref, err)
			}
		}
		e, err := change(old)
		if err != nil {
			return entry{}, err
		}
		if item.Value, err = json.Marshal(e); err != nil {
			return entry{}, fmt.Errorf("%s of %s: %w", r.name, ref, err)
		}
		if found != nil && string(item.Value) == string(found.Value) {
			return e, nil
		}
		err = r.table.Put(ctx, item, cond)
		if overtaken := (*backend.ConditionError)(nil); errors.As(err, &overtaken) {
			continue
		}
		if err != nil {
			return entry{}, fmt.Errorf("%s of %s: %w", r.name, ref, err)
		}
		return e, nil
	}
}

// number makes a number from an idempotency key, as a service of one's own would draw one.
func number(prefix, key string) string {
	sum := sha256.Sum256([]byte(prefix + key))
	return prefix + hex.EncodeToString(sum[:8])
}

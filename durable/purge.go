package durable

import (
	"context"
	"errors"
	"fmt"

	"github.com/durable-lambda/durable-lambda/durable/history"
)

// PurgeAll purges instances by their ids, one after the other, and returns how many it has. Those that are not there, or
// have not ended, it passes over.
func PurgeAll(ctx context.Context, c Client, ids ...string) (int, error) {
	n := 0
	for _, id := range ids {
		err := c.Purge(ctx, id)
		switch {
		case err == nil:
			n++
		case !errors.Is(err, ErrNotFound) && !errors.Is(err, ErrNotEnded):
			return n, err
		}
	}
	return n, nil
}

// PurgeTree purges an instance with its sub-orchestrations, and theirs, the innermost first, and returns how many it has. When
// one of them has not ended, nothing is purged: ErrNotEnded names it. What has taken the id of a child since is passed over, and so
// are children that an earlier generation has started: the history of the newest is what names them. After an error part of it may be
// gone: purge again. ErrNotFound, ErrNotEnded.
func PurgeTree(ctx context.Context, c Client, id string) (int, error) {
	all, err := family(ctx, c, id, nil)
	if err != nil {
		return 0, err
	}
	for n, id := range all {
		if err := c.Purge(ctx, id); err != nil && (!errors.Is(err, ErrNotFound) || n == len(all)-1) {
			return n, err
		}
	}
	return len(all), nil
}

// family adds an instance and those below it to all, the innermost first.
func family(ctx context.Context, c Client, id string, all []string) ([]string, error) {
	in, err := c.Get(ctx, id, NoInput)
	if err != nil {
		return nil, err
	}
	if !in.Status.Ended() {
		return nil, fmt.Errorf("instance %s: %w: terminate it first", id, ErrNotEnded)
	}
	events, err := c.History(ctx, id)
	if err != nil {
		return nil, err
	}
	asked := map[string]bool{}
	for _, e := range events {
		if e.Kind != history.SubOrchestrationCreated || asked[e.Target.Instance] {
			continue
		}
		asked[e.Target.Instance] = true
		child, err := c.Get(ctx, e.Target.Instance, NoInput)
		if errors.Is(err, ErrNotFound) || err == nil && child.Parent != id {
			continue
		}
		if err == nil {
			all, err = family(ctx, c, e.Target.Instance, all)
		}
		if err != nil {
			return nil, err
		}
	}
	return append(all, id), nil
}

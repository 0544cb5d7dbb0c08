package doctor

import (
	"context"
	"fmt"
	"maps"
	"time"

	"github.com/durable-lambda/durable-lambda/durable/backend"
	"github.com/durable-lambda/durable-lambda/durable/store"
)

// keptFor is longer than any message is kept, which may refer to a payload that no history refers to yet: queues of SQS
// keep messages for 14 days at most.
const keptFor = 15 * 24 * time.Hour

// blobPage is how many blobs are listed at a time.
const blobPage = 1000

// orphans are payloads of one instance that nothing refers to, or of no instance.
type orphans struct {
	keys  []string
	size  int64
	since time.Time
}

func (o *orphans) add(b backend.BlobInfo) {
	o.keys = append(o.keys, b.Key)
	o.size += b.Size
	if o.since.IsZero() || b.Modified.Before(o.since) {
		o.since = b.Modified
	}
}

// payloads finds blobs that nothing refers to. To know that takes all instances, so it is for those who ask for ended ones.
func (e *examination) payloads(ctx context.Context) error {
	if !e.Closed {
		return nil
	}
	ids := map[string]string{} // by group
	if err := e.Store.Walk(ctx, true, func(id string) error { ids[store.Group(id)] = id; return nil }); err != nil {
		return err
	}
	waiting, err := e.waitingBlobs(ctx)
	if err != nil {
		return err
	}
	var nobodys, group orphans
	var of string // the group that is being gone through; blobs come in its order
	var used func(backend.BlobInfo, string) bool
	for after := ""; ; {
		page, err := e.Store.Backend().Blobs.List(ctx, "", after, blobPage)
		if err != nil {
			return fmt.Errorf("list payloads: %w", err)
		}
		for _, b := range page {
			after = b.Key
			owner, life, ok := store.BlobOwner(b.Key)
			if !ok || e.now.Sub(b.Modified) < keptFor || waiting[b.Key] {
				continue
			}
			if owner != of {
				e.orphaned(ctx, ids[of], group)
				of, group = owner, orphans{}
				if used, err = e.users(ctx, ids[owner]); err != nil {
					return err
				}
			}
			switch {
			case used == nil:
				nobodys.add(b)
			case !used(b, life):
				group.add(b)
			}
		}
		if len(page) < blobPage {
			break
		}
	}
	e.orphaned(ctx, ids[of], group)
	e.orphaned(ctx, "", nobodys)
	return nil
}

// users returns what tells whether a blob of an instance is used; nil when there is no such instance. One that cannot be
// read uses all of its blobs: it is found elsewhere.
func (e *examination) users(ctx context.Context, id string) (func(backend.BlobInfo, string) bool, error) {
	all := func(backend.BlobInfo, string) bool { return true }
	if id == "" {
		return nil, nil
	}
	row, err := e.Store.Row(ctx, id)
	switch {
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case err != nil:
		return all, nil
	case row == nil:
		return nil, nil
	}
	if !row.Status.Ended() { // a message may be on its way to it, and no queue says what it carries
		return func(_ backend.BlobInfo, life string) bool {
			return life == row.Incarnation || e.now.Sub(row.Start.At) < keptFor
		}, nil
	}
	refers, err := e.Store.Blobs(ctx, row)
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	if err != nil {
		return all, nil
	}
	if row.Generation > 0 && e.now.Sub(row.Updated) < keptFor { // messages of an earlier generation may still be on their way
		return func(_ backend.BlobInfo, life string) bool { return life == row.Incarnation }, nil
	}
	return func(b backend.BlobInfo, life string) bool {
		if life != row.Incarnation { // replaced, and as long ago as its last message may be
			return e.now.Sub(row.Start.At) < keptFor
		}
		return refers[b.Key] || store.IsFold(b.Key)
	}, nil
}

// waitingBlobs are those that due rows refer to, whenever they are due.
func (e *examination) waitingBlobs(ctx context.Context) (map[string]bool, error) {
	rows, err := e.Store.Overdue(ctx, time.UnixMilli(1<<62))
	if err != nil {
		return nil, fmt.Errorf("look at due rows: %w", err)
	}
	blobs := maps.Clone(e.waiting.blobs)
	if blobs == nil {
		blobs = map[string]bool{}
	}
	for _, row := range rows {
		if row.Message != nil {
			blobs[row.Message.Event.Data.Blob] = true
		}
	}
	return blobs, nil
}

func (e *examination) orphaned(ctx context.Context, instance string, o orphans) {
	if len(o.keys) == 0 {
		return
	}
	what := "that nothing refers to"
	if instance == "" {
		what = "of no instance"
	}
	f := Finding{Kind: Orphan, Instance: instance, Since: o.since, Action: "delete " + plural(len(o.keys), "blob", "blobs"),
		Problem: fmt.Sprintf("%s of %d KB %s left", plural(len(o.keys), "payload", "payloads"), (o.size+1023)>>10, what+map[bool]string{true: " is", false: " are"}[len(o.keys) == 1])}
	e.find(f, func() error {
		for _, key := range o.keys {
			if instance != "" && store.IsFold(key) { // nobody is to look for it any more
				if err := e.Store.Unlist(ctx, instance, key); err != nil {
					return err
				}
			}
			if err := e.Store.Backend().Blobs.Delete(ctx, key); err != nil {
				return err
			}
		}
		return nil
	})
}

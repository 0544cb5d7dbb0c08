package sim

import (
	"context"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"github.com/durable-lambda/durable-lambda/durable"
	"github.com/durable-lambda/durable-lambda/durable/backend"
	"github.com/durable-lambda/durable-lambda/durable/client"
	"github.com/durable-lambda/durable-lambda/durable/history"
	"github.com/durable-lambda/durable-lambda/durable/store"
)

// purged owns what a purge leaves in the place of segments and folds.
const purged = "purged"

// purges makes up who wants the instance gone, and when. It has dice of its own, so that what else a seed does stays as
// it is where nothing is purged.
func (w *World) purges(id string, p *program, add func(*request)) {
	dice := rand.New(rand.NewPCG(w.plan.Seed, uint64(len(id))<<8|uint64(id[len(id)-1])))
	if p.once || !chance(dice, 0.4) && !w.plan.Purged {
		return
	}
	for range 1 + dice.IntN(3) {
		most := pick(dice, time.Second, time.Minute, 5*time.Hour, 80*time.Hour)
		if w.plan.Purged { // when others start it
			add(purge(id, epoch.Add(time.Duration(1+dice.IntN(2))*40*time.Second+time.Duration(dice.IntN(20)-10)*time.Millisecond)))
			continue
		}
		add(purge(id, epoch.Add(time.Duration(dice.Int64N(int64(most))))))
	}
}

func purge(id string, at time.Time) *request {
	return &request{at: at, what: "purge " + id, call: func(ctx context.Context, a *actor, c *client.Client) error {
		a.w.check.purging[id] = true
		return c.Purge(ctx, id)
	}}
}

// buriedSegment checks that only what is sealed is overwritten, and that its key stays for a while.
func (c *check) buriedSegment(a *actor, l *life, n int, item backend.Item) {
	switch {
	case l == nil || n >= len(l.raw):
		c.w.fail("%s buries segment %s, which is not there", a, short(item.Key))
	case !c.life(l.instance, l.incarnation).sealed || !c.purges(l.instance):
		c.w.fail("%s buries a segment of %s, which is sealed: %v, or which nobody purges", a, l, l.sealed)
	case item.Expires.Sub(c.w.now) < 14*24*time.Hour:
		c.w.fail("%s buries a segment of %s under what may vanish before the last message", a, l)
	default:
		l.raw[n] = item.Value
	}
}

// purgedRow checks that a row only gives way when everything else has.
func (c *check) purgedRow(a *actor, l *life, row *history.Row) {
	if !l.sealed || len(row.Start.Data.Bytes) > 0 || row.Start.Data.Blob != "" || row.End != nil || row.Custom.Bytes != nil {
		c.w.fail("%s empties the row of %s, which is sealed: %v, and leaves something in it", a, l, l.sealed)
	}
	if !row.Purged {
		return
	}
	if a.purges != nil && !slices.Contains(a.purges, map[history.Status]durable.Status{history.StatusCompleted: durable.Completed,
		history.StatusFailed: durable.Failed, history.StatusTerminated: durable.Terminated}[row.Status]) {
		c.w.fail("%s purges %s, which is %s, and was to purge what is %v", a, l, statusNames[row.Status], a.purges)
	}
	for _, g := range l.generations() {
		c.purgedGeneration(a, g)
	}
}

// purgedGeneration checks that nothing is left of a generation.
func (c *check) purgedGeneration(a *actor, l *life) {
	for n, raw := range l.raw {
		if seg, err := history.DecodeSegment(raw); err != nil || !seg.Tombstone {
			c.w.fail("%s buries %s, whose segment %d is still there", a, l, n)
		}
	}
	for _, seg := range l.segments {
		for _, e := range seg.Events {
			if e.Data.Blob != "" && !c.erased[e.Data.Blob] {
				c.w.fail("%s buries %s, whose payload of %s is still there", a, l, describeEvent(&e))
			}
		}
	}
}

// shelf begins the key of what says that a life may have blobs.
const shelf = "b!"

// blobPut is called before a blob is put: a purge must know that there may be one. What has stalled until a purge was there stays behind.
func (c *check) blobPut(a *actor, key string) {
	parts := strings.Split(key, "/")
	for partition := range c.shelves {
		if instance, incarnation, _ := strings.Cut(partition, "/"); store.Group(instance) == parts[0] && incarnation == parts[1] {
			return
		}
	}
	c.w.fail("%s puts %s, and nothing says that there may be one", a, key)
}

// unshelved is called when nothing says any more that a life may have blobs: it was purged, or is about to be.
func (c *check) unshelved(a *actor, instance, incarnation string) {
	if !slices.ContainsFunc(c.order, func(l *life) bool { return l.instance == instance && l.sealed && incarnation <= l.incarnation }) {
		c.w.fail("%s forgets that %s#%s may have blobs", a, instance, shortIncarnation(incarnation))
	}
}

// blobDeleted is called before a blob is deleted: its life is over, or one after it is. A fold may also be taken back.
func (c *check) blobDeleted(a *actor, key string) {
	c.erased[key] = true
	parts := strings.Split(key, "/")
	if len(parts) != 3 || !slices.ContainsFunc(c.order, func(l *life) bool {
		return l.sealed && store.Group(l.instance) == parts[0] && parts[1] <= l.incarnation
	}) {
		c.w.fail("%s deletes %s, which may still be needed", a, key)
	}
}

// restingPurges finishes what nobody came back to: a purge that was broken off is to be found, and done by another.
func (w *World) restingPurges() {
	ctx := context.Background()
	c := client.New(store.New(store.Config{Backend: w.inner, Now: func() time.Time { return w.now }}))
	for _, l := range w.check.order {
		row, err := w.plain.Row(ctx, l.instance)
		if err != nil || row == nil || !w.check.purges(l.instance) || row.Incarnation != l.incarnation {
			continue
		}
		if l.sealed && !row.Purged {
			if err := c.Purge(ctx, l.instance); err != nil {
				w.fail("the purge of %s cannot be finished: %v", l, err)
			}
			row, _ = w.plain.Row(ctx, l.instance)
		}
		if !row.Purged {
			continue
		}
		if _, err := c.Get(ctx, l.instance); err == nil {
			w.fail("%s is purged and can be read", l)
		}
	}
}

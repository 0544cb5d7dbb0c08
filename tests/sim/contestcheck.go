package sim

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/durable-lambda/durable-lambda/durable"
	"github.com/durable-lambda/durable-lambda/durable/history"
)

// asking is a start that a client is about, and on which terms.
type asking struct {
	instance string
	task     *task // nil for a restart
	reuse    durable.Reuse
	conflict durable.Conflict
	// restarts: it starts what is there. newID: under another id.
	restarts, newID bool
	// before is what the row showed when it was asked, and rows are the lives that it was of since.
	before *history.Row
	rows   []string
	// ended are the lives that it has terminated.
	ended map[string]bool
}

// asks notes what a client begins to ask for.
func (a *actor) asks(k *asking) {
	k.before, k.ended = a.w.check.rowNow(k.instance), map[string]bool{}
	a.asking, a.sent = k, nil
}

func (c *check) rowNow(instance string) *history.Row {
	row, err := c.w.plain.Row(context.Background(), instance)
	if err != nil {
		c.w.fail("the row of %s cannot be read: %v", instance, err)
	}
	return row
}

// free reports whether the start may take the place of what a row shows.
func (k *asking) free(row *history.Row) bool {
	if row == nil || row.Purged {
		return true
	}
	end := map[history.Status]durable.Status{history.StatusCompleted: durable.Completed, history.StatusFailed: durable.Failed,
		history.StatusTerminated: durable.Terminated}[row.Status]
	return end != "" && (k.reuse == durable.ReuseEnded || k.reuse != durable.ReuseNever && k.reuse.Allows(end) || k.ended[row.Incarnation])
}

// terminates reports whether a message ends, for the start, a life that had not ended when it was asked.
func (k *asking) terminates(m *history.Message) bool {
	over := k.before != nil && k.before.Incarnation == m.Incarnation && k.before.Status.Ended()
	return k.conflict == durable.ReplaceExisting && k.instance == m.Instance && !over
}

// same reports whether a row's life was started with what the task has, of the orchestration alone or of all.
func (c *check) same(row *history.Row, t *task, all bool) bool {
	start := row.Start
	if gs := c.life(row.Instance, row.Incarnation).generations(); len(gs) > 0 {
		start = *gs[0].start
	} else if err := c.w.plain.Hydrate(context.Background(), &start.Data); err != nil {
		c.w.fail("the input of %s cannot be read: %v", row.Instance, err)
	}
	if start.Name != t.program.orchestration {
		return false
	}
	var a, b bytes.Buffer
	_, _ = json.Compact(&a, start.Data.Bytes), json.Compact(&b, t.input)
	return !all || start.Version == t.version && bytes.Equal(a.Bytes(), b.Bytes())
}

// used checks that a client was told of an instance that was there, and that it wants as it is.
func (c *check) used(a *actor, k *asking, ref durable.InstanceRef) {
	if k.conflict != durable.UseExisting && k.conflict != durable.UseSame {
		c.w.fail("%s was told that %s#%s is accepted, which it did not send", a, ref.ID, shortIncarnation(ref.Incarnation))
		return
	}
	was := k.before != nil && k.before.Incarnation == ref.Incarnation
	switch {
	case !was && !slices.Contains(k.rows, ref.Incarnation):
		c.w.fail("%s was told of %s#%s, which was not there when it asked", a, ref.ID, shortIncarnation(ref.Incarnation))
	case was && k.free(k.before):
		c.w.fail("%s was told to use %s#%s, whose place was free", a, ref.ID, shortIncarnation(ref.Incarnation))
	}
	if l := c.life(ref.ID, ref.Incarnation); l != nil {
		row := &history.Row{Instance: ref.ID, Incarnation: ref.Incarnation}
		if !c.same(row, k.task, k.conflict == durable.UseSame) {
			c.w.fail("%s was told to use %s, which was started with something else", a, l)
		}
	}
	c.w.seen["starts that use what is there"]++
}

// settled checks the answer to a start while which nobody else has changed what was there: then there is one only.
func (c *check) settled(a *actor, k *asking, ref durable.InstanceRef, err error) {
	if k.newID || open(err) {
		return
	}
	now, before := c.rowNow(k.instance), k.before
	refused := errors.Is(err, durable.ErrExists)
	if refused && now != nil && k.ended[now.Incarnation] && now.Status.Ended() {
		c.w.fail("%s was told %v of %s, which has ended for it", a, err, k.instance)
	}
	switch {
	case now == nil && before == nil:
	case now == nil || before == nil || now.Incarnation != before.Incarnation || now.Purged != before.Purged || now.Status.Ended() != before.Status.Ended():
		return
	}
	if now != nil && now.Status.Ended() {
		if l := c.life(now.Instance, now.Incarnation); slices.ContainsFunc(l.generations(), func(g *life) bool { return g.rewinds > 0 }) {
			return // somebody may have had it go on just before
		}
	}
	switch {
	case k.free(now):
		c.w.fail("%s was told %v %v of %s, whose place is free", a, ref, err, k.instance)
	case k.conflict == durable.RefuseStart, k.conflict == durable.ReplaceExisting && now.Status.Ended():
		if !refused {
			c.w.fail("%s was told %v %v of %s, which is there", a, ref, err, k.instance)
		}
	case k.conflict == durable.ReplaceExisting:
		c.w.fail("%s was told %v %v of %s, which has not ended", a, ref, err, k.instance)
	case c.life(now.Instance, now.Incarnation) != nil && c.life(now.Instance, now.Incarnation).sealed: // and its input may be gone
	default:
		if same := c.same(now, k.task, k.conflict == durable.UseSame); same == refused || same && ref.Incarnation != now.Incarnation {
			c.w.fail("%s was told %v %v of %s, which it may use: %v", a, ref, err, k.instance, same)
		}
	}
}

// replaces checks that a start may take the place of a life that has ended.
func (c *check) replaces(a *actor, s *start, before *history.Row) {
	if s == nil || s.by == nil || s.by.free(before) {
		return
	}
	c.w.fail("%s replaces the row of %s, which has %s, and its start does not want that", a, before.Instance, statusNames[before.Status])
}

// restarted is the task of a start that repeats another: with the input that it had, or a later generation of it, the version and the
// tags.
func (c *check) restarted(m *history.Message, k *asking, data []byte) *task {
	var tags map[string]string
	if m.Event.Start != nil {
		tags = m.Event.Start.Tags
	}
	for _, t := range c.w.tasks {
		if t.instance != k.instance || (m.Instance == k.instance) == k.newID || m.Event.Name != t.program.orchestration || !maps.Equal(tags, t.tags) {
			continue
		}
		again := *t
		again.instance, again.input, again.version, again.due = m.Instance, data, m.Event.Version, time.Time{}
		if !bytes.Equal(t.input, data) || t.version != m.Event.Version {
			if !slices.ContainsFunc(c.order, func(l *life) bool {
				return l.task == t && l.generation > 0 && l.start.Version == m.Event.Version && bytes.Equal(l.start.Data.Bytes, data)
			}) {
				continue
			}
		}
		c.w.seen["restarts"]++
		c.w.tasks = append(c.w.tasks, &again)
		return &again
	}
	return nil
}

// purgesFamily notes that an instance may go, and whatever has an id that begins with its own.
func (c *check) purgesFamily(id string) {
	c.purging[id] = true
	if !slices.Contains(c.prefixes, id) {
		c.prefixes = append(c.prefixes, id)
	}
}

// purges reports whether a client has asked to purge an instance.
func (c *check) purges(id string) bool {
	return c.purging[id] || slices.ContainsFunc(c.prefixes, func(p string) bool { return strings.HasPrefix(id, p) })
}

// read checks an instance that a client was shown.
func (c *check) read(a *actor, in *durable.Instance) {
	l := c.life(in.ID, in.Incarnation)
	s := c.starts[in.ID+"/"+in.Incarnation]
	switch {
	case s == nil || s.told == refusedTold:
		c.w.fail("%s is shown %s#%s, which was not started", a, in.ID, shortIncarnation(in.Incarnation))
	case !in.Status.Ended():
	case l == nil || l.end == nil:
		c.w.fail("%s is shown %s#%s as %s", a, in.ID, shortIncarnation(in.Incarnation), in.Status)
	case l.sealed && c.purges(in.ID): // what it came to may be gone
	case in.Status == durable.Completed && !bytes.Equal(in.Output, l.end.Data.Bytes):
		c.w.fail("%s is shown %s, which comes to %s, as %s", a, l, l.end.Data.Bytes, in.Output)
	}
}

// readHistory checks that a client was shown the beginning of what a life has come to, in order.
func (c *check) readHistory(a *actor, id string, events []durable.HistoryEvent) {
	for _, l := range c.order {
		if l.instance != id {
			continue
		}
		i, ok := 0, true
		for _, seg := range l.segments {
			for _, e := range seg.Events {
				if i == len(events) {
					break
				}
				ok = ok && events[i].Kind == e.Kind && events[i].Op == e.Op && events[i].Time.Equal(seg.Time)
				i++
			}
		}
		if ok && i == len(events) {
			return
		}
	}
	if len(events) > 0 && !c.purges(id) { // it has begun
		c.w.fail("%s is shown a history of %s that nobody has", a, id)
	}
}

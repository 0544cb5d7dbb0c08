package sim

import (
	"bytes"
	"context"
	"fmt"
	"strings"

	"github.com/durable-lambda/durable-lambda/durable/backend"
	"github.com/durable-lambda/durable-lambda/durable/history"
	"github.com/durable-lambda/durable-lambda/durable/store"
)

// check watches every effect on the backend, and knows what must never be.
type check struct {
	w        *World
	lives    map[string]*life // the first generations, by instance and incarnation
	order    []*life          // as they began
	ops      map[string]opOf  // by the identity of the operation
	starts   map[string]*start
	calls    map[string]*call   // external messages that were sent, by identity
	purging  map[string]bool    // instances that a client has asked to purge
	prefixes []string           // of ids that a client has asked to purge
	erased   map[string]bool    // blobs that a purge has deleted
	shelves  map[string]bool    // lives of instances of which it was said that they may have blobs
	redriven map[string]uint32  // how often a message was sent again out of a dead-letter queue, by identity
	notes    map[string]*tiding // what somebody outside is to hear, by identity
	segments int
}

type opOf struct {
	life *life
	op   *op
}

// start is one start that a client has sent.
type start struct {
	task                  *task
	instance, incarnation string
	// told is what its client knows.
	told told
	// by is on which terms a client has sent it; nil for a child.
	by *asking
}

type told uint8

const (
	nothing told = iota // the client crashed, or got an error that leaves it open
	accepted
	refusedTold
)

// call is an external message that was sent to one life.
type call struct {
	instance, incarnation string
	kind                  history.Kind
	at                    int // the step at which it was sent last
}

func newCheck(w *World) *check {
	return &check{w: w, lives: map[string]*life{}, ops: map[string]opOf{}, starts: map[string]*start{}, calls: map[string]*call{}, purging: map[string]bool{}, erased: map[string]bool{}, shelves: map[string]bool{}, redriven: map[string]uint32{}, notes: map[string]*tiding{}}
}

// life is the newest generation of an incarnation.
func (c *check) life(instance, incarnation string) *life {
	l := c.lives[instance+"/"+incarnation]
	for l != nil && l.next != nil {
		l = l.next
	}
	return l
}

// generation is one of an incarnation's.
func (c *check) generation(instance, incarnation string, n int) *life {
	l := c.lives[instance+"/"+incarnation]
	for l != nil && l.generation < n {
		l = l.next
	}
	return l
}

// put is called after an item was put in the place of old.
func (c *check) put(a *actor, old *backend.Item, item backend.Item) {
	if _, ok := segmentOf(item.Key); ok {
		c.segment(a, old, item)
	} else if old != nil && strings.HasPrefix(item.Partition, "mail#") && item.Sort == "mail" {
		c.w.fail("%s sends a mail twice: %s", a, item.Partition)
	} else if item.Sort == "row" {
		c.row(a, old, item)
	} else if strings.HasSuffix(item.Sort, "!fold") {
		c.folded(a, item)
	} else if strings.HasPrefix(item.Sort, "b#") || strings.HasPrefix(item.Sort, "c#") {
		c.marked(a, item)
	} else if incarnation, ok := strings.CutPrefix(item.Sort, shelf); ok {
		c.shelves[shortPartition(item.Partition)+"/"+incarnation] = true
	} else if isDue(item.Key) {
		if m, err := history.DecodeMessage(item.Value); err != nil {
			c.w.fail("%s puts the due row %s, which cannot be read: %v", a, item.Sort, err)
		} else {
			c.asked(a, m)
		}
	}
}

// deleted is called before an item is deleted: only a due row is, whose message was sent or is not wanted any more, and what a purge takes along.
func (c *check) deleted(a *actor, key backend.Key, old *backend.Item) {
	if strings.HasPrefix(key.Sort, "b#") && c.purges(shortPartition(key.Partition)) {
		return // a heartbeat
	}
	if incarnation, ok := strings.CutPrefix(key.Sort, shelf); ok {
		c.unshelved(a, shortPartition(key.Partition), incarnation)
		return
	}
	if !isDue(key) {
		c.w.fail("%s deletes %s", a, short(key))
	}
	if old == nil {
		return
	}
	m, err := history.DecodeMessage(old.Value)
	if err != nil {
		c.w.fail("the due row %s cannot be read: %v", key.Sort, err)
		return
	}
	of := c.of(m)
	if !of.over() && (of.op.queued == 0 || of.op.attempt < m.Attempt) {
		c.w.fail("%s deletes the due row of %s before it was sent", a, describeEvent(&m.Event))
	}
}

// of is the operation that a message is about.
func (c *check) of(m *history.Message) opOf {
	if !m.Pending.IsZero() {
		return c.ops[store.AttemptID(m)]
	}
	return c.ops[m.ID]
}

func isDue(k backend.Key) bool { return strings.HasPrefix(k.Partition, "due#") }

// over reports whether nobody waits for the operation.
func (of opOf) over() bool {
	return of.life.end != nil || of.op.outcome != nil || of.op.canceled || of.op.gone || of.op.reported
}

// segment checks a commit.
func (c *check) segment(a *actor, old *backend.Item, item backend.Item) {
	at, _ := segmentOf(item.Key)
	instance, incarnation, n := shortPartition(item.Partition), at.incarnation, at.number
	if seg := decodeSegment(item); seg != nil && seg.Tombstone {
		c.buriedSegment(a, c.generation(instance, incarnation, at.generation), n, item)
		return
	}
	if old != nil {
		c.w.fail("%s overwrites segment %s", a, short(item.Key))
		return
	}
	l := c.generation(instance, incarnation, at.generation)
	if l == nil {
		l = newLife(instance, incarnation, at.generation)
		c.order = append(c.order, l)
		if at.generation == 0 {
			c.lives[instance+"/"+incarnation] = l
			seg, _ := l.decode(item)
			c.begin(a, l, seg != nil && len(seg.Events) > 0 && seg.Events[0].Kind == history.StartRefused)
		} else {
			c.renew(a, l)
		}
	}
	if n != len(l.segments) {
		c.w.fail("%s commits segment %d of %s after %d", a, n, l, len(l.segments)-1)
		return
	}
	seg, plain := l.decode(item)
	if seg == nil {
		c.w.fail("%s commits an unreadable segment %s", a, short(item.Key))
		return
	}
	c.hydrate(seg)
	c.segments++
	l.raw, l.plain = append(l.raw, bytes.Clone(item.Value)), append(l.plain, plain)
	if len(plain) != len(item.Value) {
		c.w.seen["segments compressed"]++
	}
	l.tail.Add(plain)
	if err := l.add(seg); err != nil {
		c.w.fail("%s commits segment %d of %s%s: %v", a, n, l, describeSegment(seg), err)
		return
	}
	if resets(seg) {
		c.w.seen["resets"]++
		l.rewoundAt = c.w.step
	}
	if rewinds(seg) {
		c.w.seen["rewinds"]++
		l.rewoundAt = c.w.step
	}
	c.committed(a, l, seg)
	c.announced(l, n, seg)
	if n == 0 && l.prev != nil {
		c.carried(a, l, seg)
	}
}

// hydrate reads the payloads that the segment refers to.
func (c *check) hydrate(seg *history.Segment) {
	for i := range seg.Events {
		p := &seg.Events[i].Data
		if p.Blob == "" {
			continue
		}
		if err := c.w.plain.Hydrate(context.Background(), p); err != nil {
			c.w.fail("a committed payload cannot be read: %v", err)
		}
	}
}

// begin checks that a life may begin.
func (c *check) begin(a *actor, l *life, refused bool) {
	s := c.starts[l.instance+"/"+l.incarnation]
	switch {
	case s == nil:
		c.w.fail("%s begins %s, which nobody started", a, l)
		return
	case s.told == refusedTold:
		c.w.fail("%s begins %s, whose start was refused", a, l)
	case s.task == nil:
		c.w.fail("%s begins %s, whose input a purge has taken", a, l)
	}
	l.task = s.task
	if refused {
		return
	}
	for _, other := range c.order {
		if other.instance == l.instance && other != l && !other.sealed && other.next == nil && !other.refused() {
			c.w.fail("%s begins %s beside %s, which is not sealed", a, l, other)
		}
	}
}

// committed checks what a segment says against what was sent.
func (c *check) committed(a *actor, l *life, seg *history.Segment) {
	if seg.Time.After(c.w.now.Add(c.w.plan.Skew)) { // a timer that fired early, too
		c.w.fail("%s commits a segment of %s that is of %v, which is not yet", a, l, seg.Time)
	}
	c.flight(a, l)
	for i := range seg.Events {
		e := &seg.Events[i]
		if o := l.ops[e.Op]; o != nil && o.command == e {
			c.ops[l.operationID(e)] = opOf{l, o}
		}
		if o := l.ops[history.StartOp]; o != nil && e.Kind == history.ExecutionStarted {
			c.ops[l.operationID(o.command)] = opOf{l, o}
		}
		if e.MessageID != "" {
			c.consumedBefore(a, l, e)
			sent := c.calls[e.MessageID]
			if sent == nil || sent.instance != l.instance || sent.incarnation != l.incarnation || sent.kind != e.Kind && (sent.kind != history.ExecutionRewound || e.Kind != history.ParentRewound) {
				c.w.fail("%s has %s consume %s, which was not sent to it", a, l, describeEvent(e))
			}
		}
		if e.Kind == history.SubOrchestrationCompleted || e.Kind == history.SubOrchestrationFailed {
			c.came(a, l, e)
		}
		if e.Kind == history.TaskCompleted || e.Kind == history.TaskFailed {
			if o := l.ops[e.Op]; !o.reported {
				c.w.fail("%s has %s consume %s of an activity that never ran", a, l, describeEvent(e))
			}
		}
	}
}

// flight checks that as many activities are under way as may be.
func (c *check) flight(a *actor, l *life) {
	limit := c.w.plan.InFlight
	if limit == 0 {
		limit = history.MaxInFlight
	}
	flying, waiting := l.flying(), len(l.asked)-l.released[len(l.released)-1]
	switch {
	case l.end != nil && waiting > 0 && !l.segments[len(l.segments)-1].More:
		c.w.fail("%s ends %s and holds %d activities back", a, l, waiting)
	case l.end == nil && flying > limit:
		c.w.fail("%s lets %d activities of %s go, more than %d", a, flying, l, limit)
	case l.end == nil && !l.suspended && waiting > 0 && flying < limit:
		c.w.fail("%s holds %d activities of %s back, while %d are under way", a, waiting, l, flying)
	}
}

// folded checks that a history reads the same through its folds.
func (c *check) folded(a *actor, item backend.Item) {
	instance := shortPartition(item.Partition)
	if item.Owner == purged {
		return
	}
	h, err := store.New(store.Config{Backend: c.w.inner}).Load(context.Background(), instance, item.Owner, item.Sequence.Generation)
	l := c.generation(instance, item.Owner, int(item.Sequence.Generation))
	if err != nil || l == nil || len(h.Segments) != len(l.raw) {
		c.w.fail("%s folds %s, which cannot be read any more: %v", a, instance, err)
		return
	}
	for n, seg := range h.Segments {
		if !bytes.Equal(seg.Encode(), l.plain[n]) {
			c.w.fail("%s folds segment %d of %s into something else", a, n, l)
		}
	}
}

// row checks a status row.
func (c *check) row(a *actor, old *backend.Item, item backend.Item) {
	row := decodeRow(item)
	if row == nil {
		c.w.fail("%s puts an unreadable row %s", a, short(item.Key))
		return
	}
	l := c.generation(row.Instance, row.Incarnation, int(row.Generation))
	if old == nil || old.Owner != item.Owner {
		c.created(a, old, row)
		return
	}
	switch {
	case old.Sequence == item.Sequence && row.Status != history.StatusRunning && l != nil && c.purges(l.instance):
		c.purgedRow(a, l, row)
		return
	case old.Sequence == item.Sequence && row.Status == history.StatusRunning: // whoever looks first shows that it has begun
		if was := decodeRow(*old); was.Status > history.StatusRunning || row.Number > 0 || row.Generation > 0 || l == nil || len(l.segments) == 0 || l.at(1).scheduled() {
			c.w.fail("%s shows %s as begun, which was %s at %d", a, row.Instance, statusNames[was.Status], row.Number)
		}
		return
	case !old.Sequence.Less(item.Sequence):
		c.w.fail("%s puts the row of %s back from %v to %v", a, row.Instance, old.Sequence, item.Sequence)
		return
	case l == nil || int(row.Number) > len(l.segments):
		c.w.fail("%s puts a row of %s at %d, ahead of its history", a, row.Instance, row.Number)
		return
	}
	past := l.at(int(row.Number))
	if row.Status != past.status() || !bytes.Equal(row.Custom.Bytes, past.custom) {
		c.w.fail("%s puts the row of %s at %d: %s, status %s; its history shows %s, %s", a, l, row.Number,
			statusNames[row.Status], row.Custom.Bytes, statusNames[past.status()], past.custom)
	}
	if !row.Status.Ended() {
		return
	}
	for n := range l.segments {
		if s := l.unsent(n); s != "" {
			c.w.fail("%s shows the end of %s before %s of segment %d was sent", a, l, s, n)
		}
	}
	if s := l.untold(c); s != "" {
		c.w.fail("%s shows the end of %s before %s was sent", a, l, s)
	}
}

// created checks that one life may take the place of another.
func (c *check) created(a *actor, old *backend.Item, row *history.Row) {
	if row.Status != history.StatusPending || row.Number != 0 {
		c.w.fail("%s creates a row of %s as %s at %d", a, row.Instance, statusNames[row.Status], row.Number)
	}
	s := c.starts[row.Instance+"/"+row.Incarnation]
	if s == nil || s.told == refusedTold {
		c.w.fail("%s creates a row of %s for a start that was refused or never sent", a, row.Instance)
	}
	for _, other := range c.w.actors {
		if k := other.asking; k != nil && k.instance == row.Instance {
			k.rows = append(k.rows, row.Incarnation)
		}
	}
	if old == nil {
		return
	}
	before := decodeRow(*old)
	c.replaces(a, s, before)
	l := c.life(before.Instance, before.Incarnation)
	if !before.Status.Ended() || l == nil || !l.sealed || before.Incarnation >= row.Incarnation {
		c.w.fail("%s replaces the row of %s, which is %s", a, before.Instance, statusNames[before.Status])
	}
}

// sent is called after a message was sent.
func (c *check) sent(a *actor, queue string, sent backend.Message) {
	m, err := history.DecodeMessage(sent.Body)
	if err != nil {
		c.w.fail("%s sends what cannot be read to %s: %v", a, queue, err)
		return
	}
	c.redriven[m.ID] = max(c.redriven[m.ID], m.Redrives)
	if m.Event.MessageID != "" {
		c.calls[m.Event.MessageID] = &call{m.Instance, m.Incarnation, m.Event.Kind, c.w.step}
	}
	switch m.Event.Kind {
	case history.Notified:
		c.tells(a, m, false)
	case history.SubOrchestrationCompleted, history.SubOrchestrationFailed:
		c.toldParent(a, m)
	case history.ExecutionTerminated, history.ExecutionRewound:
		if m.Event.Start != nil {
			c.parted(a, m)
		} else if k := a.asking; k != nil && k.terminates(m) {
			k.ended[m.Incarnation] = true
		}
	case history.ExecutionStarted:
		key := m.Instance + "/" + m.Incarnation
		if m.Event.Start != nil && m.Event.Start.Parent != nil {
			c.askedFor(a, m)
			c.starts[key] = &start{instance: m.Instance, incarnation: m.Incarnation, task: &task{instance: m.Instance, program: kid(m)}}
		}
		if c.starts[key] == nil {
			c.starts[key] = &start{instance: m.Instance, incarnation: m.Incarnation, task: c.w.task(m, a.asking), by: a.asking}
			a.sent = c.starts[key]
		}
	case history.TaskScheduled, history.TimerFired:
		if op := c.asked(a, m); op != nil {
			op.queued++
		}
	case history.TaskCompleted, history.TaskFailed:
		if of, ok := c.ops[m.ID]; !ok || of.op.runs == 0 && !of.op.waiting && !of.op.dead && !of.op.unrun(&m.Event) {
			c.w.fail("%s sends %s of %s, which never ran", a, describeEvent(&m.Event), m.Instance)
		} else {
			if m.Event.Failure != nil && !of.op.reported {
				c.patient(a, of, m.Event.Attempt, m.Event.Failure.Kind)
			}
			of.op.reported = true
		}
	}
}

// asked notes that a message for a command is on its way: only what is committed may be.
func (c *check) asked(a *actor, m *history.Message) *op {
	if !m.Pending.IsZero() {
		return c.looksAfter(a, m)
	}
	of, ok := c.ops[m.ID]
	if !ok || of.life.incarnation != m.Incarnation || of.op.command.Op != m.Event.Op {
		c.w.fail("%s sends %s of %s, which no history asks for", a, describeEvent(&m.Event), m.Instance)
		return nil
	}
	if m.Event.Kind == history.TaskScheduled && !of.op.released {
		c.w.fail("%s sends %s of %s, which is held back", a, describeEvent(&m.Event), m.Instance)
	}
	if of.op.sent++; m.Attempt > of.op.attempt && m.Attempt > 1 {
		c.patient(a, of, m.Attempt-1, "")
	}
	of.op.attempt = max(of.op.attempt, m.Attempt)
	of.op.waiting = of.op.waiting || !m.Waiting.IsZero()
	return of.op
}

// buried is called when a message goes to a dead-letter queue.
func (c *check) buried(m backend.Message) {
	if d, err := history.DecodeMessage(m.Body); err == nil && d.Event.Kind == history.TaskScheduled {
		if of, ok := c.ops[d.ID]; ok {
			of.op.dead = true
		}
	}
}

// open names the lives that have not ended.
func (c *check) open() []string {
	var out []string
	for _, l := range c.order {
		if l.end == nil {
			out = append(out, fmt.Sprintf("%s (%s, %s)", l, l.start.Name, statusNames[l.status()]))
		}
	}
	return out
}

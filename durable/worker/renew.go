package worker

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/durable-lambda/durable-lambda/durable/history"
	"github.com/durable-lambda/durable-lambda/durable/store"
)

// A generation that continues as new is over when everything that it asked for is sent, as any end. Only then the next one
// begins: with the start that the old one's end says, the events that nobody has taken, and the names of the messages from
// outside that were consumed lately, all of it read from the record. So whoever comes first can begin it, and for a message of
// an old generation nothing is left to do.

const (
	// knownFor is how long a message from outside is known to generations after that which has consumed it, and maxKnown how
	// many are, the newest.
	knownFor = 15 * time.Minute
	maxKnown = 1000
	// maxRenewals is how many generations are begun in one go.
	maxRenewals = 10
	// maxCarried is how many bytes of carried events stay in the segment that gets them; those of more go into blobs.
	maxCarried = 64 << 10
)

// renewed reports whether the generation is over, and another is to follow.
func (st *state) renewed() bool {
	return st.over() && st.end.Kind == history.ContinuedAsNew
}

// begin makes a generation's start that of the instance.
func (st *state) begin(e *history.Event) {
	start := *e
	start.Kind = history.ExecutionStarted
	if e.Start != nil {
		st.know(e.Start)
		s := *e.Start
		s.Known, s.Carried, s.Custom, s.Spun, s.SpunSince = nil, nil, nil, 0, time.Time{}
		start.Start = &s
	}
	st.start = &start
}

// know takes over what a generation's start says of those before.
func (st *state) know(s *history.Start) {
	st.custom.Bytes = s.Custom
	st.spin = spin{turns: int(s.Spun), since: s.SpunSince}
	st.known = make(map[string]history.Known, len(s.Known))
	for _, k := range s.Known {
		st.known[k.ID] = k
	}
}

// load reads the newest generation that a message names, or the one before when that has not begun.
func (a *attempt) load(ctx context.Context, messages []*history.Message) error {
	a.since = a.w.store.Now()
	generation := uint64(0)
	for _, m := range messages {
		generation = max(generation, m.Generation)
	}
	h, err := a.w.store.Load(ctx, a.g.instance, a.g.incarnation, generation)
	if err == nil && len(h.Segments) == 0 && generation > 0 {
		h, err = a.w.store.Load(ctx, a.g.instance, a.g.incarnation, generation-1)
	}
	if err != nil {
		return err
	}
	a.st, a.head = fold(h), true
	return nil
}

// crowded reports whether a message is to come again, because the segment with which a generation begins has no room for it.
func (a *attempt) crowded(e *history.Event) bool {
	if len(a.consumed) == 0 || a.consumed[0].Kind != history.GenerationStarted {
		return false
	}
	size := e.Size()
	for i := range a.consumed {
		size += a.consumed[i].Size()
	}
	a.left = a.left || size > history.SegmentBytes
	return size > history.SegmentBytes
}

// errRenewing puts messages back that nobody has decided yet.
var errRenewing = errors.New("the instance continues as new first")

// renew goes on to the next generation. If it has not begun, the old one's messages are sent first (rule 9).
func (a *attempt) renew(ctx context.Context, messages []*history.Message) error {
	old := a.st
	generation := old.h.Generation + 1
	if a.loaded == len(old.h.Segments) { // long over, perhaps, and many have followed
		row, err := a.w.store.Row(ctx, a.g.instance)
		if err != nil {
			return err
		}
		if row == nil || row.Incarnation != a.g.incarnation {
			a.gone(messages)
			if err := a.flush(ctx); err != nil {
				return err
			}
			return errHandedOn // this life was replaced or purged, and so was over before: nothing else is owed
		}
		generation = max(generation, row.Generation)
	}
	h, err := a.w.store.Load(ctx, a.g.instance, a.g.incarnation, generation)
	if err != nil {
		return err
	}
	a.consumed = nil
	if len(h.Segments) == 0 {
		if !slices.ContainsFunc(messages, func(m *history.Message) bool { return asksFor(m, generation, 0) }) {
			a.release(a.last()) // who asks to go on has sent it
		}
		if a.renewals++; a.renewals > maxRenewals || a.renewals > 1 && a.w.cfg.NearDeadline(ctx) {
			a.goOnTo(generation, 0)
			if err := a.settle(ctx); err != nil {
				return err
			}
			if slices.ContainsFunc(messages, old.undecided) {
				return errRenewing
			}
			return errHandedOn
		}
		if err := a.flush(ctx); err != nil {
			return err
		}
		if a.consumed, err = a.successor(ctx, old, messages); err != nil {
			return err
		}
	}
	a.unpark()
	a.st, a.head, a.warm, a.project, a.sent = fold(h), true, false, false, map[int]bool{}
	if len(h.Segments) == 0 {
		a.st.last = old.last
		a.st.know(a.consumed[0].Start)
	}
	return nil
}

// undecided reports whether a message is for the next generation: one from outside that this one has left.
func (st *state) undecided(m *history.Message) bool {
	_, settled := st.settled(m)
	_, consumed := st.consumed(m)
	return m.Event.MessageID != "" && !settled && !consumed
}

// successor is what a generation begins with that follows old.
func (a *attempt) successor(ctx context.Context, old *state, messages []*history.Message) ([]history.Event, error) {
	start := history.Event{Kind: history.GenerationStarted, Name: old.start.Name, Version: old.end.Version, Data: old.end.Data, At: old.start.At}
	var s history.Start
	if old.start.Start != nil {
		s = *old.start.Start
	}
	start.Start = &s
	events := []history.Event{start}
	var carried []string
	if old.end.Start != nil {
		carried = old.end.Start.Carried
	}
	s.Carried, s.Due = nil, time.Time{}
	size := 0
	for _, id := range carried {
		n, ok := old.calls[id]
		if !ok {
			continue
		}
		segment := old.h.Segments[n].Events
		e := segment[slices.IndexFunc(segment, func(e history.Event) bool { return e.MessageID == id })]
		if size += len(e.Data.Bytes); size > maxCarried && e.Data.Blob == "" {
			if err := a.w.store.Shelve(ctx, a.g.instance, a.g.incarnation, &e.Data); err != nil {
				return nil, err
			}
		}
		events = append(events, e)
		s.Carried = append(s.Carried, id)
	}
	s.Known, s.Custom = a.knows(old, carried, messages), old.custom.Bytes
	if a.w.cfg.SpinTurns > 0 {
		s.Spun, s.SpunSince = uint64(old.spin.turns), old.spin.since
	}
	return events, nil
}

// knows are the messages that are known to the generation after old, but those that it gets: the newest ones from outside, and,
// as those that owe its first turn, the ones of old's last turn and all of this call that the new generation will not decide itself.
func (a *attempt) knows(old *state, but []string, messages []*history.Message) []history.Known {
	segments := old.h.Segments
	first := len(segments) - 1
	for first > 0 && segments[first-1].More {
		first--
	}
	known := map[string]history.Known{}
	for id, k := range old.known {
		k.Last = k.Last && first == 0
		known[id] = k
	}
	for n, seg := range segments {
		for i := range seg.Events {
			if id := a.identity(&seg.Events[i], n >= first); id != "" && !slices.Contains(but, id) {
				known[id] = history.Known{ID: id, At: since(seg.Events[i].MessageID, seg.Time), Last: n >= first}
			}
		}
	}
	for _, m := range messages {
		if id := messageID(m); !old.undecided(m) && !slices.Contains(but, id) {
			known[id] = history.Known{ID: id, At: since(m.Event.MessageID, old.last), Last: true}
		}
	}
	maps.DeleteFunc(known, func(_ string, k history.Known) bool { return !k.Last && old.last.Sub(k.At) > knownFor })
	newest := slices.SortedFunc(maps.Values(known), func(a, b history.Known) int {
		return cmp.Or(boolOrder(b.Last)-boolOrder(a.Last), b.At.Compare(a.At), strings.Compare(a.ID, b.ID))
	})
	return newest[:min(len(newest), maxKnown)]
}

// messageID is what a message is known by.
func messageID(m *history.Message) string {
	if m.Event.MessageID != "" {
		return m.Event.MessageID
	}
	return m.ID
}

// since is when a message was consumed, if it came from outside. Another is of its generation, and known for one more: after that it is older than what it could mean something to.
func since(external string, t time.Time) time.Time {
	if external == "" {
		return time.Time{}
	}
	return t
}

// identity is that of the message which brought the event; only those from outside have one unless all.
func (a *attempt) identity(e *history.Event, all bool) string {
	switch {
	case e.MessageID != "" || !all:
		return e.MessageID
	case e.Kind == history.ExecutionStarted:
		return store.StartID(a.g.instance, a.g.incarnation)
	case e.Kind == history.TaskCompleted || e.Kind == history.TaskFailed || e.Kind == history.TimerFired ||
		e.Kind == history.SubOrchestrationCompleted || e.Kind == history.SubOrchestrationFailed:
		return a.message(e.Op, e.Epoch).ID
	}
	return ""
}

// asksFor reports whether a message asks for that segment, which says that everything before it was sent.
func asksFor(m *history.Message, generation, number uint64) bool {
	return m.Event.Kind == history.Continued && m.Generation == generation && m.Number == number
}

// goOnTo asks for a segment of a generation.
func (a *attempt) goOnTo(generation, number uint64) {
	m, nonce := a.message("", 0), ""
	if n := len(a.st.h.Segments); n > 0 {
		nonce = a.st.h.Segments[n-1].Nonce
	}
	m.ID = store.CallID(a.g.instance, a.g.incarnation, "continue-"+nonce)
	m.Event, m.Generation, m.Number = history.Event{Kind: history.Continued}, generation, number
	a.out.Inbox(m)
}

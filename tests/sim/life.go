package sim

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/durable-lambda/durable-lambda/durable/backend"
	"github.com/durable-lambda/durable-lambda/durable/history"
	"github.com/durable-lambda/durable-lambda/durable/store"
)

// life is what one generation of an incarnation of an instance has come to, folded from what was put: independently of the
// worker's fold.
type life struct {
	instance, incarnation string
	generation            int
	prev, next            *life // the generations before and after it
	segments              []*history.Segment
	raw, plain            [][]byte // as it is stored, and uncompressed
	tail                  history.Tail
	ops                   map[string]*op
	begun                 map[string]int // steps of which the history has the start, and the segment of it
	calls                 map[string]int // external messages, and the segment that consumed them
	raised                []*history.Event
	start, end            *history.Event
	parent                *history.Parent // who waits for the outcome now
	kin                   map[string]bool // the lives of children
	ended                 int             // the segment of the end
	sealed                bool

	suspended, byWorker bool
	custom              []byte
	shows               []int // the segments whose turns the status row must show
	notes               []*tiding
	task                *task
	// asked are the activities in order, and released how many of them each segment lets go, with those before it.
	asked    []*op
	released []int
	// unfinished says of each segment whether its turn goes on. rewinds counts those that were; again is what the last one must have
	// asked for again, and kept what it must not.
	unfinished  []bool
	rewinds     int
	rewoundAt   int // the step of the last one
	again, kept map[string]*op
	// of resets: the results and inputs that they have said, the children that each is to end, the input of the start, and whether the
	// instance was suspended after each segment
	given, edits map[string]*edit
	parting      map[int][]*op
	begunWith    []byte
	was          []bool
}

// op is an activity, a timer or a step.
type op struct {
	command    *history.Event
	asked      int // the segment in which it was first asked for
	outcome    *history.Event
	settled    int // the segment of the outcome
	canceled   bool
	canceledIn int
	gone       bool   // a rewind has done away with it
	released   bool   // it may be sent
	sent       int    // messages that ask for it
	queued     int    // of these, those that went into a queue and not into a due row
	attempt    uint32 // the highest that was sent
	waiting    bool   // it was sent again because nobody had it
	dead       bool   // an attempt went to the dead-letter queue
	reported   bool   // an outcome was sent
	parted     int    // messages that end a child with its parent
	goesOn     bool   // the child was asked for before, and is rewound
	urged      int    // messages that rewind it
	runs       int    // of an activity's body
	code       []byte // what the code has asked for it with
	given      bool   // a reset has said its outcome
	ending     bool   // a reset is to end the child
	anew       bool   // a child, which gets another life
	broke      bool   // it has failed because it is broken
	beat       int    // the furthest heartbeat that was given

	// of an activity whose outcome comes from elsewhere, or that somebody has claimed
	watches   int                  // messages that look after it
	pended    uint32               // the highest attempt that is marked as handed on
	failedAt  uint32               // the highest attempt of which somebody else reports a failure
	handedAt  map[uint32]time.Time // when each attempt's body ran first
	claimedAt time.Time
}

// spot is the key of a segment.
type spot struct {
	incarnation        string
	generation, number int
}

// segmentOf splits the key of a segment.
func segmentOf(k backend.Key) (at spot, ok bool) {
	rest, ok := strings.CutPrefix(k.Sort, "h#")
	parts := strings.Split(rest, "#")
	if !ok || len(parts) != 3 {
		return at, false
	}
	g, err := strconv.ParseUint(parts[1], 16, 32)
	n, err2 := strconv.ParseUint(parts[2], 16, 32)
	return spot{parts[0], int(g), int(n)}, err == nil && err2 == nil
}

// decodeSegment reads a segment that is not compressed.
func decodeSegment(item backend.Item) *history.Segment {
	if _, ok := segmentOf(item.Key); !ok {
		return nil
	}
	seg, err := history.DecodeSegment(bytes.Clone(item.Value))
	if err != nil {
		return nil
	}
	return seg
}

// decode reads the next segment, and what it is uncompressed.
func (l *life) decode(item backend.Item) (*history.Segment, []byte) {
	plain, err := l.tail.Expand(item.Value)
	if err != nil {
		return nil, nil
	}
	plain = bytes.Clone(plain)
	seg, err := history.DecodeSegment(plain)
	if err != nil {
		return nil, nil
	}
	return seg, plain
}

func decodeRow(item backend.Item) *history.Row {
	if item.Sort != "row" {
		return nil
	}
	plain, err := new(history.Tail).Expand(bytes.Clone(item.Value))
	if err != nil {
		return nil
	}
	row, err := history.DecodeRow(plain)
	if err != nil {
		return nil
	}
	row.Incarnation, row.Generation, row.Number = item.Owner, item.Sequence.Generation, item.Sequence.Number
	return row
}

// add folds one more segment, and reports what is wrong with it.
func (l *life) add(seg *history.Segment) error {
	n := len(l.segments)
	switch {
	case l.sealed:
		return fmt.Errorf("something follows a seal")
	case n > 0 && seg.Time.Before(l.segments[n-1].Time) && !seals(seg):
		return fmt.Errorf("time goes back from %v to %v", l.segments[n-1].Time, seg.Time)
	case len(seg.Events) == 0 && (n == 0 || !l.segments[n-1].More):
		return fmt.Errorf("nothing happened, and no turn was unfinished")
	case l.end != nil && !seals(seg) && !l.segments[n-1].More && !(rewinds(seg) && l.rewindable()) && !(resets(seg) && l.resettable()):
		return fmt.Errorf("something follows the end")
	}
	l.segments = append(l.segments, seg)
	before := l.status()
	defer func() {
		set := slices.ContainsFunc(seg.Events, func(e history.Event) bool { return e.Kind == history.CustomStatusSet })
		made := n == 0 && l.generation == 0 // of the row that was made it is known whether it has begun
		if n == 0 && !made || set || l.status() != before && !(made && l.status() == history.StatusPending) || rewinds(seg) || resets(seg) {
			l.shows = append(l.shows, n)
		}
	}()
	sticky := false
	for i := range seg.Events {
		e := &seg.Events[i]
		sticky = sticky || e.Kind == history.ExecutionSuspended && e.MessageID == ""
		if err := l.apply(n, e, sticky); err != nil {
			return fmt.Errorf("%s: %w", describeEvent(e), err)
		}
		if e.MessageID == "" {
			continue
		}
		if at, twice := l.calls[e.MessageID]; twice {
			return fmt.Errorf("%s %s is consumed twice, in segments %d and %d", describeEvent(e), e.MessageID[:4], at, n)
		}
		l.calls[e.MessageID] = n
	}
	l.was = append(l.was, l.suspended)
	l.unfinished = append(l.unfinished, seg.More || n > 0 && l.unfinished[n-1] && l.suspended && l.end == nil)
	if left := slices.Sorted(maps.Keys(l.again)); len(left) > 0 && !l.unfinished[n] && !l.terminated() {
		return fmt.Errorf("operation %s has no outcome, and is not asked for again", left[0])
	}
	return l.release(seg)
}

// release counts which activities may be sent.
func (l *life) release(seg *history.Segment) error {
	before, n := 0, len(l.asked)
	if k := len(l.released); k > 0 {
		before = l.released[k-1]
	}
	if !seg.Released {
		n = before + int(seg.Releases)
	}
	if n > len(l.asked) {
		return fmt.Errorf("lets %d activities go of %d", n, len(l.asked))
	}
	for _, o := range l.asked[before:n] {
		o.released = true
	}
	l.released = append(l.released, n)
	return nil
}

// flying is how many activities may be under way.
func (l *life) flying() int {
	n := 0
	for _, o := range l.asked {
		if o.released && o.outcome == nil && !o.gone {
			n++
		}
	}
	return n
}

// bounded reports whether the outcome of an activity is not waited for for ever.
func (o *op) bounded() bool {
	p := o.command.Policy
	return p != nil && (p.Timeout > 0 || p.Deadline > 0 || p.Heartbeat > 0)
}

func seals(seg *history.Segment) bool {
	return len(seg.Events) == 1 && seg.Events[0].Kind == history.Sealed
}

func (l *life) apply(n int, e *history.Event, sticky bool) error {
	if e.Start != nil && e.Start.Parent != nil && e.Kind != history.ExecutionTerminated {
		l.parent = e.Start.Parent
	}
	if l.refused() && l.start == nil && e.Kind == history.ExecutionStarted {
		l.start = e // of what comes to nothing
		return nil
	}
	if e.Kind != history.ExecutionStarted && e.Kind != history.GenerationStarted && e.Kind != history.Sealed && e.Kind != history.StartRefused && l.start == nil {
		return fmt.Errorf("before the start")
	}
	if l.end != nil && e.Kind != history.Sealed && e.Kind != history.ExecutionRewound && !resets(l.segments[n]) && (l.end.Kind != history.ExecutionTerminated || e.Kind.IsInput()) {
		return fmt.Errorf("after the end")
	}
	if code := !e.Kind.IsInput() || e.Kind == history.StepCompleted || e.Kind == history.StepFailed; code && l.scheduled() {
		return fmt.Errorf("the code runs before its time, %v", l.start.Start.Due)
	}
	switch e.Kind {
	case history.ExecutionStarted:
		if l.start != nil || n > 0 || l.generation > 0 {
			return fmt.Errorf("started twice")
		}
		l.start = e
		if e.Start != nil && !e.Start.Due.IsZero() {
			l.ops[history.StartOp] = &op{asked: n, command: &history.Event{Kind: history.TimerCreated, Op: history.StartOp, At: e.Start.Due}}
		}
	case history.GenerationStarted:
		if l.start != nil || n > 0 || l.generation == 0 {
			return fmt.Errorf("begun twice")
		}
		l.start, l.custom = e, e.Start.Custom
	case history.TaskScheduled, history.TimerCreated, history.SubOrchestrationCreated, history.EventSent:
		if l.ops[e.Op] != nil {
			return fmt.Errorf("asked for twice")
		}
		before := l.again[e.Op]
		asked, err := l.anew(n, e)
		if err != nil {
			return err
		}
		l.ops[e.Op] = &op{command: e, asked: asked, code: e.Data.Bytes}
		if before != nil {
			l.ops[e.Op].code = before.code
		}
		if before != nil && before.anew && l.kin[e.Target.Incarnation] {
			return fmt.Errorf("it is a life of before the reset")
		}
		if e.Kind == history.SubOrchestrationCreated {
			l.ops[e.Op].goesOn = l.kin[e.Target.Incarnation]
			l.kin[e.Target.Incarnation] = true
		}
		if e.Kind == history.TaskScheduled {
			l.asked = append(l.asked, l.ops[e.Op])
		}
	case history.TaskCompleted, history.TaskFailed:
		return l.outcome(e, history.TaskScheduled)
	case history.TimerFired:
		return l.outcome(e, history.TimerCreated)
	case history.SubOrchestrationCompleted, history.SubOrchestrationFailed:
		return l.outcome(e, history.SubOrchestrationCreated)
	case history.StartRefused:
		if n > 0 || l.start != nil || l.generation > 0 {
			return fmt.Errorf("refused when it has begun")
		}
		l.end = e
	case history.StepStarted:
		if _, twice := l.begun[e.Op]; twice || l.ops[e.Op] != nil {
			return fmt.Errorf("a step begins twice, or when it is over")
		}
		l.begun[e.Op] = n
	case history.StepCompleted, history.StepFailed:
		if l.ops[e.Op] != nil {
			return fmt.Errorf("a step has two outcomes")
		}
		asked, err := l.anew(n, &history.Event{Kind: history.StepStarted, Op: e.Op, Epoch: e.Epoch, Name: e.Name})
		if err != nil {
			return err
		}
		l.ops[e.Op] = &op{command: &history.Event{Kind: history.StepStarted, Op: e.Op, Name: e.Name}, asked: asked, outcome: e, settled: n}
	case history.TimerCanceled:
		// One that fired while the code could not see it, behind an event that made the code cancel it, is in order.
		if o := l.ops[e.Op]; o == nil || o.command.Kind != history.TimerCreated || o.canceled || o.command.Epoch != e.Epoch && (o.outcome == nil || int(e.Epoch) != l.rewinds) {
			return fmt.Errorf("cancels nothing that runs")
		}
		l.ops[e.Op].canceled, l.ops[e.Op].canceledIn = true, n
	case history.ExecutionRewound:
		return l.rewind(l.segments[n])
	case history.ExecutionReset:
		if e.Rewound == nil {
			return l.futile(n, e)
		}
		return l.reset(l.segments[n])
	case history.ParentRewound, history.ChangeMarked:
	case history.EventRaised:
		l.raised = append(l.raised, e)
	case history.ExecutionSuspended:
		l.suspended, l.byWorker = true, e.MessageID == ""
	case history.ExecutionResumed:
		if !sticky {
			l.suspended, l.byWorker = false, false
		}
	case history.ExecutionCompleted, history.ExecutionFailed, history.ExecutionTerminated, history.ContinuedAsNew:
		l.end, l.ended = e, n
	case history.Sealed:
		if l.end == nil {
			return fmt.Errorf("an instance that has not ended is sealed")
		}
		l.sealed = true
	case history.CustomStatusSet:
		l.custom = e.Data.Bytes
	default:
		return fmt.Errorf("nothing writes such an event yet")
	}
	return nil
}

func (l *life) outcome(e *history.Event, of history.Kind) error {
	o := l.ops[e.Op]
	switch {
	case o == nil || o.command.Kind != of || o.command.Epoch != e.Epoch:
		return fmt.Errorf("nobody asked for it")
	case o.outcome != nil:
		return fmt.Errorf("a second outcome")
	case o.canceled:
		return fmt.Errorf("a cancelled timer fires")
	case of == history.TimerCreated && !e.At.Equal(o.command.At):
		return fmt.Errorf("a timer for %v fires for %v", o.command.At, e.At)
	case of == history.TimerCreated && l.segments[len(l.segments)-1].Time.Before(e.At):
		return fmt.Errorf("a timer fires before its time")
	}
	o.outcome, o.settled = e, len(l.segments)-1
	return nil
}

func (l *life) status() history.Status {
	switch {
	case l.end == nil && l.suspended:
		return history.StatusSuspended
	case l.end == nil && l.scheduled():
		return history.StatusPending
	case l.end == nil || l.segments[len(l.segments)-1].More || l.end.Kind == history.ContinuedAsNew:
		return history.StatusRunning
	case l.end.Kind == history.ExecutionCompleted:
		return history.StatusCompleted
	case l.end.Kind == history.ExecutionTerminated:
		return history.StatusTerminated
	}
	return history.StatusFailed
}

// scheduled reports whether the time of a start has not come.
func (l *life) scheduled() bool {
	o := l.ops[history.StartOp]
	return o != nil && o.outcome == nil
}

// at is the life as it was after n segments.
func (l *life) at(n int) *life {
	if n == len(l.segments) {
		return l
	}
	past := newLife(l.instance, l.incarnation, l.generation)
	for _, seg := range l.segments[:n] {
		_ = past.add(seg)
	}
	return past
}

// renewed reports whether another generation is to follow, and may.
func (l *life) renewed() bool {
	return l.end != nil && l.end.Kind == history.ContinuedAsNew && !l.segments[len(l.segments)-1].More
}

// generations are this life and those before it, the first one first.
func (l *life) generations() []*life {
	if l == nil {
		return nil
	}
	return append(l.prev.generations(), l)
}

func newLife(instance, incarnation string, generation int) *life {
	return &life{instance: instance, incarnation: incarnation, generation: generation, ops: map[string]*op{}, begun: map[string]int{}, calls: map[string]int{}, kin: map[string]bool{},
		given: map[string]*edit{}, edits: map[string]*edit{}, parting: map[int][]*op{}}
}

// unsent names the first command of a segment that is still wanted and was never sent.
func (l *life) unsent(segment int) string {
	if s := l.unannounced(segment); s != "" {
		return s
	}
	from := 0
	if segment > 0 {
		from = l.released[segment-1]
	}
	for _, o := range l.asked[from:l.released[segment]] {
		if o.sent == 0 && o.outcome == nil && !o.gone && !l.terminated() {
			return describeEvent(o.command)
		}
	}
	if s := l.unparted(segment); s != "" {
		return s
	}
	for i := range l.segments[segment].Events {
		e := &l.segments[segment].Events[i]
		o := l.ops[e.Op]
		if e.Kind == history.ExecutionStarted && l.end == nil && l.scheduled() && l.ops[history.StartOp].sent == 0 {
			return "the timer of the start"
		}
		if o != nil && o.command == e && o.goesOn && o.urged == 0 && o.outcome == nil && l.end == nil {
			return "the rewind of " + e.Target.Instance
		}
		if o == nil || o.command != e || o.sent > 0 || o.outcome != nil {
			continue
		}
		if e.Kind == history.TimerCreated && !o.canceled && l.end == nil {
			return describeEvent(e)
		}
		if e.Kind == history.SubOrchestrationCreated && (!l.terminated() || l.unwanted(o)) {
			return describeEvent(e)
		}
	}
	return ""
}

func (l *life) terminated() bool { return l.end != nil && l.end.Kind == history.ExecutionTerminated }

func (l *life) String() string {
	if l.generation > 0 {
		return fmt.Sprintf("%s#%s.%d", l.instance, shortIncarnation(l.incarnation), l.generation)
	}
	return fmt.Sprintf("%s#%s", l.instance, shortIncarnation(l.incarnation))
}

func (l *life) operationID(e *history.Event) string {
	return store.OperationID(l.instance, l.incarnation, uint64(l.generation), e.Op, e.Epoch)
}

// last is the time of the newest segment.
func (l *life) last() time.Time { return l.segments[len(l.segments)-1].Time }

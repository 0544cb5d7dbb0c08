package worker

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/durable-lambda/durable-lambda/durable"
	"github.com/durable-lambda/durable-lambda/durable/history"
	"github.com/durable-lambda/durable-lambda/durable/store"
	"github.com/durable-lambda/durable-lambda/internal/replay"
)

// errStuck says that the code of a turn did not come back, and was given up.
var errStuck = errors.New("the orchestration's code is stuck: it waits for something that is no future, or computes for " +
	"seconds; the log shows where. Deploy code that does not, then resume")

// stuckReceives is how often messages are put back whose turn is stuck. A slow or crowded machine may be to blame at first;
// code that does not come back would be run for ever.
const stuckReceives = 3

// run delivers inputs to the code and commits what comes of it. messages are what is kept when the code cannot go on;
// without inputs, an unfinished turn is finished.
func (a *attempt) run(ctx context.Context, inputs, messages []history.Event) error {
	start := a.st.start
	if start == nil {
		start = &inputs[0]
	}
	handler, ok := a.w.orchestrations[start.Name][start.Version]
	if !ok {
		if !a.g.receivedOver(a.w.cfg.UnknownReceives) {
			return fmt.Errorf("orchestration %s is not registered yet", start.Name)
		}
		return a.suspend(ctx, a.w.unknown(start), messages)
	}
	if flags := a.st.engine &^ history.KnownEngine; flags != 0 {
		return a.suspend(ctx, fmt.Errorf("its history was written by a newer version of the engine, whose behaviour this one does not know (flags %#x): deploy that version, "+
			"or a newer one, then resume", flags), messages)
	}
	if err := a.bounds(inputs); err != nil {
		return a.suspend(ctx, err, messages)
	}
	if err := a.open(ctx, handler, inputs); err != nil {
		return err
	}
	t := &turn{attempt: a, messages: messages}
	t.seg.Time = a.now(inputs)
	if len(a.st.h.Segments) == 0 {
		t.seg.Name, t.seg.Version = start.Name, start.Version
	}
	err := t.run(ctx, inputs)
	if err == nil {
		err = a.drain(ctx)
	}
	if t.stuck {
		a.replay = nil // it can never be unwound
	}
	if errors.Is(err, errHandedOn) && t.unread {
		return errors.New("the end of a long turn is being committed first") // which alone says that the rest means nothing
	}
	return err
}

// open has the code ready: where it waits after all that the history has, or at the beginning, to be replayed.
func (a *attempt) open(ctx context.Context, h durable.Handler, inputs []history.Event) error {
	if err := a.hydrate(ctx, inputs); err != nil {
		return err
	}
	if a.replay != nil {
		if a.seen == len(a.st.h.Segments) {
			return nil
		}
		a.w.cfg.Watch(a.g.instance, a.replay.Close)
		a.replay = nil
	}
	for _, seg := range a.st.h.Segments {
		if err := a.hydrate(ctx, seg.Events); err != nil {
			return err
		}
	}
	a.replay = replay.Open(h.Run, a.st.h.Segments, replay.Options{
		Instance: a.g.instance, Incarnation: a.g.incarnation, Generation: a.st.h.Generation, Inputs: a.w.inputs, MaxPayload: a.w.store.MaxPayload(),
		Actions: a.w.cfg.TurnActions,
		Log:     a.w.log.With("instance", a.g.instance),
	})
	a.seen = -1
	return nil
}

// hydrate reads the payloads that the code is given. What it asked for, and what it returned, are not among them.
func (a *attempt) hydrate(ctx context.Context, events []history.Event) error {
	var reads []func()
	var errs []error
	for i := range events {
		e := &events[i]
		if !e.Kind.IsInput() || e.Data.Blob == "" || e.Data.Bytes != nil {
			continue
		}
		k := len(errs)
		errs = append(errs, nil)
		a.st.blobs += int(e.Data.Size)
		reads = append(reads, func() { errs[k] = a.w.store.Hydrate(ctx, &e.Data) })
	}
	if len(reads) > 0 {
		a.w.cfg.Execute(reads)
	}
	return errors.Join(errs...)
}

// alone makes sure, before steps run, that they do not run in a branch that has lost: a warm copy may be out of date.
func (a *attempt) alone(ctx context.Context) error {
	if a.head {
		return nil
	}
	behind, err := a.w.store.Next(ctx, a.st.h)
	if err == nil && behind {
		err = store.ErrConflict
	}
	a.head = err == nil
	return err
}

func (w *Worker) unknown(start *history.Event) error {
	if len(w.orchestrations[start.Name]) > 0 {
		return fmt.Errorf("version %d of orchestration %s is not registered in this build: deploy one that binds it, then resume", start.Version, start.Name)
	}
	return fmt.Errorf("orchestration %s is not registered in this build: deploy one that binds it, then resume", start.Name)
}

// suspend keeps the messages for a better deployment: a bug fails nothing, compensates nothing and loses nothing (rule 10).
func (a *attempt) suspend(ctx context.Context, why error, messages []history.Event) error {
	reason := why.Error()
	if len(reason) > history.MaxReason {
		reason = strings.ToValidUTF8(reason[:history.MaxReason], "")
	}
	suspended := history.Event{Kind: history.ExecutionSuspended, Reason: reason, Build: a.w.cfg.Build}
	var events []history.Event
	if len(messages) > 0 && (messages[0].Kind == history.ExecutionStarted || messages[0].Kind == history.GenerationStarted) {
		events, messages = append(events, messages[0]), messages[1:]
	}
	if i := slices.IndexFunc(messages, func(e history.Event) bool { return e.Kind == history.ExecutionTerminated }); i >= 0 {
		messages = messages[:i+1] // nothing follows an end
	}
	events = append(append(events, suspended), messages...)
	a.project = true // the reason may be a new one
	log := a.w.log.With("instance", a.g.instance)
	var panicked *replay.Panic
	if errors.As(why, &panicked) {
		log = log.With("stack", "\n"+panicked.Stack)
	}
	log.Error("an instance is suspended because of its code", "reason", reason)
	return a.keep(ctx, events)
}

// turn is one run of the code, and the segment that it fills.
type turn struct {
	*attempt
	messages  []history.Event
	seg       history.Segment
	committed bool // a segment of this turn, which holds the messages
	unread    bool // the code ends without some of the inputs
	beginning bool // what is committed says that steps begin, and nobody else may run them
	stuck     bool
}

func (t *turn) run(ctx context.Context, inputs []history.Event) error {
	d, err := t.deliver(inputs)
	if err != nil {
		return t.giveUp(ctx, err)
	}
	if d.Err == nil {
		t.seg.Events = append(slices.Grow(t.seg.Events, d.Consumed+len(d.Commands)), inputs[:d.Consumed]...)
		t.unread = d.Consumed < len(inputs)
		if d.Consumed > 0 && inputs[d.Consumed-1].Kind == history.ExecutionTerminated {
			d.Commands = nil // nobody wants what the code asked for just before, and nothing may follow this segment
		}
	}
	for d.Err == nil {
		t.seg.Events = append(t.seg.Events, d.Commands...)
		if len(d.Steps) == 0 {
			err := t.chunks(ctx, false)
			if err == nil {
				t.seen = len(t.st.h.Segments)
			}
			return err
		}
		if err := t.alone(ctx); err != nil {
			return err
		}
		if err := t.begin(ctx, d.Steps); err != nil {
			return err
		}
		steps, outcomes := d.Steps, t.steps(ctx, d.Steps)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if d, err = t.deliver(outcomes); err != nil {
			return t.giveUp(ctx, err)
		}
		t.seg.Events = append(t.seg.Events, outcomes[:d.Consumed]...) // the code may have ended before the others
		long := t.w.store.Now().Sub(t.seg.Time) > t.w.cfg.Checkpoint
		if d.Err == nil && (long || len(d.Steps) > 0 && slices.ContainsFunc(steps, checkpoint)) {
			if err := t.chunks(ctx, true); err != nil {
				return err
			}
		}
	}
	return t.suspend(ctx, d.Err, t.kept())
}

// kept are the messages that are not in the history yet.
func (t *turn) kept() []history.Event {
	if t.committed {
		return nil
	}
	return t.messages
}

// giveUp suspends an instance whose code is stuck again and again.
func (t *turn) giveUp(ctx context.Context, err error) error {
	if !t.g.receivedOver(stuckReceives) {
		return err
	}
	return t.suspend(ctx, err, t.kept())
}

// deliver runs the code, watched.
func (t *turn) deliver(inputs []history.Event) (d replay.Decision, err error) {
	var out replay.Decision
	if !t.w.cfg.Watch(t.g.instance, func() { out = t.replay.Deliver(inputs, t.seg.Time) }) {
		t.stuck = true
		return d, errStuck
	}
	return out, nil
}

// chunks commits what the turn has so far, in segments of bounded size, each sent before the next: what was consumed is
// all in the first. They have one time, because the code saw one. more says that the turn goes on after the last.
func (t *turn) chunks(ctx context.Context, more bool) error {
	events := t.seg.Events
	for {
		n := t.w.fit(events)
		seg := t.seg
		seg.Events, seg.More = events[:n:n], more || n < len(events)
		events = events[n:]
		if err := t.commit(ctx, &seg); err != nil {
			return err
		}
		t.committed = true
		t.seg = history.Segment{Time: t.seg.Time}
		if !seg.More || t.st.end != nil {
			return nil
		}
		if err := t.flush(ctx); err != nil {
			return err
		}
		if !t.beginning && t.w.cfg.NearDeadline(ctx) {
			return t.handOn(ctx)
		}
		if len(events) == 0 {
			t.seg.Time = t.now(nil)
			return nil
		}
	}
}

// fit returns how many of the events go into one segment: all messages, then as many others as the limits allow, and one
// at least.
func (w *Worker) fit(events []history.Event) int {
	count, size := 0, 0
	for i := range events {
		e := &events[i]
		size += e.Size()
		if e.Kind.IsInput() && e.Kind != history.StepCompleted && e.Kind != history.StepFailed {
			continue
		}
		if count++; i > 0 && (count > w.cfg.SegmentCommands || size > w.cfg.SegmentBytes) {
			return i
		}
	}
	return len(events)
}

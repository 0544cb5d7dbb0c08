package replay

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"unicode/utf8"

	"github.com/durable-lambda/durable-lambda/durable/history"
)

// Child is a sub-orchestration that is asked for.
type Child struct {
	Name    string
	Version uint32
	// ID of the instance; empty is one that is derived from the operation.
	ID    string
	Close history.Close
	// Wait has Finish wait for it, whatever becomes of the scope.
	Wait  bool
	Start *history.Start
	// Input is called when it is needed: not in a replay that does not check inputs.
	Input func() ([]byte, error)
}

// Child asks for a sub-orchestration, and returns the id that it has.
func (r *Run) Child(c Child) (*Promise, string, error) {
	op, err := r.ask(history.SubOrchestrationCreated, c.Name, func(e *history.Event) (err error) {
		id := c.ID
		if id == "" {
			id = r.childID(e.Op)
		}
		e.Version, e.Target, e.Close, e.Start = c.Version, &history.Target{Instance: id}, c.Close, c.Start
		e.Data.Bytes, err = c.Input()
		return err
	})
	if err != nil {
		return nil, c.ID, err
	}
	r.sameTarget(op, c.ID)
	if c.Wait {
		op.over = &Promise{done: op.promise.outcome != nil} // a rewind may have kept it
		r.last = append(r.last, op.over)
	}
	return &op.promise, op.event.Target.Instance, nil
}

// sameTarget checks that a recorded operation is for the instance that the code names.
func (r *Run) sameTarget(op *operation, id string) {
	if id == "" || op.event.Target.Instance == id {
		return
	}
	r.fail(&Mismatch{Recorded: op.event, Number: op.number, Source: source(),
		Asked: fmt.Sprintf("the code asked for it with instance %s instead of %s", id, op.event.Target.Instance)})
}

// Send asks for an event to be sent to another instance.
func (r *Run) Send(name, instance string, data func() ([]byte, error)) error {
	op, err := r.ask(history.EventSent, name, func(e *history.Event) (err error) {
		e.Target = &history.Target{Instance: instance}
		e.Data.Bytes, err = data()
		return err
	})
	if err == nil {
		r.sameTarget(op, instance)
	}
	return err
}

// childID is the id of a child that has none of its own: no other child of this life of the instance, nor of another one, gets it.
func (r *Run) childID(op string) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "child %q %q %d %s", r.opt.Instance, r.opt.Incarnation, r.opt.Generation, op))
	suffix := ":" + op + "-" + hex.EncodeToString(sum[:6])
	if len(suffix) > history.MaxInstanceID/2 { // coroutines in coroutines, dozens deep
		suffix = ":" + hex.EncodeToString(sum[:])
	}
	id := r.opt.Instance
	for utf8.RuneCountInString(id)+len(suffix) > history.MaxInstanceID {
		_, n := utf8.DecodeLastRuneInString(id)
		id = id[:len(id)-n]
	}
	return id + suffix
}

// Finish waits, when the code is about to return, for the children that must end before. Whoever a child's end has woken goes on
// first: with the code's return nobody does any more, and who was woken by the same input stands before or behind this coroutine
// by whether the history has that input already.
func (r *Run) Finish() {
	for len(r.last) > 0 {
		p := r.last[0]
		r.last = r.last[1:]
		if p.done {
			continue
		}
		r.Await(p)
		for len(r.ready) > 0 {
			r.pass()
		}
	}
}

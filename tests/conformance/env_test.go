package conformance

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/durable-lambda/durable-lambda/durable"
)

// env is what a script has: a hub, and ways to say what it expects of it.
type env struct {
	*testing.T
	ctx    context.Context
	mode   mode
	client durable.Client
	host   *host

	mu    sync.Mutex
	notes []string
}

// Contracts that scripts bind to what they need.
var (
	start  = durable.NewOrchestration[string, any]("Main")
	child  = durable.NewOrchestration[string, string]("Child")
	double = durable.NewActivity[int, int]("Double")
	work   = durable.NewActivity[string, string]("Work")
	answer = durable.NewEvent[string]("Answer")
)

const declined = durable.ErrorKind("Declined")

// body binds what the instance "main" runs.
func body(f func(ctx durable.Context, in string) (any, error)) durable.Handler { return start.Bind(f) }

func doubles() durable.Handler {
	return double.Bind(func(_ context.Context, n int) (int, error) { return 2 * n, nil })
}

// works binds Work to a body of the script's.
func works(f func(ctx context.Context, in string) (string, error)) durable.Handler {
	return work.Bind(f)
}

// echoes binds Work to a body that returns what it gets, and notes it.
func (e *env) echoes() durable.Handler {
	return works(func(_ context.Context, in string) (string, error) { e.note(in); return in, nil })
}

// note remembers that something happened.
func (e *env) note(what ...any) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.notes = append(e.notes, fmt.Sprint(what...))
}

// noted is how often what happened; without an argument, how much did.
func (e *env) noted(what ...string) (n int) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, s := range e.notes {
		if len(what) == 0 || s == what[0] {
			n++
		}
	}
	return n
}

// happened fails unless what was noted is this, in this order. After crashes it may have happened several times.
func (e *env) happened(want ...string) {
	e.Helper()
	e.mu.Lock()
	defer e.mu.Unlock()
	got := e.notes
	if e.mode == crash {
		got = firsts(got)
	}
	if fmt.Sprintf("%q", got) != fmt.Sprintf("%q", want) {
		e.Errorf("what happened is %q, want %q", got, want)
	}
}

// firsts leaves out what was there before.
func firsts(all []string) (out []string) {
	seen := map[string]bool{}
	for _, s := range all {
		if !seen[s] {
			out = append(out, s)
		}
		seen[s] = true
	}
	return out
}

// deploy has the hub run these handlers.
func (e *env) deploy(handlers ...durable.Handler) { e.Helper(); e.build("build 1", handlers...) }

// build is deploy with the build's name: another one may run what an earlier one could not.
func (e *env) build(name string, handlers ...durable.Handler) {
	e.Helper()
	e.host.build, e.host.handlers = name, handlers
	e.host.spawn()
}

// start starts the instance "main" and lets happen what can.
func (e *env) start(in string, opts ...durable.StartOption) {
	e.Helper()
	e.begin(in, opts...)
	e.settle()
}

// begin starts the instance "main", and nothing happens yet.
func (e *env) begin(in string, opts ...durable.StartOption) {
	e.Helper()
	_, err := start.Submit(e.ctx, e.client, in, append([]durable.StartOption{durable.ID("main")}, opts...)...)
	e.must(err)
}

func (e *env) settle()                 { e.Helper(); e.host.settle() }
func (e *env) advance(d time.Duration) { e.Helper(); e.host.advance(d) }

// skip moves the clock, and nothing happens yet.
func (e *env) skip(d time.Duration) {
	e.Helper()
	if e.host.clock.real {
		time.Sleep(d)
		return
	}
	e.host.clock.set(e.host.clock.Now().Add(d))
}

// tell raises Answer in the instance "main".
func (e *env) tell(all ...string) {
	e.Helper()
	for _, v := range all {
		e.must(answer.Raise(e.ctx, e.client, "main", v))
	}
}

func (e *env) manage(c durable.Command, reason string) error {
	return e.client.Manage(e.ctx, durable.ManageRequest{Instance: "main", Command: c, Reason: reason})
}

func (e *env) terminate(reason string) {
	e.Helper()
	e.must(e.manage(durable.Terminate, reason))
	e.settle()
}

func (e *env) suspend(reason string) {
	e.Helper()
	e.must(e.manage(durable.Suspend, reason))
	e.settle()
}

func (e *env) resume() { e.Helper(); e.must(e.manage(durable.Resume, "go on")); e.settle() }

func (e *env) must(err error) {
	e.Helper()
	if err != nil {
		e.Fatal(err)
	}
}

// refuses fails unless err wraps want.
func (e *env) refuses(err, want error) {
	e.Helper()
	if !errors.Is(err, want) {
		e.Errorf("the error is %v, want %v", err, want)
	}
}

// is reads an instance, and fails unless it has that status.
func (e *env) is(id string, want durable.Status) durable.Instance {
	e.Helper()
	in, err := e.client.Get(e.ctx, id)
	e.must(err)
	if in.Status != want {
		e.Fatalf("%s is %s, want %s; output %.300s; suspended because of %.300s", id, in.Status, want, in.Output, in.SuspendReason)
	}
	return in
}

func (e *env) runs() durable.Instance { e.Helper(); return e.is("main", durable.Running) }

// gives fails unless the instance "main" has completed with that output.
func (e *env) gives(want any) { e.Helper(); e.completes("main", want) }

func (e *env) completes(id string, want any) {
	e.Helper()
	in := e.is(id, durable.Completed)
	e.json("output", in.Output, want)
}

// json fails unless got is the JSON of want.
func (e *env) json(what string, got json.RawMessage, want any) {
	e.Helper()
	b, err := json.Marshal(want)
	e.must(err)
	if string(got) != string(b) {
		e.Errorf("the %s is %.500s, want %.500s", what, got, b)
	}
}

// fails fails unless the instance "main" has failed, with that in its error's text.
func (e *env) fails(text string) durable.Instance {
	e.Helper()
	in := e.is("main", durable.Failed)
	if in.Failure == nil || !strings.Contains(in.Failure.Message, text) {
		e.Errorf("the failure is %+v, want one with %q", in.Failure, text)
	}
	return in
}

// stops fails unless the instance "main" was suspended by itself, with that in the reason.
func (e *env) stops(text string) {
	e.Helper()
	if in := e.is("main", durable.Suspended); !strings.Contains(in.SuspendReason, text) {
		e.Errorf("it is suspended because of %q, want something with %q", in.SuspendReason, text)
	}
}

// list returns the ids that the query finds, page by page.
func (e *env) list(q durable.Query) (ids []string) {
	e.Helper()
	for range 100 {
		page, err := e.client.List(e.ctx, q)
		e.must(err)
		for _, in := range page.Instances {
			ids = append(ids, in.ID)
		}
		if q.Continue = page.Continue; q.Continue == "" {
			return ids
		}
	}
	e.Fatal("there is always another page")
	return nil
}

// kinds returns the kinds of the events of an instance's history.
func (e *env) kinds(id string) (kinds []string) {
	e.Helper()
	all, err := e.client.History(e.ctx, id)
	e.must(err)
	for _, ev := range all {
		kinds = append(kinds, ev.Kind.String())
	}
	return kinds
}

// equal fails unless got and want print the same.
func (e *env) equal(what string, got, want any) {
	e.Helper()
	if g, w := fmt.Sprintf("%v", got), fmt.Sprintf("%v", want); g != w {
		e.Errorf("%s: got %.500s, want %.500s", what, g, w)
	}
}

// play has a script say whether a host keeps its sentence.
func play(t *testing.T, s sentence, h *host) {
	t.Helper()
	e := &env{T: t, ctx: t.Context(), mode: h.mode, client: h.client, host: h}
	s.script(e)
	if h.mode == crash && h.crashes.count == 0 && h.handled > 0 {
		t.Error("no worker has died: the mode shows nothing")
	}
}

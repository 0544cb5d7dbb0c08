package contract

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"
)

// Case is a sentence of the contract.
type Case struct {
	name string
	// of is the state that an instance is in before the calls: {id} is its id. The calls may change it where own is set; if not, other
	// cases use it too.
	of  state
	own bool
	// calls are made one after the other. {id} is the id of the instance, {new} one that nobody has, and {word} what ids of this case begin
	// with; {last} is the id that the answer before gave.
	calls []call
	// direct says that it can only be seen where no gateway is between.
	direct bool
}

type call struct {
	method, path, body string
	// base is what the path is below, where it is not the base path.
	base   string
	header [2]string
	want   int
	holds  []check
	// until has the call made again until it is answered so: what happens in the hub has no other signal to the outside.
	until bool
}

// answer is what came back, and what is known of the case.
type answer struct {
	*http.Response
	body []byte
	run  *run
	vars *strings.Replacer
	id   string // {id}
}

// check says what is wrong with an answer.
type check func(answer) error

// run is a run of the table against a target.
type run struct {
	Target
	ctx    context.Context
	word   string
	shared map[state]*instance
}

func (r *run) play(t *testing.T, c Case, word string) {
	in := &instance{}
	switch {
	case c.of == "":
	case c.own:
		in = &instance{id: word + "i", state: c.of}
		in.make(t, r)
	default:
		in = r.shared[c.of]
		in.once.Do(func() { in.make(t, r) })
		if !in.there {
			t.Fatalf("the %s instance that cases share could not be made", c.of)
		}
	}
	last := ""
	for _, step := range c.calls {
		vars := strings.NewReplacer("{id}", in.id, "{new}", word+"new", "{word}", word, "{last}", last)
		a, err := r.ask(step, vars, in.id)
		if err != nil {
			t.Fatalf("%s %s: %v", step.method, vars.Replace(step.path), err)
		}
		var started struct{ ID string }
		if a.read(&started) == nil && started.ID != "" {
			last = started.ID
		}
	}
}

// ask makes a call, again and again where that is asked for, until its answer is as it should be.
func (r *run) ask(step call, vars *strings.Replacer, id string) (a answer, err error) {
	for deadline := time.Now().Add(r.Patience); ; time.Sleep(r.Pause) {
		if a, err = r.send(step, vars); err != nil {
			return a, err
		}
		a.id = id
		if err = a.wellFormed(); err != nil {
			return a, err // which no waiting mends
		}
		// A deployment in a crowded emulator may need more than the time that a start waits; then the answer is 202, as it should be.
		ranOut := r.Gateway && strings.Contains(step.path, "timeout=20") && a.StatusCode == http.StatusAccepted
		if err = a.is(step); err == nil || !step.until && !ranOut || time.Now().After(deadline) {
			return a, err
		}
	}
}

func (r *run) send(step call, vars *strings.Replacer) (answer, error) {
	if step.base == "" {
		step.base = base
	}
	req, err := http.NewRequestWithContext(r.ctx, step.method, r.URL+step.base+vars.Replace(step.path), strings.NewReader(vars.Replace(step.body)))
	if err != nil {
		return answer{}, err
	}
	if step.body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	if step.header[0] != "" {
		req.Header.Set(step.header[0], vars.Replace(step.header[1]))
	}
	return r.do(req, vars)
}

func (r *run) do(req *http.Request, vars *strings.Replacer) (answer, error) {
	resp, err := r.Client.Do(req)
	if err != nil {
		return answer{}, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	return answer{Response: resp, body: bytes.TrimSpace(body), run: r, vars: vars}, err
}

// is reports how the answer differs from what the call wants.
func (a answer) is(step call) error {
	if a.StatusCode != step.want {
		return fmt.Errorf("it is answered with %d, want %d: %s", a.StatusCode, step.want, a.body)
	}
	for _, holds := range step.holds {
		if err := holds(a); err != nil {
			return fmt.Errorf("%d %s: %w", a.StatusCode, a.body, err)
		}
	}
	return nil
}

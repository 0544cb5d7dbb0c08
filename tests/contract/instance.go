package contract

import (
	"net/http"
	"strings"
	"sync"
	"testing"
)

// state is a status that an instance is brought into before a case.
type state string

const (
	running    state = "Running"
	completed  state = "Completed"
	failed     state = "Failed"
	suspended  state = "Suspended"
	terminated state = "Terminated"
)

type instance struct {
	id    string
	state state
	once  sync.Once
	there bool
}

// What is started: a chain of one activity, which returns 1; a chain without a load, which fails of it; and a nap of an hour. Text that is
// empty is no input, as the Node client has it, and passes the door.
const (
	chain = "/orchestrators/Chain"
	nap   = "/orchestrators/Nap"
	one   = `{"activities": 1}`
	none  = `""`
	hour  = `{"millis": 3600000}`
)

// make starts the instance and brings it into its state.
func (in *instance) make(t *testing.T, r *run) {
	t.Helper()
	calls := []call{{method: "POST", path: nap + "/{id}", body: hour, want: 202}}
	switch in.state {
	case completed:
		calls = []call{{method: "POST", path: chain + "/{id}", body: one, want: 202}}
	case failed:
		calls = []call{{method: "POST", path: chain + "/{id}", body: none, want: 202}}
	case suspended:
		calls = append(calls, call{method: "POST", path: "/instances/{id}/suspend", want: 202})
	case terminated:
		calls = append(calls, call{method: "POST", path: "/instances/{id}/terminate?reason=enough", want: 202})
	}
	calls = append(calls, becomes(in.state))
	for _, step := range calls {
		if _, err := r.ask(step, strings.NewReplacer("{id}", in.id), in.id); err != nil {
			t.Fatalf("making an instance that is %s: %s %s: %v", in.state, step.method, step.path, err)
		}
	}
	in.there = true
}

// becomes waits until the instance is that.
func becomes(s state) call {
	step := get(http.StatusOK, "{id}", status(s))
	if s == running || s == suspended {
		step.want = http.StatusAccepted
	}
	step.until = true
	return step
}

// get reads the status of an instance.
func get(want int, id string, holds ...check) call {
	return call{method: "GET", path: "/instances/" + id, want: want, holds: holds}
}

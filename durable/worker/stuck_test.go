package worker_test

import (
	"strings"
	"testing"

	"github.com/durable-lambda/durable-lambda/durable"
	"github.com/durable-lambda/durable-lambda/durable/worker"
)

func TestStuckCodeIsPutBackAndThenSuspended(t *testing.T) {
	t.Parallel()
	stuck := true
	h := newHub(t, worker.Config{Watch: func(_ string, run func()) bool {
		if stuck {
			return false
		}
		run()
		return true
	}}, greet.Bind(greetBody), hello.Bind(plain))
	h.submit("a")
	start := h.take(h.ports.Wake)
	for start[0].Receives = 1; start[0].Receives <= 3; start[0].Receives++ {
		if o := h.Wake(t.Context(), start)[0]; o.Ack || o.Foreign || o.Retry <= 0 {
			t.Fatalf("received %d times: got %+v, want it put back", start[0].Receives, o)
		}
		h.is("a", durable.Pending)
	}
	h.done(h.Wake(t.Context(), start))
	if in := h.is("a", durable.Suspended); !strings.Contains(in.SuspendReason, "stuck") {
		t.Errorf("the reason is %q", in.SuspendReason)
	}
	stuck = false
	h.deploy("build 2", greet.Bind(greetBody), hello.Bind(plain))
	h.raise("a")
	h.settle()
	h.is("a", durable.Completed)
}

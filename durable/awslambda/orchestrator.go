package awslambda

import (
	"context"
	"encoding/json"
	"errors"
	"os"

	"github.com/durable-lambda/durable-lambda/durable"
	"github.com/durable-lambda/durable-lambda/durable/worker"
	"github.com/durable-lambda/durable-lambda/internal/shell"
)

// unknownReceives is how often messages of an orchestration are put back that this build does not have: functions of one
// deployment are updated one after the other.
const unknownReceives = 10

// Orchestrator runs the turns of these orchestrations, in the function that receives from the inbox and the wake queue, and
// sweeps when its schedule says so. It does not return.
func Orchestrator(handlers ...durable.Handler) { Config{}.Orchestrator(handlers...) }

// Orchestrator is the function of that name, with the hub's codec.
func (c Config) Orchestrator(handlers ...durable.Handler) {
	c.start(func(h *hub) (handler, error) {
		o, err := newOrchestrator(h, handlers)
		if err != nil {
			return nil, err
		}
		return o.handle, nil
	})
}

// errStuck is why a process ends whose batch is settled.
var errStuck = errors.New("awslambda: this process ends, because code of an orchestration is stuck in it")

type orchestrator struct {
	*hub
	worker *worker.Worker
	// stuck: code that does not come back is on a goroutine of this process.
	stuck bool
	exit  func(code int)
}

// warmBytes is what instances may use that wait in this process for their next message: an eighth of the memory that the
// template gives the function.
const warmBytes = 32 << 20

func newOrchestrator(h *hub, handlers []durable.Handler) (*orchestrator, error) {
	o := &orchestrator{hub: h, exit: os.Exit}
	limit, err := inFlight()
	if err != nil {
		return nil, err
	}
	bytes, err := historyBytes()
	if err != nil {
		return nil, err
	}
	spin, err := spinTurns()
	if err != nil {
		return nil, err
	}
	watch := shell.Watch(h.Log, shell.StuckAfter)
	w, err := worker.New(worker.Config{Store: h.store, Handlers: handlers, Log: h.Log, Build: buildID(),
		UnknownReceives: unknownReceives, Execute: shell.Parallel, Warm: warmBytes, InFlight: limit, HistoryBytes: bytes, SpinTurns: spin, Notifies: notifies(),
		Watch: func(instance string, run func()) bool {
			back := watch(instance, run)
			o.stuck = o.stuck || !back
			return back
		}})
	o.worker = w
	return o, err
}

func (o *orchestrator) handle(ctx context.Context, event json.RawMessage) (any, error) {
	e, err := open(event)
	switch {
	case err != nil:
		return nil, err
	case e.isBatch():
		return o.batch(ctx, e)
	case e.isTick():
		return struct{}{}, o.sweep(ctx)
	}
	return nil, errors.New("awslambda: the event is neither a batch of SQS nor a schedule: look at the orchestrator's triggers")
}

// batch handles messages of the inbox, which is the queue that keeps order, or of the wake queue.
func (o *orchestrator) batch(ctx context.Context, e envelope) (any, error) {
	q := o.store.Backend().Wake
	if e.ordered() {
		q = o.store.Backend().Inbox
	}
	b := newBatch(ctx, q, e.Records, o.Log)
	if e.ordered() {
		b.outcomes = o.worker.Inbox(ctx, b.deliveries)
	} else {
		b.outcomes = o.worker.Wake(ctx, b.deliveries)
	}
	if o.stuck {
		b.settle(ctx)
		o.exit(1)
		return nil, errStuck
	}
	return b.answer(ctx), nil
}

package awslambda

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
)

// settleWithin is how long before Lambda's deadline the context ends: the time to put back what is unfinished.
const settleWithin = time.Second

// settling is a context for what is put back: it goes on when the event's has ended, and leaves time to answer.
func settling(ctx context.Context) (context.Context, context.CancelFunc) {
	end, ok := ctx.Deadline()
	ctx = context.WithoutCancel(ctx)
	if !ok {
		return ctx, func() {}
	}
	return context.WithDeadline(ctx, end.Add(settleWithin*3/4))
}

// handler handles one event, and returns what Lambda is to be told.
type handler func(ctx context.Context, event json.RawMessage) (any, error)

// start makes a function's handler and serves events with it until the process ends.
func (c Config) start(build func(*hub) (handler, error)) {
	log, tag := newLog()
	term, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	h, err := c.openHub(term, log)
	if err == nil {
		var handle handler
		if handle, err = build(h); err == nil {
			f := &function{handle: handle, term: term, tag: tag, log: log, meter: h.meter}
			context.AfterFunc(term, f.end)
			lambda.Start(f)
		}
	}
	if err != nil {
		log.Error("the function cannot start: " + err.Error())
	}
	os.Exit(1)
}

// function is what Lambda invokes, with one event at a time.
type function struct {
	handle handler
	term   context.Context // ends on SIGTERM
	tag    func(context.Context)
	log    *slog.Logger
	meter  *meter
	busy   sync.Mutex
}

var _ lambda.Handler = (*function)(nil)

// Invoke handles one event. Its context ends early enough to settle.
func (f *function) Invoke(ctx context.Context, event []byte) ([]byte, error) {
	f.busy.Lock()
	defer f.busy.Unlock()
	f.tag(ctx)
	if deadline, ok := ctx.Deadline(); ok {
		var cancel context.CancelFunc
		ctx, cancel = context.WithDeadline(ctx, deadline.Add(-settleWithin))
		defer cancel()
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(f.term, cancel)()
	if f.meter != nil {
		defer f.meter.report(f.log)
	}
	answer, err := f.handle(ctx, event)
	if err != nil {
		f.log.Error("an event was not handled", "error", err)
		return nil, err
	}
	out, err := json.Marshal(answer)
	if err != nil {
		return nil, fmt.Errorf("awslambda: encode the answer: %w", err)
	}
	return out, nil
}

// end ends the process once no event is being handled: what was put back is done by somebody else.
func (f *function) end() {
	f.busy.Lock()
	os.Exit(0)
}

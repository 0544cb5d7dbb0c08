package awslambda

import (
	"context"
	"log/slog"
	"sync/atomic"

	"github.com/aws/aws-lambda-go/lambdacontext"
)

// newLog returns the function's log, in the form and above the level that Lambda is configured for, and what tells it which
// invocation its lines belong to: those that log know nothing of invocations.
func newLog() (*slog.Logger, func(context.Context)) { return newLogOn(lambdacontext.NewLogHandler()) }

func newLogOn(h slog.Handler) (*slog.Logger, func(context.Context)) {
	current := new(atomic.Pointer[context.Context])
	return slog.New(tagged{h, current}), func(ctx context.Context) { current.Store(&ctx) }
}

type tagged struct {
	slog.Handler
	current *atomic.Pointer[context.Context]
}

func (t tagged) Handle(ctx context.Context, r slog.Record) error {
	if now := t.current.Load(); now != nil {
		ctx = *now
	}
	return t.Handler.Handle(ctx, r)
}

func (t tagged) WithAttrs(attrs []slog.Attr) slog.Handler {
	return tagged{t.Handler.WithAttrs(attrs), t.current}
}

func (t tagged) WithGroup(name string) slog.Handler {
	return tagged{t.Handler.WithGroup(name), t.current}
}

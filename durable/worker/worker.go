package worker

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"time"

	"github.com/durable-lambda/durable-lambda/durable"
	"github.com/durable-lambda/durable-lambda/durable/history"
	"github.com/durable-lambda/durable-lambda/durable/store"
	"github.com/durable-lambda/durable-lambda/internal/code"
	"github.com/durable-lambda/durable-lambda/internal/replay"
)

// Config of a worker. Store and Handlers are needed.
type Config struct {
	Store    *store.Store
	Handlers []durable.Handler
	// Log gets what people should know; nil discards.
	Log *slog.Logger
	// Build names the deployment. An instance that was suspended because of its code is tried again by another build.
	Build string
	// StrictInputs makes it a mismatch, not a warning, when the code hands an operation another input than before. For tests.
	StrictInputs bool
	// UnknownReceives is how often messages of an orchestration that nobody has registered are put back before the
	// instance is suspended: deployments update functions in no particular order.
	UnknownReceives int
	// Execute runs the inline steps of one turn, or reads its payloads, and returns when all are done; without it they run one
	// after another.
	Execute func(all []func())
	// Watch runs a piece of an orchestration's code, and reports false when it gave up waiting for it. Without it nobody
	// watches.
	Watch func(instance string, run func()) bool
	// NearDeadline reports whether a long turn should be handed on; without it, when ctx ends within 10 seconds.
	NearDeadline func(context.Context) bool
	// Checkpoint is how long inline steps of one turn may run before what they did is committed; 1 second without it.
	Checkpoint time.Duration
	// Within is the context of an activity's attempt, which ends after d with that cause; context.WithTimeoutCause without it.
	Within func(ctx context.Context, d time.Duration, cause error) (context.Context, context.CancelFunc)
	// After calls f when d has passed, unless it is stopped before; time.AfterFunc without it.
	After func(d time.Duration, f func()) (stop func() bool)
	// Longest is how long an attempt of an activity can take where this worker runs; 0 is any time.
	Longest time.Duration
	// HTTP makes the requests of durable.HTTP, with a bearer token unless that is empty: web.Do. Without it the worker has no such activity.
	HTTP func(ctx context.Context, req durable.HTTPRequest, token string) (durable.HTTPResponse, error)
	// Notify tells somebody outside what has become of an instance. Each change is told at least once, in no order, and again until Notify
	// returns nil or a day has passed. Activity calls it, from many goroutines. Notifies says that changes are told, for a worker of orchestrations
	// where others run the activities; with Notify it need not be set.
	Notify   func(context.Context, Notification) error
	Notifies bool
	// Jitter returns a number in [0, 1); math/rand without it.
	Jitter func() float64
	// SegmentCommands and SegmentBytes bound one segment; history's limits without them. Tests lower them.
	SegmentCommands, SegmentBytes int
	// InFlight is how many activities of one instance may be under way at once; history.MaxInFlight without it.
	InFlight int
	// TurnActions is how much the code of an instance may ask for in one turn; history.TurnActions without it. An instance whose
	// code asks for more is suspended, as is one that exceeds the next three, before its code runs again.
	TurnActions int
	// HistoryEvents and HistoryBytes are how long the history of one generation may be; history's limits without them. There is a
	// warning in the log at half of that.
	HistoryEvents, HistoryBytes int
	// SpinTurns is how many turns within a minute an instance may have that nothing has caused but itself: timers under a second, and
	// continuing as new. 0 is any number.
	SpinTurns int
	// Warm is how many bytes the worker may spend on instances that it keeps where they wait, so that their next turn needs
	// neither a load nor a replay. Their deferred functions run when they are given up, not at the end of each turn. 0: none.
	Warm int64
	// WarmAge is how long an instance is kept at most; 10 minutes without it.
	WarmAge time.Duration
}

// Worker handles messages. It is safe for concurrent use.
type Worker struct {
	cfg            Config
	store          *store.Store
	log            *slog.Logger
	orchestrations map[string]map[uint32]durable.Handler
	activities     map[string]durable.Handler
	tokens         map[string]func(context.Context) (string, error)
	inputs         replay.Check
	warm           warm
}

// New returns a worker. It refuses handlers that are registered twice.
func New(cfg Config) (*Worker, error) {
	w := &Worker{cfg: cfg, store: cfg.Store, log: cfg.Log, inputs: replay.CheckWarn,
		orchestrations: map[string]map[uint32]durable.Handler{}, activities: map[string]durable.Handler{},
		tokens: map[string]func(context.Context) (string, error){}}
	if w.log == nil {
		w.log = slog.New(slog.NewTextHandler(io.Discard, nil))
	}
	if cfg.StrictInputs {
		w.inputs = replay.CheckStrict
	}
	w.defaults()
	for _, h := range cfg.Handlers {
		if err := w.register(h); err != nil {
			return nil, err
		}
	}
	if h := durable.BindHTTP(w.http); w.cfg.HTTP != nil && w.activities[h.Name].Do == nil {
		w.activities[h.Name] = h
	}
	return w, nil
}

func (w *Worker) defaults() {
	if w.cfg.Execute == nil {
		w.cfg.Execute = func(steps []func()) {
			for _, s := range steps {
				s()
			}
		}
	}
	if w.cfg.Watch == nil {
		w.cfg.Watch = func(_ string, run func()) bool { run(); return true }
	}
	if w.cfg.NearDeadline == nil {
		w.cfg.NearDeadline = func(ctx context.Context) bool {
			end, ok := ctx.Deadline()
			return ok && end.Sub(w.store.Now()) < 10*time.Second
		}
	}
	if w.cfg.Checkpoint <= 0 {
		w.cfg.Checkpoint = time.Second
	}
	if w.cfg.SegmentCommands <= 0 {
		w.cfg.SegmentCommands = history.SegmentCommands
	}
	if w.cfg.SegmentBytes <= 0 {
		w.cfg.SegmentBytes = history.SegmentBytes
	}
	if w.cfg.InFlight <= 0 {
		w.cfg.InFlight = history.MaxInFlight
	}
	if w.cfg.TurnActions <= 0 {
		w.cfg.TurnActions = history.TurnActions
	}
	if w.cfg.HistoryEvents <= 0 {
		w.cfg.HistoryEvents = history.HistoryEvents
	}
	if w.cfg.HistoryBytes <= 0 {
		w.cfg.HistoryBytes = history.HistoryBytes
	}
	w.cfg.Notifies = w.cfg.Notifies || w.cfg.Notify != nil
	if w.cfg.WarmAge <= 0 {
		w.cfg.WarmAge = 10 * time.Minute
	}
	if w.cfg.Within == nil {
		w.cfg.Within = context.WithTimeoutCause
	}
	if w.cfg.After == nil {
		w.cfg.After = func(d time.Duration, f func()) func() bool { return time.AfterFunc(d, f).Stop }
	}
	if w.cfg.Jitter == nil {
		w.cfg.Jitter = rand.Float64
	}
}

func (w *Worker) register(h durable.Handler) error {
	switch h.Kind {
	case code.Activity:
		if _, twice := w.activities[h.Name]; twice {
			return fmt.Errorf("worker: activity %s is bound twice", h.Name)
		}
		if f := w.tooLong(h.Name, h.Policy); f != nil {
			return errors.New("worker: " + f.Message)
		}
		w.activities[h.Name] = h
	case code.Orchestration:
		if w.orchestrations[h.Name] == nil {
			w.orchestrations[h.Name] = map[uint32]durable.Handler{}
		}
		if _, twice := w.orchestrations[h.Name][h.Version]; twice {
			return fmt.Errorf("worker: version %d of orchestration %s is bound twice", h.Version, h.Name)
		}
		w.orchestrations[h.Name][h.Version] = h
	case code.Token:
		if _, twice := w.tokens[h.Name]; twice {
			return fmt.Errorf("worker: HTTP token %s is bound twice", h.Name)
		}
		w.tokens[h.Name] = h.Token
	default:
		return errors.New("worker: a handler that no Bind has made")
	}
	return nil
}

// Outcome says what is to become of one delivery.
type Outcome struct {
	// Ack: it is done, and can be removed.
	Ack bool
	// Retry is, without Ack, when it should be delivered again.
	Retry time.Duration
	// Foreign: it is no message of ours, and no retry will help. It belongs into a dead-letter queue.
	Foreign bool
	// Err is why it was not done.
	Err error
}

// again is the outcome of what failed for a reason that may pass.
func (w *Worker) again(err error) Outcome {
	return Outcome{Err: err, Retry: time.Second + time.Duration(w.cfg.Jitter()*float64(4*time.Second))}
}

// Sweep sends what is due soon; shells call it every minute.
func (w *Worker) Sweep(ctx context.Context) (int, error) { return w.store.Sweep(ctx) }

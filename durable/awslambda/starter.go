package awslambda

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"runtime/debug"
	"strings"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"github.com/durable-lambda/durable-lambda/durable/access"
	"github.com/durable-lambda/durable-lambda/durable/api"
	"github.com/durable-lambda/durable-lambda/durable/worker"
)

// maxWait is how long a request may wait for an instance: API Gateway gives up after 29 seconds.
const maxWait = 25 * time.Second

// Routes is what an application has the starter's function do. Every part may be left out.
type Routes struct {
	// Definitions are the orchestrations that the management API may start; without them, any.
	Definitions []api.Definition
	// HTTP adds the application's own routes beside the management API. They may answer as it does.
	HTTP func(*http.ServeMux, *api.API)
	// Message handles a message of the queues that trigger the function. After an error it is delivered again, each time that
	// the queue's visibility time-out has passed, until the queue's redrive policy moves it to the dead-letter queue; after one that is
	// rejected, see Reject, it goes to the queue of such messages at once.
	Message func(context.Context, Message) error
	// Schedule handles a tick of the rules that trigger the function. After an error Lambda delivers the same tick again,
	// twice, and then puts it where the function's failures go; and a rule may deliver one twice. One that is rejected is in the log, and not delivered again.
	Schedule func(context.Context, Tick) error
}

// Tick is one firing of a rule with a schedule.
type Tick struct {
	// Rule is the rule's name, Time when it fired, in whole seconds.
	Rule string
	Time time.Time
	// Detail is JSON that the rule says in the detail of its event: a target's input transformer puts it there. {} is none.
	Detail json.RawMessage
}

// ID names the tick in at most 57 letters, digits and - _ . and the same each time that it is delivered: what is started
// under it is started once. Of a long rule name it has the end, where CloudFormation puts what tells names apart.
func (t Tick) ID() string {
	return t.Rule[max(0, len(t.Rule)-maxRule):] + "-" + t.Time.UTC().Format("20060102T150405Z")
}

const maxRule = 40

// Starter serves the management API and an application's routes, in the function that API Gateway, queues of the
// application's and schedules trigger. It does not return.
func Starter(routes func(Services) (Routes, error)) { Config{}.Starter(routes) }

// Starter is the function of that name, with the hub's codec.
func (c Config) Starter(routes func(Services) (Routes, error)) {
	c.start(func(h *hub) (handler, error) {
		r, err := routes(h.Services)
		if err != nil {
			return nil, err
		}
		s, err := newStarter(h, r, os.Getenv(EnvHub), os.Getenv(EnvPublicURL))
		if err != nil {
			return nil, err
		}
		return s.handle, nil
	})
}

type starter struct {
	*hub
	routes Routes
	http   http.Handler
	// reject puts a message away that can never be handled; nil when there is nowhere to put it.
	reject func(context.Context, Message, error) error
}

func newStarter(h *hub, r Routes, name, publicURL string) (*starter, error) {
	if name == "" {
		return nil, fmt.Errorf("%s is not set: set it to the task hub's name, such as that of the stack", EnvHub)
	}
	// Clients replace the hub's name in links, as text.
	if public := "https://x.execute-api." + h.AWS.Region + ".amazonaws.com/v1"; publicURL == "" && strings.Contains(public, name) {
		return nil, fmt.Errorf("%s is %q, which occurs in the API's own address: choose another name, or set %s", EnvHub, name, EnvPublicURL)
	}
	cfg := api.Config{Client: h.Client, Hub: name, PublicURL: publicURL, Definitions: r.Definitions, MaxWait: maxWait, Audit: h.Log,
		Origins: strings.FieldsFunc(os.Getenv(EnvOrigins), func(c rune) bool { return c == ',' || c == ' ' })}
	switch mode := os.Getenv(EnvAccess); mode {
	case "":
	case "keys":
		cfg.Callers = access.NewKeys(access.Stored{Table: h.Table}.Read)
	default:
		return nil, fmt.Errorf("%s is %q: it must be keys, or empty where the gateway decides who is let in", EnvAccess, mode)
	}
	management, err := api.New(cfg)
	if err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	if r.HTTP != nil {
		r.HTTP(mux, management)
	}
	served := management.With(management.Guard(access.Operate, mux))
	switch signed, err := h.openLinks(); {
	case err != nil:
		return nil, err
	case signed != nil:
		served = signed.Before(served)
	}
	return &starter{hub: h, routes: r, http: served,
		reject: rejectTo(h.AWS, os.Getenv(EnvRejected))}, nil
}

func (s *starter) handle(ctx context.Context, event json.RawMessage) (any, error) {
	e, err := open(event)
	switch {
	case err != nil:
		return nil, err
	case e.isBatch():
		return s.batch(ctx, e)
	case e.isTick():
		return struct{}{}, s.tick(ctx, e)
	}
	answer, err := serveHTTP(ctx, s.http, event, s.Log)
	if err != nil {
		return nil, fmt.Errorf("awslambda: the event is no batch of SQS, no schedule, and no HTTP request either: %w; look at the starter's triggers", err)
	}
	return answer, nil
}

// batch handles messages one after the other. Where order is kept, what follows one that failed in its group waits for it.
func (s *starter) batch(ctx context.Context, e envelope) (any, error) {
	if s.routes.Message == nil {
		return nil, errors.New("awslambda: a queue triggers this function, and Routes.Message is not set")
	}
	b := newBatch(ctx, nil, e.Records, s.Log)
	failed := map[string]bool{}
	for i, r := range e.Records {
		d := b.deliveries[i]
		if failed[d.Group] && e.ordered() {
			continue
		}
		err := s.message(ctx, messageOf(r))
		if err != nil {
			failed[d.Group] = true
			s.Log.Error("a message was not handled; it is delivered again, or goes to the dead-letter queue", "message", r.MessageId,
				"receives", d.Receives, "error", err)
		}
		b.outcomes[i] = worker.Outcome{Ack: err == nil, Err: err}
	}
	return events.SQSEventResponse{BatchItemFailures: b.failures()}, nil
}

// message handles one. When it can never be handled, and has been put away, that is no error.
func (s *starter) message(ctx context.Context, m Message) error {
	err := s.attempt(ctx, m)
	if err == nil || !isRejected(err) || s.reject == nil {
		return err
	}
	if failed := s.reject(ctx, m, err); failed != nil {
		return errors.Join(err, failed)
	}
	s.Log.Warn("a message was rejected", "message", m.ID, "reason", err)
	return nil
}

// attempt has the application handle a message. A panic must not end the process: the other messages of the batch would be delivered too often
// with the one that it is about, and become dead letters.
func (s *starter) attempt(ctx context.Context, m Message) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("the handler of messages panicked: %v\n%s", p, debug.Stack())
		}
	}()
	return s.routes.Message(ctx, m)
}

func (s *starter) tick(ctx context.Context, e envelope) error {
	if s.routes.Schedule == nil {
		return errors.New("awslambda: a schedule triggers this function, and Routes.Schedule is not set")
	}
	if len(e.Resources) == 0 || e.Time.IsZero() {
		return errors.New("awslambda: the schedule's event names no rule or no time: deliver it as EventBridge makes it, without an input of the target's own")
	}
	t := Tick{Rule: e.Resources[0][strings.LastIndexByte(e.Resources[0], '/')+1:], Time: e.Time, Detail: e.Detail}
	err := s.routes.Schedule(ctx, t)
	if err != nil && isRejected(err) {
		s.Log.Error("a tick was rejected: change the rule", "rule", t.Rule, "reason", err)
		return nil
	}
	return err
}

package httpclient

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/durable-lambda/durable-lambda/durable"
)

// base is where the management API is served: api.Base.
const base = "/runtime/webhooks/durabletask"

// Config says where the API is. Only URL is needed.
type Config struct {
	// URL is what those of the API begin with, such as https://example.com/prod; the path of the management API may follow, or not.
	URL string
	// Authorize adds to each request, and to each try of it, what lets it in: Key, Bearer, SigV4, or one's own. Nothing is added without it.
	Authorize Authorize
	// HTTP sends the requests; without it, one that gives up a try after 60 seconds.
	HTTP *http.Client
	// Patience is how long a request is made again that comes to nothing; 30 seconds without it, and never beyond the context. Negative: it is not.
	Patience time.Duration
}

// New returns a client. It sends nothing: a wrong address shows with the first call.
func New(cfg Config) (durable.Client, error) {
	u, err := url.Parse(cfg.URL)
	if err != nil {
		var bad *url.Error
		errors.As(err, &bad)
		return nil, fmt.Errorf("httpclient: Config.URL cannot be read: %w", bad.Err) // without the URL, which may hold a key
	}
	if u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.RawQuery != "" || u.Fragment != "" || u.User != nil {
		return nil, fmt.Errorf("httpclient: Config.URL %q is not of the form https://host[/path]; a key belongs into Config.Authorize", u.Redacted())
	}
	c := &client{http: cfg.HTTP, authorize: cfg.Authorize, patience: cfg.Patience}
	path, _ := strings.CutSuffix(strings.TrimRight(u.EscapedPath(), "/"), base)
	c.base = u.Scheme + "://" + u.Host + path + base
	if c.http == nil {
		c.http = &http.Client{Timeout: time.Minute}
	}
	if c.patience == 0 {
		c.patience = 30 * time.Second
	}
	return c, nil
}

type client struct {
	base      string
	http      *http.Client
	authorize Authorize
	patience  time.Duration
}

var _ durable.Client = (*client)(nil)

// Raise sends an external event.
func (c *client) Raise(ctx context.Context, req durable.EventRequest) error {
	return c.command(ctx, "raise", req.Instance, "raiseEvent/"+escape(req.Name), req.ID, url.Values{}, req.Data)
}

var commands = map[durable.Command]struct{ path, done string }{
	durable.Terminate: {"terminate", "Ended"}, durable.Suspend: {"suspend", "Suspended"}, durable.Resume: {"resume", "NotSuspended"}, durable.Rewind: {"rewind", "NotFailed"},
}

// Manage sends a command.
func (c *client) Manage(ctx context.Context, req durable.ManageRequest) error {
	how, ok := commands[req.Command]
	if !ok {
		return fmt.Errorf("%w: there is no command %d", durable.ErrInvalid, req.Command)
	}
	q := url.Values{}
	set(q, "reason", req.Reason)
	if req.Recursive {
		q.Set("recursive", "true")
	}
	return c.command(ctx, how.path, req.Instance, how.path, req.ID, q, nil)
}

// Reset sends a reset.
func (c *client) Reset(ctx context.Context, req durable.ResetRequest) error {
	body, err := encode(resetBody{req.Operation, req.Result, req.Input, req.Reason})
	if err != nil {
		return err
	}
	return c.command(ctx, "reset", req.Instance, "reset", req.ID, url.Values{}, body)
}

// command sends an event or a command, which is the same one however often it is sent.
func (c *client) command(ctx context.Context, what, instance, path, id string, q url.Values, body []byte) error {
	if id == "" {
		id = newID()
	}
	q.Set("messageId", id)
	_, err := c.do(ctx, call{what: what, method: http.MethodPost, query: q, body: body, again: true, done: commandDone(what)}.of(instance, "/"+path))
	return err
}

func commandDone(what string) string {
	for _, how := range commands {
		if how.path == what {
			return how.done
		}
	}
	return ""
}

// Report reports what became of an Async activity.
func (c *client) Report(ctx context.Context, req durable.ReportRequest) error {
	verb, body := map[durable.Report]string{durable.ReportResult: "complete", durable.ReportFailure: "fail", durable.ReportHeartbeat: "heartbeat"}[req.What], []byte(req.Data)
	if verb == "" || req.Token == "" {
		return fmt.Errorf("%w: a report needs a token, and says what came of the activity", durable.ErrInvalid)
	}
	if req.What == durable.ReportFailure {
		if req.Failure == nil {
			return fmt.Errorf("%w: the report of a failure has none", durable.ErrInvalid)
		}
		var err error
		f := req.Failure
		if body, err = encode(failureBody{f.Message, f.Kind, f.Permanent, f.Properties, f.Causes}); err != nil {
			return err
		}
	}
	q := url.Values{}
	set(q, "activity", req.Activity)
	done := ""
	if req.What != durable.ReportHeartbeat {
		done = "NotPending"
	}
	_, err := c.do(ctx, call{what: "report", method: http.MethodPost, path: "/activities/" + escape(req.Token) + "/" + verb, query: q, body: body, again: true, done: done})
	return err
}

func set(q url.Values, key, value string) {
	if value != "" {
		q.Set(key, value)
	}
}

// escape encodes all but the unreserved characters: a space is %20.
func escape(s string) string { return strings.ReplaceAll(url.QueryEscape(s), "+", "%20") }

package api

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/durable-lambda/durable-lambda/durable"
	"github.com/durable-lambda/durable-lambda/durable/access"
)

// Base is the path under which the API is served: Durable Functions' own.
const Base = "/runtime/webhooks/durabletask"

// Config says what an API serves. Client and Hub are required.
type Config struct {
	Client durable.Client
	// Hub is the name of the task hub. It is in every link, and clients replace it there as text: so it must not occur
	// in Base, nor in the host.
	Hub string
	// PublicURL is what links begin with, as in "https://example.com/prod". Empty means what WithPublicURL says of the
	// request, else the scheme and host of its URL where that is absolute, else those of its connection and Host header.
	PublicURL string
	// Definitions are the orchestrations that may be started. When there are none, any name and input is accepted.
	Definitions []Definition
	// Callers says who sends a request and what they may do, as access.Keys does. Without it everybody may do everything, as far as what
	// the API is served behind lets them in: access.Of tells whom that has recognized.
	Callers Callers
	// Audit gets a line for every request that changes something, and for each that was refused: who, what, which instance, and what came of
	// it. Nothing is written without it.
	Audit *slog.Logger
	// Origins are those, such as https://example.com, whose pages may use the API from a browser. None may without it.
	Origins []string
	// MaxWait bounds how long a start waits for the instance's end, whatever its timeout says; 0 is no bound.
	MaxWait time.Duration
}

// Callers recognizes who sends a request.
type Callers interface {
	// Caller's error is access.ErrUnknown for one who is not known. With any other, nobody can be recognized for now.
	Caller(r *http.Request) (access.Caller, error)
}

// Definition is the contract of an orchestration.
type Definition interface {
	Name() string
	// CheckInput returns the input as the orchestration will read it, or an error that says why it cannot. Errors of
	// encoding/json are put into words before they are shown, others are shown as they are. Input is JSON, null when the
	// body is empty. A string that the type refuses as a string is to be taken for the JSON that is its text, or
	// for no value when it is empty: Durable Functions' Python and Node clients send such strings. The API starts with
	// the body as it was received.
	CheckInput(input json.RawMessage) (json.RawMessage, error)
}

// Versioned is what a Definition may be as well.
type Versioned interface {
	// CurrentVersion is the version of instances whose start names none.
	CurrentVersion() uint32
}

// API serves the management API. Its methods are safe for concurrent use.
type API struct {
	client      durable.Client
	hub         string
	publicURL   string
	definitions map[string]Definition
	names       []string
	maxWait     time.Duration
	callers     Callers
	audit       *slog.Logger
	origins     []string
	// sites knows what a browser sends for pages of others.
	sites *http.CrossOriginProtection
}

var _ http.Handler = (*API)(nil)

// New returns the API that cfg describes. It refuses a configuration whose links could not work.
func New(cfg Config) (*API, error) {
	if cfg.Client == nil {
		return nil, errors.New("api: Config.Client is missing")
	}
	if cfg.Hub == "" {
		return nil, errors.New("api: Config.Hub is missing: name the task hub")
	}
	public := strings.TrimRight(cfg.PublicURL, "/")
	if err := checkPublicURL(public); err != nil {
		return nil, err
	}
	sites := http.NewCrossOriginProtection()
	for _, origin := range cfg.Origins {
		if err := errors.Join(checkOrigin(origin), sites.AddTrustedOrigin(origin)); err != nil {
			return nil, err
		}
	}
	if strings.Contains(public+Base, cfg.Hub) {
		return nil, fmt.Errorf("api: the task hub's name %q occurs in %q, where clients would replace it: choose another name",
			cfg.Hub, public+Base)
	}
	if cfg.Audit == nil {
		cfg.Audit = slog.New(slog.DiscardHandler)
	}
	a := &API{
		client: cfg.Client, hub: cfg.Hub, publicURL: public, maxWait: cfg.MaxWait,
		callers: cfg.Callers, audit: cfg.Audit, origins: cfg.Origins, sites: sites,
		definitions: make(map[string]Definition, len(cfg.Definitions)),
	}
	for _, d := range cfg.Definitions {
		if _, again := a.definitions[d.Name()]; !again { // one of several versions is as good as any
			a.names = append(a.names, d.Name())
		}
		a.definitions[d.Name()] = d
	}
	return a, nil
}

func checkPublicURL(public string) error {
	if public == "" {
		return nil
	}
	u, err := url.Parse(public)
	if err != nil {
		return fmt.Errorf("api: Config.PublicURL: %w", err)
	}
	if u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.RawQuery != "" || u.Fragment != "" {
		return fmt.Errorf("api: Config.PublicURL %q is not of the form https://host[/path]", public)
	}
	return nil
}

// ServeHTTP serves a request under Base; any other is an unknown route.
func (a *API) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	a.With(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNotFound) })).ServeHTTP(w, r)
}

// With returns a handler that serves the API under Base and gives everything else to next. Prefer it to mounting the API
// in a http.ServeMux, which would tell upper from lower case and answer unclean paths with redirects. What next serves needs no key: see
// Guard.
func (a *API) With(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if a.crossOrigin(w, r) {
			return
		}
		path, ok := below(r.URL)
		if r.URL.Path == "/"+descriptionRoute.pattern[0] {
			path, ok = descriptionRoute.pattern, true
		}
		if ok {
			a.serve(w, r, path)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// serve serves a path below Base. A caller who is not known does not learn which routes there are.
func (a *API) serve(w http.ResponseWriter, r *http.Request, path []string) {
	found, vars := route{serve: unknown, action: "unknown"}, map[string]string(nil)
	for _, route := range append([]route{descriptionRoute}, routes...) {
		if v, ok := route.match(r.Method, path); ok {
			found, vars = route, v
			break
		}
	}
	query, needs := parseQuery(r.URL.RawQuery), found.needs
	if _, asked := query.seconds(timeoutKey); asked && slices.Contains(found.about.query, timeoutKey) {
		needs |= access.Read // whoever waits is shown the output, or the input and the history
	}
	a.guard(w, r, needs, &note{action: found.action, instance: vars["{id}"], name: vars["{name}"] + vars["{event}"]},
		func(w http.ResponseWriter, r *http.Request, n *note) {
			found.serve(a, w, request{Request: r, query: query, vars: vars, note: n})
		})
}

func unknown(_ *API, w http.ResponseWriter, _ request) { w.WriteHeader(http.StatusNotFound) }

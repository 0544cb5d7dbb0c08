//go:build clients

package clients_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/durable-lambda/durable-lambda/durable"
	"github.com/durable-lambda/durable-lambda/durable/access"
	"github.com/durable-lambda/durable-lambda/durable/client"
	"github.com/durable-lambda/durable-lambda/durable/dev"
)

// message is an input that is no string, as those of clients that encode twice should be.
type message struct {
	Text string `json:"text"`
	N    int    `json:"n"`
}

// progress is a custom status.
type progress struct {
	Step string `json:"step"`
}

var (
	// Echo returns its input, by way of an activity.
	echo = durable.NewOrchestration[message, message]("Echo")
	// Hello takes a string.
	hello = durable.NewOrchestration[string, string]("Hello")
	// Listen says that it waits, and returns the first word that it is told.
	listen = durable.NewOrchestration[durable.None, message]("Listen")
	// Brittle fails until it is mended.
	brittle = durable.NewOrchestration[message, message]("Brittle")
	// Which returns the version that it has begun under.
	which = durable.NewOrchestration[durable.None, int]("Which", durable.CurrentVersion(2))
	// Ask has its activity's outcome come from elsewhere.
	ask = durable.NewOrchestration[durable.None, message]("Ask")

	sign = durable.NewActivity[durable.None, message]("Sign", durable.Async)
	say  = durable.NewActivity[message, message]("Say")
	bend = durable.NewActivity[message, message]("Bend")
	word = durable.NewEvent[message]("Word")
)

// hub is a server of its own.
type hub struct {
	origin string
	client durable.Client
	mended atomic.Bool
	keys   access.Stored
	tokens chan string // of activities whose outcome comes from elsewhere
}

func (h *hub) handlers() []durable.Handler {
	return []durable.Handler{
		say.Bind(func(_ context.Context, m message) (message, error) { return m, nil }),
		bend.Bind(func(_ context.Context, m message) (message, error) {
			if !h.mended.Load() {
				return m, durable.Permanent(errors.New("it broke"))
			}
			return m, nil
		}),
		sign.Bind(func(ctx context.Context, _ durable.None) (message, error) {
			h.tokens <- durable.Token(ctx)
			return message{}, durable.ErrPending
		}),
		ask.Bind(func(ctx durable.Context, _ durable.None) (message, error) { return sign.Call(ctx, durable.None{}) }),
		echo.Bind(func(ctx durable.Context, m message) (message, error) { return say.Call(ctx, m) }),
		hello.Bind(func(_ durable.Context, name string) (string, error) { return "Hello, " + name, nil }),
		brittle.Bind(func(ctx durable.Context, m message) (message, error) { return bend.Call(ctx, m) }),
		listen.Bind(func(ctx durable.Context, _ durable.None) (message, error) {
			ctx.SetStatus(progress{Step: "listening"})
			return word.Next(ctx).Await()
		}),
		which.Bind(func(durable.Context, durable.None) (int, error) { return 1, nil }),
		which.Version(2).Bind(func(durable.Context, durable.None) (int, error) { return 2, nil }),
	}
}

// said catches the address that a server prints.
type said chan string

func (s said) Write(p []byte) (int, error) {
	if _, rest, ok := strings.Cut(string(p), "instances"); ok {
		s <- strings.TrimSuffix(strings.TrimSpace(rest), "/")
	}
	return len(p), nil
}

// serve runs a hub until the test ends.
func serve(t *testing.T, edit ...func(*dev.Config)) *hub {
	t.Helper()
	h, where, ended := &hub{tokens: make(chan string, 1)}, make(said, 1), make(chan error, 1)
	c := dev.Config{Addr: "127.0.0.1:0", Data: t.TempDir(), Out: where, Log: slog.New(slog.NewTextHandler(io.Discard, nil)),
		Handlers: func(s dev.Services) []durable.Handler {
			h.client, h.keys.Table = s.Client, s.Table
			return h.handlers()
		}}
	for _, e := range edit {
		e(&c)
	}
	ctx, stop := context.WithCancel(context.Background())
	go func() { ended <- dev.Serve(ctx, c) }()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Errorf("the server ended with %v", err)
		}
	})
	select {
	case h.origin = <-where:
	case err := <-ended:
		ended <- nil
		t.Fatalf("the server ended with %v", err)
	}
	return h
}

// key makes a key of the hub.
func (h *hub) key(t *testing.T, may access.Permission) string {
	t.Helper()
	text, key, err := access.NewKey("ada", may, time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	if err := h.keys.Edit(t.Context(), func(f *access.File) error { return f.Add(key) }); err != nil {
		t.Fatal(err)
	}
	return text
}

// binding is what clients of the hub are made from.
func binding(t *testing.T, origin string, query url.Values) map[string]any {
	t.Helper()
	data, err := client.Binding(origin, dev.Hub, query)
	if err != nil {
		t.Fatal(err)
	}
	var b map[string]any
	if err := json.Unmarshal(data, &b); err != nil {
		t.Fatal(err)
	}
	return b
}

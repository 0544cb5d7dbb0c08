package contract_test

import (
	"bufio"
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/durable-lambda/durable-lambda/durable"
	"github.com/durable-lambda/durable-lambda/durable/api"
	"github.com/durable-lambda/durable-lambda/durable/dev"
	"github.com/durable-lambda/durable-lambda/durable/durabletest"
	"github.com/durable-lambda/durable-lambda/examples/drills"
	"github.com/durable-lambda/durable-lambda/examples/drills/bodies"
	"github.com/durable-lambda/durable-lambda/tests/contract"
)

// handlers are those of the deployed functions, so that one table is for all.
func handlers() []durable.Handler { return append(bodies.Orchestrations(), bodies.Activities()...) }

func TestInTheProcess(t *testing.T) {
	t.Parallel()
	sys := durabletest.New(t, handlers()...)
	a, err := api.New(api.Config{Client: sys.Client, Hub: "TestHub", Definitions: []api.Definition{drills.Chain, drills.Nap}})
	if err != nil {
		t.Fatal(err)
	}
	contract.Run(t, contract.Target{URL: "http://contract.example", Hub: "TestHub", Pause: time.Millisecond, Patience: 5 * time.Second,
		Client: &http.Client{Transport: contract.Settling(sys, func(r *http.Request) (*http.Response, error) {
			w := httptest.NewRecorder()
			a.ServeHTTP(w, r)
			return w.Result(), nil
		})}})
}

func TestOverTCP(t *testing.T) {
	t.Parallel()
	data := t.TempDir() // before the server's end is put off, so that it is removed after it
	said, in := io.Pipe()
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() {
		ended <- dev.Serve(ctx, dev.Config{Addr: "127.0.0.1:0", Data: data, Out: in, Log: slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelWarn})),
			Handlers: func(dev.Services) []durable.Handler { return handlers() }})
		in.Close()
	}()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Errorf("the server ended with %v", err)
		}
	})
	contract.Run(t, contract.Target{URL: where(t, said), Hub: dev.Hub, Pause: 10 * time.Millisecond, Patience: 20 * time.Second})
}

// where reads from what the server says where it is.
func where(t *testing.T, said io.Reader) string {
	t.Helper()
	lines := bufio.NewScanner(said)
	for lines.Scan() {
		if _, url, ok := strings.Cut(lines.Text(), "instances"); ok {
			go func() { _, _ = io.Copy(io.Discard, said) }()
			return strings.TrimSuffix(strings.TrimSpace(url), "/")
		}
	}
	t.Fatal("the server does not say where it is")
	return ""
}

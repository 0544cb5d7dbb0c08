package dev

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"github.com/durable-lambda/durable-lambda/durable"
	"github.com/durable-lambda/durable-lambda/durable/access"
	"github.com/durable-lambda/durable-lambda/durable/api"
	"github.com/durable-lambda/durable-lambda/durable/backend/pebble"
	"github.com/durable-lambda/durable-lambda/durable/client"
	"github.com/durable-lambda/durable-lambda/durable/codec"
	"github.com/durable-lambda/durable-lambda/durable/dashboard"
	"github.com/durable-lambda/durable-lambda/durable/links"
	"github.com/durable-lambda/durable-lambda/durable/mail"
	"github.com/durable-lambda/durable-lambda/durable/store"
	"github.com/durable-lambda/durable-lambda/durable/web"
	"github.com/durable-lambda/durable-lambda/durable/worker"
	"github.com/durable-lambda/durable-lambda/internal/shell"
)

// Run serves handlers until the process is told to stop, at DefaultAddr over DefaultData, or what the environment
// variables DURABLE_ADDR and DURABLE_DATA say. It ends the process with a message when it cannot.
func Run(handlers ...durable.Handler) {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	err := Serve(ctx, Config{Addr: os.Getenv("DURABLE_ADDR"), Data: os.Getenv("DURABLE_DATA"),
		AddrSetting: "DURABLE_ADDR", DataSetting: "DURABLE_DATA",
		Handlers: func(Services) []durable.Handler { return handlers }})
	if err != nil {
		fmt.Fprintln(os.Stderr, "durable:", err)
		os.Exit(1)
	}
}

// Serve runs a hub until ctx ends, and then lets what is under way come to an end for some seconds. It returns nil after
// that, and an error when it could not begin. While it runs, GOMAXPROCS is two more than before, unless the environment sets it.
func Serve(ctx context.Context, c Config) (err error) {
	c.defaults()
	defer roomForSyncs()()
	data, err := filepath.Abs(c.Data)
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", c.Addr)
	if err != nil {
		return fmt.Errorf("cannot listen on %s: %w; set %s to another host:port, such as 127.0.0.1:8081", c.Addr, err, c.AddrSetting)
	}
	defer listener.Close()
	db, err := pebble.Open(data, pebble.Options{Logger: c.Log})
	if err != nil {
		return fmt.Errorf("%w (%s sets the folder)", err, c.DataSetting)
	}
	defer func() { err = errors.Join(err, db.Close()) }()

	ports := codec.Wrap(db.Backend(), c.Codec)
	st := store.New(store.Config{Backend: ports, MaxPayload: c.MaxPayload})
	mailbox := mail.NewMailbox(ports.Table, mail.MailboxOptions{Home: "/", Log: c.Log})
	services := Services{Client: client.New(st), Table: ports.Table, Mailer: mailbox, Log: c.Log}
	ring, err := linkKeys(filepath.Join(data, linkKeysFile))
	if err != nil {
		return err
	}
	urls, err := links.New(links.Config{
		Keys:    func(context.Context) (links.Ring, error) { return ring, nil },
		Address: func(context.Context) (string, error) { return "http://" + listener.Addr().String(), nil },
		Table:   ports.Table, Client: services.Client, Audit: c.Log,
	})
	if err != nil {
		return err
	}
	handlers := urls.Handlers(c.Handlers(services))
	served := api.Config{Client: services.Client, Hub: Hub, Definitions: definitions(handlers), Audit: c.Log}
	if c.Keys {
		served.Callers = access.NewKeys(access.Stored{Table: ports.Table}.Read)
	}
	management, err := api.New(served)
	if err != nil {
		return err
	}
	relayed := store.New(store.Config{Backend: codec.Wrap(db.Relay(), c.Codec), MaxPayload: c.MaxPayload})
	w, err := worker.New(worker.Config{Store: relayed, Handlers: handlers, Log: c.Log, Build: buildID(), HTTP: web.Do, Notify: c.Notify,
		Execute: shell.Parallel, Watch: shell.Watch(c.Log, shell.StuckAfter), Warm: warmBytes, InFlight: c.InFlight})
	if err != nil {
		return err
	}
	defer w.Close()
	c.banner(listener.Addr(), data)
	stopPumps := startPumps(w, relayed, db, c.Log)
	defer stopPumps()
	return c.serve(ctx, listener, services, management, mailbox, urls)
}

// warmBytes is what instances may use that wait in memory for their next message.
const warmBytes = 128 << 20

// serve answers requests until ctx ends.
func (c *Config) serve(ctx context.Context, listener net.Listener, s Services, management *api.API, mailbox *mail.Mailbox, urls *links.Links) error {
	mux := http.NewServeMux()
	mux.Handle("/", dashboard.New(dashboard.Config{Client: s.Client, Hub: Hub, MailURL: "/mail"}))
	mux.Handle("/mail", mailbox.Handler())
	mux.Handle("/mail/", mailbox.Handler())
	mux.Handle("/mail.json", mailbox.Handler())
	c.Routes(mux, s, management)
	requests, endRequests := context.WithCancel(context.WithoutCancel(ctx))
	defer endRequests()
	handler := urls.Before(management.With(management.Guard(access.All, mux)))
	server := &http.Server{Handler: guard(listener.Addr(), c.AddrSetting, handler), ReadHeaderTimeout: 10 * time.Second,
		BaseContext: func(net.Listener) context.Context { return requests }}
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(listener) }()
	select {
	case err := <-ended:
		return err
	case <-ctx.Done():
	}
	endRequests() // who waits for an instance is told how far it is
	grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	if err := server.Shutdown(grace); err != nil {
		return server.Close()
	}
	return nil
}

// definition is a handler as the API checks starts by it.
type definition struct{ durable.Handler }

func (d definition) Name() string { return d.Handler.Name }

func (d definition) CheckInput(input json.RawMessage) (json.RawMessage, error) { return d.Check(input) }

func (d definition) CurrentVersion() uint32 { return d.Current }

func definitions(handlers []durable.Handler) []api.Definition {
	var out []api.Definition
	for _, h := range handlers {
		if h.Check != nil {
			out = append(out, definition{h})
		}
	}
	return out
}

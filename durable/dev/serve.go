package dev

import (
	"context"
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
	"github.com/durable-lambda/durable-lambda/durable/api"
	"github.com/durable-lambda/durable-lambda/durable/backend/pebble"
	"github.com/durable-lambda/durable-lambda/durable/client"
	"github.com/durable-lambda/durable-lambda/durable/dashboard"
	"github.com/durable-lambda/durable-lambda/durable/mail"
	"github.com/durable-lambda/durable-lambda/durable/store"
	"github.com/durable-lambda/durable-lambda/durable/worker"
)

// Run serves handlers until the process is told to stop, at the default address over the default folder. It ends the
// process with a message when it cannot.
func Run(handlers ...durable.Handler) {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	err := Serve(ctx, Config{Handlers: func(Services) []durable.Handler { return handlers }})
	if err != nil {
		fmt.Fprintln(os.Stderr, "durable:", err)
		os.Exit(1)
	}
}

// Serve runs a hub until ctx ends, and then lets what is under way come to an end for some seconds. It returns nil after
// that, and an error when it could not begin.
func Serve(ctx context.Context, c Config) (err error) {
	c.defaults()
	data, err := filepath.Abs(c.Data)
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", c.Addr)
	if err != nil {
		return fmt.Errorf("cannot listen on %s: %w; choose another with --addr", c.Addr, err)
	}
	defer listener.Close()
	db, err := pebble.Open(data, pebble.Options{Logger: c.Log})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()

	st := store.New(store.Config{Backend: db.Backend()})
	mailbox := mail.NewMailbox(db.Backend().Table, mail.MailboxOptions{Log: c.Log})
	services := Services{Client: client.New(st), Table: db.Backend().Table, Mailer: mailbox}
	if services.API, err = api.New(api.Config{Client: services.Client, Hub: Hub}); err != nil {
		return err
	}
	build := buildID()
	w, err := worker.New(worker.Config{Store: st, Handlers: c.Handlers(services), Log: c.Log, Build: build,
		Execute: parallel, Watch: watch(c.Log)})
	if err != nil {
		return err
	}
	c.banner(listener.Addr(), data)
	stopPumps := startPumps(w, st, c.Log)
	defer stopPumps()
	return c.serve(ctx, listener, services, mailbox)
}

// serve answers requests until ctx ends.
func (c *Config) serve(ctx context.Context, listener net.Listener, s Services, mailbox *mail.Mailbox) error {
	mux := http.NewServeMux()
	mux.Handle("/", dashboard.New(dashboard.Config{Client: s.Client, Hub: Hub, MailURL: "/mail"}))
	mux.Handle("/mail", mailbox.Handler())
	mux.Handle("/mail/", mailbox.Handler())
	mux.Handle("/mail.json", mailbox.Handler())
	c.Routes(mux, s)
	server := &http.Server{Handler: s.API.With(mux), ReadHeaderTimeout: 10 * time.Second, ErrorLog: nil}
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(listener) }()
	select {
	case err := <-ended:
		return err
	case <-ctx.Done():
	}
	grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	if err := server.Shutdown(grace); err != nil {
		server.Close() // whoever waits for an instance must ask again
	}
	return nil
}

// parallel runs the inline steps of a turn at the same time.
func parallel(steps []func()) {
	done := make(chan struct{})
	for _, s := range steps {
		go func() { defer func() { done <- struct{}{} }(); s() }()
	}
	for range steps {
		<-done
	}
}

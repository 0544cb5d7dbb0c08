package dev

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"os"

	"github.com/durable-lambda/durable-lambda/durable"
	"github.com/durable-lambda/durable-lambda/durable/api"
	"github.com/durable-lambda/durable-lambda/durable/backend"
	"github.com/durable-lambda/durable-lambda/durable/codec"
	"github.com/durable-lambda/durable-lambda/durable/mail"
	"github.com/durable-lambda/durable-lambda/durable/worker"
)

const (
	// DefaultAddr is where the server listens when nobody says.
	DefaultAddr = "127.0.0.1:8080"
	// DefaultData is where the data is kept when nobody says.
	DefaultData = ".durable"
	// Hub is the name of the task hub.
	Hub = "dev"
)

// Config says what to run. The zero value serves an empty hub.
type Config struct {
	// Handlers returns the orchestrations and activities, bound to their bodies.
	Handlers func(Services) []durable.Handler
	// Routes adds an application's own routes beside the server's. They may answer as the management API does.
	Routes func(*http.ServeMux, Services, *api.API)
	// Addr to listen on: DefaultAddr without it.
	Addr string
	// Data is the folder that everything is kept in: DefaultData without it. It is made when it is not there.
	Data string
	// AddrSetting and DataSetting are what people change Addr and Data by, for errors that tell them to: flags, say.
	AddrSetting, DataSetting string
	// InFlight is how many activities of one instance may be under way at once; the worker's default, 1,000, without it.
	InFlight int
	// MaxPayload is how many bytes of JSON one input, result, output or event may have; 10 MiB without it.
	MaxPayload int
	// Codec transforms what is kept: encryption, say; none without it. Values from before are read as they are.
	Codec codec.Config
	// Keys has every request need a key of the hub's, as a deployment with ApiKeys=true: durable keys add makes one while the server does not
	// run. A browser asks for it as the password of any user.
	Keys bool
	// Notify is told what becomes of instances, as worker.Config says; nobody is without it.
	Notify func(context.Context, worker.Notification) error
	// Title is shown when the server starts, and Hints after it, a line each.
	Title string
	Hints []string
	// Log gets what people should know while it runs: warnings on standard error without it.
	Log *slog.Logger
	// Out is where the server says where it is: standard output without it.
	Out io.Writer
}

// Services is what the server offers to the application that it runs.
type Services struct {
	// Client starts and manages instances.
	Client durable.Client
	// Table is the hub's table: an application may keep records of its own there, in partitions that begin with its name.
	Table backend.Table
	// Mailer delivers into the server's mailbox, once per key.
	Mailer mail.Mailer
	// Log is the server's.
	Log *slog.Logger
}

func (c *Config) defaults() {
	if c.Addr == "" {
		c.Addr = DefaultAddr
	}
	if c.Data == "" {
		c.Data = DefaultData
	}
	if c.AddrSetting == "" {
		c.AddrSetting = "dev.Config.Addr"
	}
	if c.DataSetting == "" {
		c.DataSetting = "dev.Config.Data"
	}
	if c.Title == "" {
		c.Title = "durable"
	}
	if c.Out == nil {
		c.Out = os.Stdout
	}
	if c.Log == nil {
		c.Log = slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn}))
	}
	if c.Handlers == nil {
		c.Handlers = func(Services) []durable.Handler { return nil }
	}
	if c.Routes == nil {
		c.Routes = func(*http.ServeMux, Services, *api.API) {}
	}
}

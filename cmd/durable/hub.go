package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"github.com/durable-lambda/durable-lambda/durable/backend"
	"github.com/durable-lambda/durable-lambda/durable/backend/pebble"
	"github.com/durable-lambda/durable-lambda/durable/codec"
	"github.com/durable-lambda/durable-lambda/durable/codec/aesgcm"
	"github.com/durable-lambda/durable-lambda/durable/dev"
	"github.com/durable-lambda/durable-lambda/durable/doctor"
	"github.com/durable-lambda/durable-lambda/durable/store"
	"github.com/durable-lambda/durable-lambda/durable/worker"
)

// hubFlags say which hub a command is about.
type hubFlags struct {
	Data        string `xor:"hub" help:"Data folder of a server that does not run; .durable without any of these." placeholder:"DIR"`
	Hub         string `xor:"hub" help:"Deployed hub: the name of its stack, in the account and region of the AWS credentials." placeholder:"NAME"`
	Environment bool   `xor:"hub" help:"Deployed hub that the environment variables DURABLE_TABLE and so on name, as its functions have them."`
	Keys        string `type:"existingfile" help:"Keys of a hub whose values are encrypted with AES-GCM: a line for each, its name and its secret in base64, the newest first." placeholder:"FILE"`
}

// ports wraps a hub's so that what is encoded there can be read.
func (f hubFlags) ports(b backend.Backend) (backend.Backend, error) {
	var c codec.Config
	if f.Keys != "" {
		text, err := os.ReadFile(f.Keys)
		if err != nil {
			return b, err
		}
		if c.Codec, err = aesgcm.Parse(string(text)); err != nil {
			return b, fmt.Errorf("%s: %w", f.Keys, err)
		}
	}
	return codec.Wrap(b, c), nil
}

// open opens the hub. What it returns must be closed.
func (f hubFlags) open(ctx context.Context) (doctor.Config, func() error, error) {
	if f.Hub != "" || f.Environment {
		return f.deployed(ctx)
	}
	if f.Data == "" {
		f.Data = dev.DefaultData
	}
	if _, err := os.Stat(filepath.Join(f.Data, "HUB")); err != nil {
		return doctor.Config{}, nil, fmt.Errorf("there is no data folder at %s: name the one that the server was started with by --data, or a deployed hub by --hub", f.Data)
	}
	db, err := pebble.Open(f.Data, pebble.Options{})
	if err != nil {
		return doctor.Config{}, nil, err
	}
	ports, err := f.ports(db.Backend())
	if err != nil {
		return doctor.Config{}, nil, errors.Join(err, db.Close())
	}
	c, err := config(store.Config{Backend: ports})
	if err != nil {
		return doctor.Config{}, nil, errors.Join(err, db.Close())
	}
	c.Exclusive = true
	return c, db.Close, nil
}

// config wires what every hub's commands need. The worker runs no code: it has no handlers.
func config(s store.Config) (doctor.Config, error) {
	st := store.New(s)
	log := slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelError}))
	w, err := worker.New(worker.Config{Store: st, Log: log, Jitter: func() float64 { return 0 }})
	return doctor.Config{Store: st, Worker: w, Wait: time.Second}, err
}

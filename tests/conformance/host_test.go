package conformance

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"github.com/durable-lambda/durable-lambda/durable"
	"github.com/durable-lambda/durable-lambda/durable/backend"
	"github.com/durable-lambda/durable-lambda/durable/backend/memory"
	"github.com/durable-lambda/durable-lambda/durable/client"
	"github.com/durable-lambda/durable-lambda/durable/codec"
	"github.com/durable-lambda/durable-lambda/durable/codec/aesgcm"
	"github.com/durable-lambda/durable-lambda/durable/store"
	"github.com/durable-lambda/durable-lambda/durable/web"
	"github.com/durable-lambda/durable-lambda/durable/worker"
)

// epoch is when every virtual clock starts.
var epoch = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

// sweepEvery is how often due rows are looked at, as deployed hubs do.
const sweepEvery = time.Minute

// backends are what the hubs of the tests stand on.
var backends = []struct {
	name string
	open func(t *testing.T, now func() time.Time) backend.Backend
}{
	{"memory", func(_ *testing.T, now func() time.Time) backend.Backend {
		return memory.New(memory.Options{Now: now}).Backend()
	}},
	{"Pebble", openPebble},
}

// host runs a hub: it hands messages to workers in the way of its mode.
type host struct {
	t       *testing.T
	mode    mode
	clock   *clock
	ports   backend.Backend
	client  *client.Client
	crashes crashes
	handled int // messages

	build    string
	handlers []durable.Handler
	process  *process
	worker   *worker.Worker
}

func newHost(t *testing.T, m mode, c *clock, ports backend.Backend) *host {
	if m == coded {
		keys, err := aesgcm.New(aesgcm.Key{ID: "k", Secret: make([]byte, 32)})
		if err != nil {
			t.Fatal(err)
		}
		ports = codec.Wrap(ports, codec.Config{Codec: keys, RefusePlain: true})
	}
	h := &host{t: t, mode: m, clock: c, ports: withClock(ports, c), crashes: crashes{tries: map[string]int{}}}
	h.client = client.New(store.New(store.Config{Backend: h.ports, Now: c.Now}))
	t.Cleanup(func() {
		if h.worker != nil {
			h.worker.Close()
		}
	})
	return h
}

// spawn starts a worker, and forgets the one before.
func (h *host) spawn() {
	h.t.Helper()
	ports := h.ports
	if h.mode == crash {
		h.process = &process{crashes: &h.crashes}
		ports = h.process.ports(ports)
	}
	cfg := worker.Config{Store: store.New(store.Config{Backend: ports, Now: h.clock.Now}), Handlers: h.handlers, Build: h.build,
		StrictInputs: true, HTTP: web.Do, Log: slog.New(slog.DiscardHandler), Jitter: func() float64 { return 0 }}
	if h.mode == warm {
		cfg.Warm, cfg.WarmAge = 64<<20, 10000*time.Hour
	}
	if h.worker != nil {
		h.worker.Close()
	}
	w, err := worker.New(cfg)
	if err != nil {
		h.t.Fatal(err)
	}
	h.worker = w
}

// settle lets everything happen that can happen now.
func (h *host) settle() {
	h.t.Helper()
	for range 200_000 {
		if !h.step() {
			return
		}
	}
	h.t.Fatal("the hub does not come to rest")
}

// advance lets d pass, and everything happen that is due on the way.
func (h *host) advance(d time.Duration) {
	h.t.Helper()
	end := h.clock.Now().Add(d)
	for h.settle(); h.clock.Now().Before(end); h.settle() {
		if h.clock.real {
			time.Sleep(50 * time.Millisecond)
			continue
		}
		sweep := h.clock.Now().Truncate(sweepEvery).Add(sweepEvery)
		next := h.clock.next(end)
		if next.Before(sweep) {
			h.clock.set(next)
			continue
		}
		if sweep.After(end) {
			h.clock.set(end)
			continue
		}
		h.clock.set(sweep)
		h.sweep()
	}
}

func (h *host) sweep() {
	h.t.Helper()
	for range 1000 {
		_, err := h.worker.Sweep(context.Background())
		if h.died() {
			continue
		}
		if err != nil {
			h.t.Fatal(err)
		}
		return
	}
	h.t.Fatal("the sweep does not get to its end")
}

// died replaces a worker whose process is dead, and reports whether it was.
func (h *host) died() bool {
	if h.process == nil || !h.process.isDead() {
		return false
	}
	h.spawn()
	return true
}

// step hands a batch of each queue to the worker, and reports whether there was any.
func (h *host) step() bool {
	h.t.Helper()
	activity := func(ctx context.Context, batch []backend.Delivery) []worker.Outcome {
		return []worker.Outcome{h.worker.Activity(ctx, batch[0])}
	}
	inbox := func(ctx context.Context, batch []backend.Delivery) []worker.Outcome {
		return h.worker.Inbox(ctx, batch)
	}
	wake := func(ctx context.Context, batch []backend.Delivery) []worker.Outcome { return h.worker.Wake(ctx, batch) }
	return h.pump(h.ports.Wake, backend.MaxBatch, wake) || h.pump(h.ports.Inbox, backend.MaxBatch, inbox) || h.pump(h.ports.Activities, 1, activity)
}

func (h *host) pump(q backend.Queue, most int, handle func(context.Context, []backend.Delivery) []worker.Outcome) bool {
	h.t.Helper()
	ctx := context.Background()
	if h.mode == replay {
		most = 1
	}
	batch, err := q.Receive(ctx, most, 0)
	if err != nil {
		h.t.Fatal(err)
	}
	if len(batch) == 0 {
		return false
	}
	if h.mode == replay {
		h.spawn()
	}
	h.handled += len(batch)
	outcomes := handle(ctx, batch)
	if h.died() {
		outcomes = make([]worker.Outcome, len(batch)) // nobody was there to say anything: all of it comes again
	}
	for i, o := range outcomes {
		if o.Err != nil {
			h.t.Logf("put back for %v: %v", o.Retry, o.Err)
		}
		if o.Foreign {
			h.t.Errorf("a message of the hub's own is said to be foreign: %v", o.Err)
			o.Ack = true
		}
		if o.Ack {
			err = q.Ack(ctx, batch[i:i+1])
		} else {
			err = q.Defer(ctx, batch[i], o.Retry)
		}
		if err != nil {
			h.t.Fatal(err)
		}
	}
	return true
}

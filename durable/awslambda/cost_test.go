package awslambda

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"regexp"
	"slices"
	"testing"
	"time"

	"github.com/durable-lambda/durable-lambda/durable"
	"github.com/durable-lambda/durable-lambda/durable/backend"
	"github.com/durable-lambda/durable-lambda/durable/client"
	"github.com/durable-lambda/durable-lambda/durable/durabletest"
	"github.com/durable-lambda/durable-lambda/durable/store"
	"github.com/durable-lambda/durable-lambda/tests/budget"
	"github.com/durable-lambda/durable-lambda/tests/budget/endpoint"
)

// The reference workload: a start, five activities one after the other that hand on an order of about 1 KB, a timer, an event, and the end.

type goods struct {
	ID       string            `json:"id"`
	Customer map[string]string `json:"customer"`
	Items    []map[string]any  `json:"items"`
	Notes    string            `json:"notes"`
	Done     []map[string]any  `json:"done"`
}

func newParcel(id string) goods {
	p := goods{ID: id, Customer: map[string]string{"name": "Ada Example", "email": "ada@example.com", "street": "1 Main Street", "city": "Springfield", "zip": "12345", "country": "US"},
		Notes: "Please leave the parcel with the neighbour at number 3 if nobody is at home."}
	for i := range 5 {
		p.Items = append(p.Items, map[string]any{"sku": fmt.Sprintf("TEA-%02d", i), "name": "Green tea, loose leaf, 250 g", "quantity": i + 1, "unitPrice": 1250 + i})
	}
	return p
}

var (
	reference   = durable.NewOrchestration[goods, goods]("Reference")
	handleGoods = durable.NewActivity[goods, goods]("Handle")
	confirm     = durable.NewEvent[map[string]string]("Confirm")
)

// work is what each activity does: it adds what it has done.
func work(p goods) (goods, error) {
	n := len(p.Done)
	r := rand.New(rand.NewPCG(uint64(n), uint64(len(p.ID))))
	p.Done = append(p.Done, map[string]any{"step": n, "reference": fmt.Sprintf("%016x", r.Uint64()), "at": "2026-01-01T00:00:00.123Z", "by": "warehouse"})
	return p, nil
}

func referred(inline bool) func(durable.Context, goods) (goods, error) {
	here := handleGoods.Inline(func(_ context.Context, p goods) (goods, error) { return work(p) })
	return func(ctx durable.Context, p goods) (_ goods, err error) {
		for range 5 {
			if inline {
				p, err = here.Call(ctx, p)
			} else {
				p, err = handleGoods.Call(ctx, p)
			}
			if err != nil {
				return p, err
			}
		}
		if err := durable.Sleep(ctx, 5*time.Minute); err != nil {
			return p, err
		}
		_, err = confirm.Next(ctx).Await()
		return p, err
	}
}

// fleet drives the functions as Lambda does.
type fleet struct {
	t        testing.TB
	now      time.Time
	e        *endpoint.Endpoint
	h        *hub
	handlers []durable.Handler
	o        *orchestrator
	a        *activities
	batch    int
	cold     float64
	random   *rand.Rand
	usage    budget.Usage
}

func newFleet(t testing.TB, batch int, cold float64, inline bool) *fleet {
	f := &fleet{t: t, now: durabletest.Epoch, batch: batch, cold: cold, random: rand.New(rand.NewPCG(1, 2))}
	clock := func() time.Time { return f.now }
	f.e = endpoint.New(endpoint.Options{Now: clock})
	ports := f.e.Backend()
	st := store.New(store.Config{Backend: ports, Now: clock})
	f.h = &hub{store: st, Services: Services{Client: client.New(st), Table: ports.Table, Log: slog.New(slog.DiscardHandler)}}
	f.handlers = []durable.Handler{reference.Bind(referred(inline)), handleGoods.Bind(func(_ context.Context, p goods) (goods, error) { return work(p) })}
	f.o = f.process()
	var err error
	if f.a, err = newActivities(f.h, f.handlers); err != nil {
		t.Fatal(err)
	}
	return f
}

// process is another process of the orchestrator's function.
func (f *fleet) process() *orchestrator {
	o, err := newOrchestrator(f.h, f.handlers)
	if err != nil {
		f.t.Fatal(err)
	}
	f.t.Cleanup(o.worker.Close)
	return o
}

// collect notes what was billed.
func (f *fleet) collect() { f.usage.Add(f.e.Bill()) }

// pump handles all that is ready. What it receives and acknowledges is billed, as it is of Lambda's pollers; a receive that finds nothing is not one of this workload's.
func (f *fleet) pump() {
	b := f.h.store.Backend()
	for busy := true; busy; {
		busy = false
		for _, q := range []struct {
			queue  backend.Queue
			arn    string
			handle func() handler
		}{
			{b.Wake, "wake", f.orchestrate}, {b.Inbox, "inbox.fifo", f.orchestrate}, {b.Activities, "work", func() handler { return f.a.handle }},
		} {
			for {
				f.collect()
				batch, err := q.queue.Receive(f.t.Context(), f.batch, 0)
				if err != nil {
					f.t.Fatal(err)
				}
				if len(batch) == 0 {
					f.e.Bill()
					break
				}
				busy = true
				f.usage.Invocations++
				f.usage.Messages += len(batch)
				answer, err := q.handle()(f.t.Context(), eventOf(q.arn, batch))
				if err != nil || len(failuresOf(f.t, answer)) > 0 {
					f.t.Fatalf("%v, %v", answer, err)
				}
				if err := q.queue.Ack(f.t.Context(), batch); err != nil {
					f.t.Fatal(err)
				}
			}
		}
	}
	f.collect()
}

// orchestrate is the function of one process, or, as often as it is to be cold, that of one which has nothing; then what others keep is out of date.
func (f *fleet) orchestrate() handler {
	if f.cold > 0 && f.random.Float64() < f.cold {
		return f.process().handle
	}
	return f.o.handle
}

// run takes so many instances from their start to their end, and then removes them.
func (f *fleet) run(instances int) (used, purged budget.Usage) {
	ctx := f.t.Context()
	id := func(i int) string { return fmt.Sprintf("order-%06d", i) }
	for i := range instances {
		if _, err := reference.Submit(ctx, f.h.Client, newParcel(id(i)), durable.ID(id(i))); err != nil {
			f.t.Fatal(err)
		}
	}
	f.pump()
	f.now = f.now.Add(5 * time.Minute)
	f.pump()
	for i := range instances {
		if err := confirm.Raise(ctx, f.h.Client, id(i), map[string]string{"by": "Bob", "note": "fine"}); err != nil {
			f.t.Fatal(err)
		}
	}
	f.pump()
	for i := range instances {
		in, err := f.h.Client.Get(ctx, id(i))
		if err != nil || in.Status != durable.Completed {
			f.t.Fatalf("%s is %s, %v", id(i), in.Status, err)
		}
		var p goods
		if err := json.Unmarshal(in.Output, &p); err != nil || len(p.Done) != 5 {
			f.t.Fatalf("%s came to %s, %v", id(i), in.Output, err)
		}
	}
	f.e.Bill() // this looking
	used, f.usage = f.usage, budget.Usage{}
	for i := range instances {
		if err := f.h.Client.Purge(ctx, id(i)); err != nil {
			f.t.Fatal(err)
		}
	}
	f.collect()
	purged = f.usage
	for _, u := range []*budget.Usage{&used, &purged} {
		u.Instances, u.Activities = instances, 5*instances
	}
	return used, purged
}

var printCost = flag.Bool("cost", false, "print what the reference workload costs, and write build/cost.json")

// TestCost holds what the reference workload is billed for. Counts do not depend on the machine; the dollars follow from them and from the prices.
func TestCost(t *testing.T) {
	var rows []costRow
	for _, c := range []struct {
		name     string
		batch, n int
		cold     float64
		inline   bool
		// most of what an instance may use, and of the dollars that a million activities may cost.
		writes, index, reads, sqs, invocations, dollars float64
	}{
		{"unbatched, warm", 1, 5, 0, false, 10, 3, 3, 42, 14, 6.3},
		{"unbatched, all cold", 1, 5, 1, false, 10, 3, 10, 42, 14, 6.5},
		{"batches of 10, warm", 10, 100, 0, false, 10, 3, 3.1, 6.5, 1.5, 2.5},
		{"batches of 10, 30 % cold", 10, 100, 0.3, false, 10.2, 3, 6.5, 6.5, 1.5, 2.55},
		{"batches of 10, all cold", 10, 100, 1, false, 10, 3, 10, 6.5, 1.5, 2.6},
		{"inline, unbatched", 1, 5, 0, true, 5, 3, 4, 12, 4, 2.5},
		{"inline, batches of 10", 10, 100, 0, true, 5, 3, 4.1, 3, 0.5, 1.5},
	} {
		u, p := newFleet(t, c.batch, c.cold, c.inline).run(c.n)
		n := float64(u.Instances)
		row := costRow{Workload: c.name, Writes: float64(u.Writes) / n, IndexWrites: float64(u.IndexWrites) / n, Reads: u.Reads / n,
			SQS: float64(u.Standard+u.FIFO) / n, Invocations: float64(u.Invocations) / n, Dollars: u.PerActivities(), Turns: u.Turns().PerActivities(), Provisioned: u.Provisioned(), Purge: p.PerActivities(), Of: u.Cost()}
		rows = append(rows, row)
		for _, held := range []struct {
			what      string
			got, most float64
		}{
			{"write units", row.Writes, c.writes}, {"write units of the index", row.IndexWrites, c.index}, {"read units", row.Reads, c.reads},
			{"requests of SQS", row.SQS, c.sqs}, {"invocations", row.Invocations, c.invocations}, {"dollars", row.Dollars, c.dollars},
			{"dollars for the purge", row.Purge, 1.75},
		} {
			if held.got > held.most {
				t.Errorf("%s: %.2f %s for each instance, at most %.2f are budgeted", c.name, held.got, held.what, held.most)
			}
		}
	}
	idle, month := idleCost(t)
	if month > 1 {
		t.Errorf("a hub in which nothing happens costs $%.2f a month, at most $1 is budgeted", month)
	}
	if *printCost {
		report(t, rows, idle, month)
	}
}

// polled are the queues that Lambda polls, as the template says it.
var polled = regexp.MustCompile(`(?m)^ +Type: SQS\n +Properties:\n +Queue: !GetAtt (\w+)\.Arn\n((?: {12}.+\n)*)`)

// idleCost is what the template's hub costs in a month in which nothing happens.
func idleCost(t *testing.T) ([]budget.Line, float64) {
	template, err := os.ReadFile("../../infra/template.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var polls []budget.Poll
	for _, m := range polled.FindAllSubmatch(template, -1) {
		fifo := regexp.MustCompile(`(?m)^  ` + string(m[1]) + `:\n(?:    .*\n)*?.*FifoQueue: true`).Match(template)
		polls = append(polls, budget.Poll{FIFO: fifo, Bounded: bytes.Contains(m[2], []byte("MaximumConcurrency"))})
	}
	if want := []budget.Poll{{}, {FIFO: true}, {}, {Bounded: true}}; !slices.Equal(polls, want) {
		t.Fatalf("the template has Lambda poll %+v, want %+v: orders, the inbox, the wake queue and activities", polls, want)
	}
	f := newFleet(t, 1, 0, false)
	f.collect()
	f.usage = budget.Usage{Instances: 1, Invocations: 1, Messages: 3} // it waits for seven answers, some at a time
	if err := f.o.sweep(t.Context()); err != nil {
		t.Fatal(err)
	}
	f.collect()
	return budget.Idle(f.usage, polls)
}

// costRow is what one instance uses, and what a million activities cost.
type costRow struct {
	Workload                                     string
	Writes, IndexWrites, Reads, SQS, Invocations float64
	// Dollars are for everything, Turns for what the turns themselves need of it, Provisioned for everything where the table's capacity is provisioned, Purge for
	// removing the instances afterwards.
	Dollars, Turns, Provisioned, Purge float64
	Of                                 budget.Dollars
}

// report writes the tables of docs/cost.md, and the same as JSON.
func report(t *testing.T, rows []costRow, idle []budget.Line, month float64) {
	var text bytes.Buffer
	p := func(format string, args ...any) { fmt.Fprintf(&text, format, args...) }
	p("| workload | write units | of the index | read units | SQS requests | invocations | DynamoDB | SQS | Lambda | $ for 1 M activities | of it turns | provisioned | and a purge |\n")
	p("|---|---|---|---|---|---|---|---|---|---|---|---|---|\n")
	for _, r := range rows {
		p("| %s | %.2f | %.2f | %.2f | %.2f | %.2f | %.2f | %.2f | %.2f | **%.2f** | %.2f | %.2f | %.2f |\n", r.Workload, r.Writes, r.IndexWrites, r.Reads, r.SQS, r.Invocations,
			r.Of.DynamoDB/5, r.Of.SQS/5, r.Of.Lambda/5, r.Dollars, r.Turns, r.Provisioned, r.Purge)
	}
	peers := budget.Peers(20e3)
	for _, peer := range peers {
		p("| %s | | | | | | | | | **%.2f** | | | |\n", peer.Name, peer.PerActivities)
	}
	p("\n| a month in which nothing happens | | $ |\n|---|---|---|\n")
	for _, l := range idle {
		p("| %s | %.0f | %.3f |\n", l.What, l.Count, l.Dollars)
	}
	p("| together | | **%.2f** |\n", month)
	b, err := json.MarshalIndent(map[string]any{"rows": rows, "peers": peers, "idle": idle, "month": month}, "", "\t")
	if err == nil {
		err = os.MkdirAll("../../build", 0o755)
	}
	if err == nil {
		err = os.WriteFile("../../build/cost.json", b, 0o644)
	}
	if err == nil {
		err = os.WriteFile("../../build/cost.md", text.Bytes(), 0o644)
	}
	if err != nil {
		t.Fatal(err)
	}
}

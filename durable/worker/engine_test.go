package worker_test

import (
	"context"
	"testing"

	"github.com/durable-lambda/durable-lambda/durable"
	"github.com/durable-lambda/durable-lambda/durable/backend"
	hist "github.com/durable-lambda/durable-lambda/durable/history"
	"github.com/durable-lambda/durable-lambda/durable/store"
	"github.com/durable-lambda/durable-lambda/durable/worker"
)

// newer is a table as a worker of a newer version would write it: its segments have a flag that this one does not know.
type newer struct{ backend.Table }

func (n newer) Put(ctx context.Context, item backend.Item, cond backend.Condition) error {
	if seg, err := hist.DecodeSegment(item.Value); err == nil {
		seg.Engine = 4
		item.Value = seg.Encode()
	}
	return n.Table.Put(ctx, item, cond)
}

// older is a table as that newer worker would read it, which knows the flag.
type older struct{ backend.Table }

func (o older) Query(ctx context.Context, partition, from, to string, limit int) ([]backend.Item, error) {
	items, err := o.Table.Query(ctx, partition, from, to, limit)
	for i := range items {
		if seg, err := hist.DecodeSegment(items[i].Value); err == nil {
			seg.Engine = 0
			items[i].Value = seg.Encode()
		}
	}
	return items, err
}

func TestUnknownEngineFlagsSuspend(t *testing.T) {
	t.Parallel()
	body := hello.Bind(func(ctx durable.Context, in string) (string, error) {
		if _, err := greet.Call(ctx, in); err != nil {
			return "", err
		}
		ok, err := yes.Next(ctx).Await()
		if err == nil && !ok {
			in = "no"
		}
		return in, err
	})
	h := newHub(t, worker.Config{}, greet.Bind(greetBody), body)
	with := func(build string, wrap func(backend.Table) backend.Table) {
		b := h.memory.Backend()
		b.Table = wrap(b.Table)
		h.cfg.Store = store.New(store.Config{Backend: b, Now: h.cfg.Store.Now})
		h.deploy(build, greet.Bind(greetBody), body)
	}
	with("newer", func(b backend.Table) backend.Table { return newer{b} })
	h.submit("one")
	h.orchestrate()
	with("older", func(b backend.Table) backend.Table { return b })
	h.settle()
	h.suspendedWith("one", "a newer version of the engine", "flags 0x4", "then resume")
	h.raise("one")
	h.manage("one", durable.Resume, "")
	h.settle()
	h.suspendedWith("one", "a newer version of the engine")
	with("newer again", func(b backend.Table) backend.Table { return older{b} })
	h.manage("one", durable.Resume, "")
	h.settle()
	if in := h.is("one", durable.Completed); string(in.Output) != `"in"` {
		t.Errorf("it ended with %s", in.Output)
	}
	with("older", func(b backend.Table) backend.Table { return newer{b} })
	h.submit("two")
	h.orchestrate()
	with("older", func(b backend.Table) backend.Table { return b })
	h.manage("two", durable.Terminate, "enough") // which takes no replay
	h.settle()
	h.is("two", durable.Terminated)
}

package codec_test

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/durable-lambda/durable-lambda/durable"
	"github.com/durable-lambda/durable-lambda/durable/backend"
	"github.com/durable-lambda/durable-lambda/durable/backend/backendtest"
	"github.com/durable-lambda/durable-lambda/durable/backend/memory"
	"github.com/durable-lambda/durable-lambda/durable/client"
	"github.com/durable-lambda/durable-lambda/durable/codec"
	"github.com/durable-lambda/durable-lambda/durable/codec/aesgcm"
	"github.com/durable-lambda/durable-lambda/durable/store"
	"github.com/durable-lambda/durable-lambda/durable/worker"
)

func key(id string) aesgcm.Key {
	return aesgcm.Key{ID: id, Secret: bytes.Repeat([]byte(id), 32)[:32]}
}

func keys(t testing.TB, newest string, older ...string) codec.Config {
	t.Helper()
	var more []aesgcm.Key
	for _, id := range older {
		more = append(more, key(id))
	}
	c, err := aesgcm.New(key(newest), more...)
	if err != nil {
		t.Fatal(err)
	}
	return codec.Config{Codec: c}
}

func TestConformance(t *testing.T) {
	t.Parallel()
	strict := keys(t, "k1")
	strict.RefusePlain = true
	for name, c := range map[string]codec.Config{"encrypted": keys(t, "k1"), "nothing plain": strict, "without a codec": {}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			backendtest.Run(t, backendtest.Config{
				Open: func(*testing.T) backendtest.System {
					return backendtest.System{Backend: codec.Wrap(memory.New(memory.Options{}).Backend(), c)}
				},
				Bubble: synctest.Test, Parallel: true, Ordered: true, DedupWindow: memory.DedupWindow, Overhead: codec.Overhead,
				Visibility: memory.DefaultVisibility, ActivityVisibility: memory.DefaultActivityVisibility,
			})
		})
	}
}

// spy keeps all that reaches the storage.
type spy struct {
	backend.Table
	backend.Blobs
	seen *[][]byte
}

type spyTable struct{ spy }

func (s spyTable) Put(ctx context.Context, i backend.Item, c backend.Condition) error {
	*s.seen = append(*s.seen, bytes.Clone(i.Value), []byte(i.Partition+i.Sort+i.Owner))
	if i.Index != nil {
		*s.seen = append(*s.seen, bytes.Clone(i.Index.Summary), []byte(i.Index.Partition+i.Index.Sort))
	}
	return s.Table.Put(ctx, i, c)
}

func (s spyTable) Delete(ctx context.Context, k backend.Key) error { return s.Table.Delete(ctx, k) }
func (s spyTable) Get(ctx context.Context, k backend.Key) (*backend.Item, error) {
	return s.Table.Get(ctx, k)
}

type spyBlobs struct{ spy }

func (s spyBlobs) Put(ctx context.Context, key string, data []byte) error {
	*s.seen = append(*s.seen, bytes.Clone(data), []byte(key))
	return s.Blobs.Put(ctx, key, data)
}
func (s spyBlobs) Delete(ctx context.Context, key string) error        { return s.Blobs.Delete(ctx, key) }
func (s spyBlobs) Get(ctx context.Context, key string) ([]byte, error) { return s.Blobs.Get(ctx, key) }

type spyQueue struct {
	backend.Queue
	seen *[][]byte
}

func (s spyQueue) Send(ctx context.Context, messages []backend.Message) []error {
	for _, m := range messages {
		*s.seen = append(*s.seen, bytes.Clone(m.Body), []byte(m.ID+m.Group))
	}
	return s.Queue.Send(ctx, messages)
}

// hub runs orchestrations over a backend, one batch after the other.
type hub struct {
	t      *testing.T
	ports  backend.Backend
	client durable.Client
	worker *worker.Worker
	log    strings.Builder
}

var (
	confide  = durable.NewOrchestration[string, string]("Confide")
	keep     = durable.NewActivity[string, string]("Keep")
	whispers = durable.NewEvent[string]("Whisper")
)

const secret = "rosebud"

func newHub(t *testing.T, ports backend.Backend) *hub {
	t.Helper()
	h := &hub{t: t, ports: ports}
	st := store.New(store.Config{Backend: ports})
	h.client = client.New(st)
	w, err := worker.New(worker.Config{Store: st, Handlers: []durable.Handler{
		keep.Bind(func(_ context.Context, s string) (string, error) {
			if strings.HasSuffix(s, "!") {
				return "", durable.WithProperties(errors.New("it is "+s), map[string]string{"what": s})
			}
			return s + strings.Repeat("."+secret, 4000), nil // a blob
		}),
		confide.Bind(func(ctx durable.Context, s string) (string, error) {
			ctx.SetStatus(s)
			_, failed := keep.Call(ctx, s+"!")
			long, err := keep.Call(ctx, s)
			if err != nil || failed == nil {
				return "", errors.Join(err, errors.New("it did not fail"))
			}
			step, err := durable.Step(ctx, "step", func(context.Context) (string, error) { return s, nil })
			if err != nil {
				return "", err
			}
			w, err := whispers.Next(ctx).Await()
			return step + w + long[:3], err
		}),
	}})
	if err != nil {
		t.Fatal(err)
	}
	h.worker = w
	return h
}

func (h *hub) settle() {
	h.t.Helper()
	ctx := h.t.Context()
	one := func(ctx context.Context, batch []backend.Delivery) []worker.Outcome {
		var out []worker.Outcome
		for _, d := range batch {
			out = append(out, h.worker.Activity(ctx, d))
		}
		return out
	}
	for busy := true; busy; {
		busy = false
		for _, q := range []struct {
			backend.Queue
			handle func(context.Context, []backend.Delivery) []worker.Outcome
		}{{h.ports.Wake, h.worker.Wake}, {h.ports.Inbox, h.worker.Inbox}, {h.ports.Activities, one}} {
			batch, err := q.Receive(ctx, backend.MaxBatch, 0)
			if err != nil {
				h.t.Fatal(err)
			}
			for i, o := range q.handle(ctx, batch) {
				if !o.Ack {
					h.log.WriteString(o.Err.Error() + "\n")
					if err := q.Defer(ctx, batch[i], time.Hour); err != nil {
						h.t.Fatal(err)
					}
					continue
				}
				busy = true
				if err := q.Ack(ctx, batch[i:i+1]); err != nil {
					h.t.Fatal(err)
				}
			}
		}
	}
}

func (h *hub) start(id string) {
	h.t.Helper()
	if _, err := confide.Submit(h.t.Context(), h.client, secret, durable.ID(id)); err != nil {
		h.t.Fatal(err)
	}
}

func (h *hub) is(id string, want durable.Status) durable.Instance {
	h.t.Helper()
	in, err := h.client.Get(h.t.Context(), id)
	if err != nil || in.Status != want {
		h.t.Fatalf("%s is %s, %v; want %s (%s)", id, in.Status, err, want, &h.log)
	}
	return in
}

// run takes an instance to its end.
func (h *hub) run(id string) {
	h.t.Helper()
	h.start(id)
	h.settle()
	if err := whispers.Raise(h.t.Context(), h.client, id, secret); err != nil {
		h.t.Fatal(err)
	}
	h.settle()
	if in := h.is(id, durable.Completed); string(in.Output) != `"`+secret+secret+`ros"` || string(in.CustomStatus) != `"`+secret+`"` {
		h.t.Errorf("it ended with %s, status %s", in.Output, in.CustomStatus)
	}
}

func TestNothingPlainIsStoredOrSent(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]codec.Config{"encrypted": keys(t, "k1"), "plain": {}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var seen [][]byte
			b := memory.New(memory.Options{}).Backend()
			s := spy{b.Table, b.Blobs, &seen}
			b.Table, b.Blobs = spyTable{s}, spyBlobs{s}
			for _, q := range []*backend.Queue{&b.Inbox, &b.Wake, &b.Activities} {
				*q = spyQueue{*q, &seen}
			}
			h := newHub(t, codec.Wrap(b, c))
			h.run("one")
			list, err := h.client.List(t.Context(), durable.Query{})
			if err != nil || len(list.Instances) != 1 || list.Instances[0].Name != "Confide" {
				t.Errorf("the list is %+v, %v", list, err)
			}
			if err := h.client.Purge(t.Context(), "one"); err != nil {
				t.Error(err)
			}
			found, names := 0, 0
			for _, b := range seen {
				if bytes.Contains(b, []byte(secret)) {
					found++
				}
				if bytes.Contains(b, []byte("Confide")) {
					names++
				}
			}
			if (found > 0 || names > 0) != (c.Codec == nil) {
				t.Errorf("%d of %d values show the secret, %d the orchestration's name", found, len(seen), names)
			}
		})
	}
}

// A hub gets a codec, and other keys, while its instances run.
func TestCodecsChangeWhileInstancesRun(t *testing.T) {
	t.Parallel()
	b := memory.New(memory.Options{}).Backend()
	stages := []codec.Config{{}, keys(t, "k1"), keys(t, "k1", "k2"), keys(t, "k2", "k1")}
	for i, c := range stages {
		h := newHub(t, codec.Wrap(b, c))
		h.start(string(rune('a' + i)))
		h.settle()
		for k := range i + 1 {
			h.is(string(rune('a'+k)), durable.Running)
		}
	}
	h := newHub(t, codec.Wrap(b, stages[3]))
	for i := range stages {
		if err := whispers.Raise(t.Context(), h.client, string(rune('a'+i)), secret); err != nil {
			t.Fatal(err)
		}
		h.settle()
		h.is(string(rune('a'+i)), durable.Completed)
	}
}

// Who lacks a key fails nothing and loses nothing.
func TestAMissingKeyOnlyDelays(t *testing.T) {
	t.Parallel()
	clock := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	b := memory.New(memory.Options{Now: func() time.Time { return clock }}).Backend()
	right := newHub(t, codec.Wrap(b, keys(t, "k1")))
	right.start("one")
	for name, c := range map[string]struct {
		codec.Config
		says string
	}{"another key": {keys(t, "k2"), `the key "k1", which this program does not have`}, "none": {codec.Config{}, "this program was given no codec"}} {
		wrong := newHub(t, codec.Wrap(b, c.Config))
		wrong.settle()
		if !strings.Contains(wrong.log.String(), c.says) {
			t.Errorf("%s: the log says %q, want %q", name, &wrong.log, c.says)
		}
		if _, err := wrong.client.Get(t.Context(), "one"); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: its status is %v, want %q", name, err, c.says)
		}
		if _, err := confide.Submit(t.Context(), wrong.client, secret, durable.ID("one")); err == nil {
			t.Errorf("%s: it is started a second time", name)
		}
		clock = clock.Add(2 * time.Hour)
	}
	right.settle()
	right.is("one", durable.Running)
}

// What somebody has changed or moved is refused, and nothing comes of it.
func TestWhatWasTamperedWithIsRefused(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	inner := memory.New(memory.Options{}).Backend()
	b := codec.Wrap(inner, keys(t, "k1"))
	a, z := backend.Key{Partition: "p", Sort: "a"}, backend.Key{Partition: "p", Sort: "z"}
	for _, k := range []backend.Key{a, z} {
		if err := b.Table.Put(ctx, backend.Item{Key: k, Value: []byte("value of " + k.Sort)}, backend.Absent()); err != nil {
			t.Fatal(err)
		}
	}
	sound, _ := inner.Table.Get(ctx, a)
	other, _ := inner.Table.Get(ctx, z)
	for name, stored := range map[string][]byte{
		"another item's": other.Value, "cut": sound.Value[:len(sound.Value)-1], "only the mark": sound.Value[:4],
		"cut in the key's name": sound.Value[:6], "longer": append(bytes.Clone(sound.Value), 0),
		"a flipped bit": append(bytes.Clone(sound.Value[:len(sound.Value)-1]), sound.Value[len(sound.Value)-1]^1),
	} {
		if err := inner.Table.Put(ctx, backend.Item{Key: a, Value: stored}, backend.Always()); err != nil {
			t.Fatal(err)
		}
		if got, err := b.Table.Get(ctx, a); err == nil || !strings.Contains(err.Error(), "cannot be decoded") {
			t.Errorf("%s: got %v, %v", name, got, err)
		}
		if got, err := b.Table.Query(ctx, "p", "", "", 10); err == nil {
			t.Errorf("%s: the query has %v", name, got)
		}
		var failed *backend.ConditionError
		if err := b.Table.Put(ctx, backend.Item{Key: a, Value: []byte("new")}, backend.Absent()); err == nil || errors.As(err, &failed) {
			t.Errorf("%s: a put that finds it: %v", name, err)
		}
	}
	strict := keys(t, "k1")
	strict.RefusePlain = true
	if err := inner.Table.Put(ctx, backend.Item{Key: a, Value: []byte("plain")}, backend.Always()); err != nil {
		t.Fatal(err)
	}
	if got, err := codec.Wrap(inner, strict).Table.Get(ctx, a); err == nil || !strings.Contains(err.Error(), "plain values are refused") {
		t.Errorf("a plain value: got %v, %v", got, err)
	}
	if got, err := b.Table.Get(ctx, a); err != nil || string(got.Value) != "plain" {
		t.Errorf("a plain value where it is allowed: got %v, %v", got, err)
	}
}

// wide is a codec that makes values too long.
type wide struct{ codec.Codec }

func (wide) Encode(_ context.Context, _ codec.Where, plain []byte) ([]byte, error) {
	return append(make([]byte, codec.Overhead), plain...), nil
}

func TestACodecThatFailsIsAFailureOfThePort(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	b := codec.Wrap(memory.New(memory.Options{}).Backend(), codec.Config{Codec: wide{}})
	if err := b.Table.Put(ctx, backend.Item{Key: backend.Key{Partition: "p", Sort: "s"}, Value: []byte("v")}, backend.Absent()); err == nil {
		t.Error("an item is put")
	}
	if err := b.Blobs.Put(ctx, "k", []byte("v")); err == nil {
		t.Error("a blob is put")
	}
	errs := b.Inbox.Send(ctx, []backend.Message{{Group: "g", Body: []byte("v")}, {Group: "g"}})
	if len(errs) != 2 || errs[0] == nil || errs[1] != nil {
		t.Errorf("sent: %v, want an error for the first", errs)
	}
	if got, err := b.Inbox.Receive(ctx, 10, 0); err != nil || len(got) != 1 || len(got[0].Body) > 0 {
		t.Errorf("received: %v, %v, want the second", got, err)
	}
}

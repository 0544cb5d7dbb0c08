package pebble_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"

	"github.com/durable-lambda/durable-lambda/durable/backend"
	"github.com/durable-lambda/durable-lambda/durable/backend/pebble"
)

// TestReadsReturnOnlyWhatIsDurable holds up the sync of a write, and reads in the meantime.
func TestReadsReturnOnlyWhatIsDurable(t *testing.T) {
	t.Parallel()
	syncing, proceed := make(chan struct{}, 100), make(chan struct{})
	var held atomic.Bool
	fs := errorfs.Wrap(vfs.NewMem(), errorfs.InjectorFunc(func(op errorfs.Op) error {
		if held.Load() && op.Kind == errorfs.OpFileSyncData && strings.HasSuffix(op.Path, ".log") {
			syncing <- struct{}{}
			<-proceed
		}
		return nil
	}))
	b := mustOpen(t, "data", pebble.Options{FS: fs}).Backend()
	held.Store(true)
	item := backend.Item{Key: backend.Key{Partition: "p", Sort: "s"}, Value: []byte("v")}
	put := make(chan error, 2)
	go func() { put <- b.Table.Put(t.Context(), item, backend.Absent()) }()
	<-syncing
	go func() { put <- b.Blobs.Put(t.Context(), "key", []byte("data")) }()

	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if got, err := b.Table.Get(ctx, item.Key); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Get before the sync: got %v and error %v, want it to wait", got, err)
	}
	ctx, cancel = context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if got, err := b.Table.Query(ctx, "p", "", "", 1); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Query before the sync: got %v and error %v, want it to wait", got, err)
	}
	close(proceed)
	for range 2 {
		if err := <-put; err != nil {
			t.Error(err)
		}
	}
	if got, err := b.Table.Get(t.Context(), item.Key); got == nil || err != nil {
		t.Errorf("Get after the sync: got %v and error %v, want the item", got, err)
	}
	if got, err := b.Blobs.Get(t.Context(), "key"); string(got) != "data" || err != nil {
		t.Errorf("Get of the blob after the sync: got %q and error %v", got, err)
	}
}

// TestRacingPutsHaveOneWinner races more than the conformance suite can afford.
func TestRacingPutsHaveOneWinner(t *testing.T) {
	t.Parallel()
	table := mustOpen(t, "data", pebble.Options{FS: vfs.NewMem()}).Backend().Table
	for round := range 300 {
		var wins atomic.Int32
		var wg sync.WaitGroup
		start := make(chan struct{})
		for range 8 {
			wg.Go(func() {
				<-start
				item := backend.Item{Key: backend.Key{Partition: "p", Sort: fmt.Sprint(round)}}
				if table.Put(t.Context(), item, backend.Absent()) == nil {
					wins.Add(1)
				}
			})
		}
		close(start)
		wg.Wait()
		if wins.Load() != 1 {
			t.Fatalf("round %d: %d puts won, want 1", round, wins.Load())
		}
	}
}

func send(t *testing.T, q backend.Queue, messages ...backend.Message) {
	t.Helper()
	if err := errors.Join(q.Send(t.Context(), messages)...); err != nil {
		t.Fatal(err)
	}
}

func receive(t *testing.T, q backend.Queue, want ...string) []backend.Delivery {
	t.Helper()
	got, err := q.Receive(t.Context(), backend.MaxBatch, 0)
	if err != nil {
		t.Fatal(err)
	}
	var bodies []string
	for _, d := range got {
		bodies = append(bodies, string(d.Body))
	}
	if strings.Join(bodies, ",") != strings.Join(want, ",") {
		t.Fatalf("received %q, want %q", bodies, want)
	}
	return got
}

// reopener closes and opens the same folder.
type reopener struct {
	t     *testing.T
	clock *clock
	fs    vfs.FS
	*pebble.Backend
}

func newReopener(t *testing.T) *reopener {
	r := &reopener{t: t, clock: newClock(), fs: vfs.NewMem()}
	r.Backend = mustOpen(t, "data", pebble.Options{FS: r.fs, Now: r.clock.Now})
	return r
}

func (r *reopener) reopen() {
	r.t.Helper()
	if err := r.Close(); err != nil {
		r.t.Fatal(err)
	}
	r.Backend = mustOpen(r.t, "data", pebble.Options{FS: r.fs, Now: r.clock.Now})
}

func TestRestartMakesUnacknowledgedMessagesReady(t *testing.T) {
	t.Parallel()
	r := newReopener(t)
	for _, body := range []string{"1", "2", "3"} {
		send(t, r.Backend.Backend().Inbox, backend.Message{Group: "g", Body: []byte(body)})
	}
	got := receive(t, r.Backend.Backend().Inbox, "1", "2", "3")
	if err := r.Backend.Backend().Inbox.Ack(t.Context(), got[:1]); err != nil {
		t.Fatal(err)
	}
	r.reopen()
	again := receive(t, r.Backend.Backend().Inbox, "2", "3")
	if err := r.Backend.Backend().Inbox.Defer(t.Context(), got[1], 0); err != nil {
		t.Fatal(err)
	}
	receive(t, r.Backend.Backend().Inbox)
	send(t, r.Backend.Backend().Inbox, backend.Message{Group: "g", Body: []byte("4")})
	if err := r.Backend.Backend().Inbox.Ack(t.Context(), again); err != nil {
		t.Fatal(err)
	}
	receive(t, r.Backend.Backend().Inbox, "4")
}

func TestRestartKeepsDelays(t *testing.T) {
	t.Parallel()
	r := newReopener(t)
	send(t, r.Backend.Backend().Wake, backend.Message{Body: []byte("m"), Delay: time.Minute})
	r.clock.Advance(30 * time.Second)
	r.reopen()
	r.clock.Advance(29 * time.Second)
	receive(t, r.Backend.Backend().Wake)
	r.clock.Advance(time.Second)
	receive(t, r.Backend.Backend().Wake, "m")
}

// Two messages of one id are both alive when the second was sent after the window.
func TestRestartKeepsBothMessagesOfAnID(t *testing.T) {
	t.Parallel()
	r := newReopener(t)
	send(t, r.Backend.Backend().Inbox, backend.Message{ID: "id", Group: "g", Body: []byte("1")})
	r.clock.Advance(pebble.DedupWindow)
	send(t, r.Backend.Backend().Inbox, backend.Message{ID: "id", Group: "g", Body: []byte("2")})
	r.reopen()
	receive(t, r.Backend.Backend().Inbox, "1", "2")
}

func TestReceiveWakesWhenADelayEnds(t *testing.T) {
	t.Parallel()
	b := mustOpen(t, "data", pebble.Options{FS: vfs.NewMem()}).Backend()
	send(t, b.Wake, backend.Message{Body: []byte("m"), Delay: 20 * time.Millisecond})
	got, err := b.Wake.Receive(t.Context(), 1, 20*time.Second)
	if len(got) != 1 || err != nil {
		t.Errorf("got %v and error %v, want the message", got, err)
	}
}

func TestCloseEndsEveryCall(t *testing.T) {
	t.Parallel()
	opened, err := pebble.Open("data", pebble.Options{FS: vfs.NewMem()})
	if err != nil {
		t.Fatal(err)
	}
	b := opened.Backend()
	waiting := make(chan error)
	go func() {
		_, err := b.Inbox.Receive(t.Context(), 1, 20*time.Second)
		waiting <- err
	}()
	for range 2 {
		if err := opened.Close(); err != nil {
			t.Fatal(err)
		}
	}
	_, getErr := b.Table.Get(t.Context(), backend.Key{Partition: "p", Sort: "s"})
	_, blobErr := b.Blobs.Get(t.Context(), "key")
	for what, err := range map[string]error{
		"the Receive that waits": <-waiting, "Get": getErr, "Blobs.Get": blobErr,
		"Send": errors.Join(b.Inbox.Send(t.Context(), []backend.Message{{Group: "g"}})...),
		"Ack":  b.Inbox.Ack(t.Context(), nil),
	} {
		if !errors.Is(err, backend.ErrClosed) {
			t.Errorf("%s: got error %v, want ErrClosed", what, err)
		}
	}
}

func TestDeleteExpired(t *testing.T) {
	t.Parallel()
	r := newReopener(t)
	table := r.Backend.Backend().Table
	lives := map[string]time.Duration{"soon": time.Minute, "later": time.Hour, "moved": time.Minute, "never": 0}
	for sort, expires := range lives {
		item := backend.Item{Key: backend.Key{Partition: "p", Sort: sort}}
		if expires != 0 {
			item.Expires = r.clock.Now().Add(expires)
		}
		item.Index = &backend.IndexEntry{Partition: "i", Sort: sort}
		if err := table.Put(t.Context(), item, backend.Absent()); err != nil {
			t.Fatal(err)
		}
		if sort == "moved" {
			item.Expires = r.clock.Now().Add(time.Hour)
			if err := table.Put(t.Context(), item, backend.Always()); err != nil {
				t.Fatal(err)
			}
		}
	}
	for _, step := range []struct {
		pass time.Duration
		want int
	}{{time.Minute - time.Second, 0}, {time.Second, 1}, {time.Hour, 2}, {time.Hour, 0}} {
		r.clock.Advance(step.pass)
		if got, err := r.DeleteExpired(t.Context()); got != step.want || err != nil {
			t.Errorf("after %v more: DeleteExpired returned %d and %v, want %d", step.pass, got, err, step.want)
		}
	}
	left, err := table.Index(t.Context(), "i", "", "", 10)
	if len(left) != 1 || left[0].Key.Sort != "never" || err != nil {
		t.Errorf("got %v and error %v, want the item that never expires", left, err)
	}
}

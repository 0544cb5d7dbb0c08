package store_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/durable-lambda/durable-lambda/durable/backend"
	"github.com/durable-lambda/durable-lambda/durable/history"
	"github.com/durable-lambda/durable-lambda/durable/store"
)

// The keys and identities are part of the stored format: another value here is another format.
func TestKeysAndIdentitiesNeverChange(t *testing.T) {
	t.Parallel()
	h := newHub()
	m := start("Größe 1", life, nil)
	h.create(t, m)
	mine := h.load(t, "Größe 1", life)
	seg := segment("a")
	seg.Events[0].Data.Bytes = json(20_000)
	if err := h.Commit(t.Context(), mine, seg); err != nil {
		t.Fatal(err)
	}
	out := h.Outbox()
	at := epoch.Add(time.Hour)
	out.At(timer("Größe 1", "2.0.1", at), at)
	flush(t, out)

	var got []string
	for _, item := range h.memory.Items() {
		got = append(got, item.Partition+" "+item.Sort)
		if item.Index != nil {
			got = append(got, item.Index.Partition+" "+item.Index.Sort+" "+string(item.Index.Summary))
		}
	}
	got = append(got, mine.Segments[0].Events[0].Data.Blob,
		store.Group("Größe 1"), store.StartID("Größe 1", life), store.CallID("Größe 1", life, "call"),
		store.OperationID("Größe 1", life, 0, "2.0.1", 0), store.OperationID("Größe 1", life, 3, "2.0.1", 7))
	want := []string{
		"due#1 1767229200000#061929ff32ed234d2c1380b9e0b3414b",
		"i#Größe 1 b!01JGFJJZ00AAAAAAAAAAAAAAAA",
		"i#Größe 1 h#01JGFJJZ00AAAAAAAAAAAAAAAA#00000000#00000000",
		"i#Größe 1 row",
		"open#1 8232774399999#01JGFJJZ00AAAAAAAAAAAAAAAA Hello",
		"f345bb96445e5c52f6f358acad48de33/01JGFJJZ00AAAAAAAAAAAAAAAA/f67e739d99ee63f81e861dbc19743d489833a6c380534f8e3fe48898ad59de78",
		"f345bb96445e5c52f6f358acad48de33",
		"157a7128117aa3811d943e219e2764a9",
		"7a400f7476ca012a0180231c2b8ec886",
		"061929ff32ed234d2c1380b9e0b3414b",
		"6e5b9bcbdd385c0aa215e31d20fc5970",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestIdentitiesDiffer(t *testing.T) {
	t.Parallel()
	seen := map[string]string{}
	check := func(what, id string) {
		t.Helper()
		if other, taken := seen[id]; taken {
			t.Errorf("%s and %s are the same", what, other)
		}
		seen[id] = what
		m := backend.Message{ID: id, Group: id}
		if err := backend.CheckMessage(m, true); err != nil {
			t.Errorf("%s: %v", what, err)
		}
	}
	for _, id := range []string{"i", "i1", strings.Repeat("世", 256)} {
		check("group of "+id, store.Group(id))
		for _, inc := range []string{life, lifeB} {
			check("start "+id+inc, store.StartID(id, inc))
			for _, call := range []string{"1", "11", "start", "op"} {
				check("call "+id+inc+call, store.CallID(id, inc, call))
			}
			for _, op := range []string{"1", "11", "1.1"} {
				for n := range uint64(3) {
					check(fmt.Sprint("generation ", n, id, inc, op), store.OperationID(id, inc, n, op, 0))
					check(fmt.Sprint("epoch ", n+1, id, inc, op), store.OperationID(id, inc, 0, op, uint32(n)+1))
				}
			}
		}
	}
	if store.CallID("a", "bc", "d") == store.CallID("ab", "c", "d") {
		t.Error("the parts of an identity run into each other")
	}
}

func TestIncarnationsAreOrdered(t *testing.T) {
	t.Parallel()
	h := newHub()
	old := ""
	for n := range 50 {
		next, err := h.NewIncarnation(old)
		if err != nil {
			t.Fatal(err)
		}
		if next <= old || len(next) != 26 {
			t.Fatalf("%s follows %s", next, old)
		}
		old = next
		switch n {
		case 10:
			h.now = h.now.Add(time.Hour)
		case 20:
			h.now = h.now.Add(-24 * time.Hour) // a starter whose clock is late
		}
	}
	if next, err := h.NewIncarnation("not one of ours"); err != nil || len(next) != 26 {
		t.Errorf("after another kind of id: %q, %v", next, err)
	}
}

func TestNewIDsDiffer(t *testing.T) {
	t.Parallel()
	h := newHub()
	a, errA := h.NewID()
	b, errB := h.NewID()
	if errA != nil || errB != nil || a == b || history.CheckInstanceID(a) != nil {
		t.Errorf("got %q and %q, %v, %v", a, b, errA, errB)
	}
}

type noRandom struct{}

func (noRandom) Read([]byte) (int, error) { return 0, fmt.Errorf("no entropy") }

func TestWithoutRandomBytesNothingIsCommitted(t *testing.T) {
	t.Parallel()
	h := newHub()
	s := store.New(store.Config{Backend: h.ports, Rand: noRandom{}})
	mine, err := s.Load(t.Context(), "i", life, 0)
	if err != nil {
		t.Fatal(err)
	}
	_, errID := s.NewID()
	_, errLife := s.NewIncarnation("")
	_, errSeal := s.Seal(t.Context(), "i", history.Version{Incarnation: life})
	for what, err := range map[string]error{"Commit": s.Commit(t.Context(), mine, segment("a")), "NewID": errID, "NewIncarnation": errLife, "Seal": errSeal} {
		if err == nil || !strings.Contains(err.Error(), "entropy") {
			t.Errorf("%s: error is %v", what, err)
		}
	}
	if n := len(h.memory.Items()); n != 0 {
		t.Errorf("%d items were put", n)
	}
}

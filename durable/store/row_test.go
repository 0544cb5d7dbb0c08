package store_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/durable-lambda/durable-lambda/durable/backend"
	"github.com/durable-lambda/durable-lambda/durable/backend/backendtest"
	"github.com/durable-lambda/durable-lambda/durable/history"
)

const (
	lifeB = "01JGFJJZ01BBBBBBBBBBBBBBBB"
	lifeC = "01JGFJJZ01CCCCCCCCCCCCCCCC"
)

// ended returns a hub with an instance whose first life has ended after two segments.
func ended(t *testing.T, h *hub) *history.Version {
	t.Helper()
	row := h.create(t, start("i", life, nil))
	h.commit(t, h.load(t, "i", life), "a", "b")
	h.end(t, row, 2)
	return h.row(t, "i").Version()
}

// creation is a start of i, or another, after the first life of i has ended, and what must come of it.
type creation struct {
	name string
	// before brings the hub into a state, after its first life has ended at version v.
	before   func(t *testing.T, h *hub, v history.Version)
	start    func(v history.Version) *history.Message
	accepted bool
	shown    string // whose row is there after
	sealed   bool   // the first life
}

var creations = []creation{
	{"none named, and one is there", nil,
		func(history.Version) *history.Message { return start("i", lifeB, nil) }, false, life, false},
	{"none named, and none is there", nil,
		func(history.Version) *history.Message { return start("j", lifeB, nil) }, true, life, false},
	{"the named version is there", nil,
		func(v history.Version) *history.Message { return start("i", lifeB, &v) }, true, lifeB, true},
	{"its own row is there: another created it",
		func(t *testing.T, h *hub, v history.Version) { h.create(t, start("i", lifeB, &v)) },
		func(v history.Version) *history.Message { return start("i", lifeB, &v) }, true, lifeB, true},
	{"another has replaced the version",
		func(t *testing.T, h *hub, v history.Version) { h.create(t, start("i", lifeC, &v)) },
		func(v history.Version) *history.Message { return start("i", lifeB, &v) }, false, lifeC, true},
	{"another has sealed and not yet replaced it",
		func(t *testing.T, h *hub, v history.Version) {
			if ok, err := h.Seal(t.Context(), "i", v); !ok || err != nil {
				t.Fatal(ok, err)
			}
		},
		func(v history.Version) *history.Message { return start("i", lifeB, &v) }, true, lifeB, true},
	{"the history goes on at the version",
		func(t *testing.T, h *hub, v history.Version) { h.commit(t, h.load(t, "i", life), "rewound") },
		func(v history.Version) *history.Message { return start("i", lifeB, &v) }, false, life, false},
	{"the row shows more than the version",
		func(t *testing.T, h *hub, v history.Version) {
			h.commit(t, h.load(t, "i", life), "more")
			h.end(t, h.row(t, "i"), 3)
		},
		func(v history.Version) *history.Message { return start("i", lifeB, &v) }, false, life, false},
	{"there is no row of the version",
		func(t *testing.T, h *hub, v history.Version) {
			if err := h.ports.Table.Delete(t.Context(), backend.Key{Partition: "i#i", Sort: "row"}); err != nil {
				t.Fatal(err)
			}
		},
		func(v history.Version) *history.Message { return start("i", lifeB, &v) }, false, "", true},
}

func TestCreate(t *testing.T) {
	t.Parallel()
	for _, c := range creations {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			c.check(t)
		})
	}
}

func (c creation) check(t *testing.T) {
	t.Helper()
	h := newHub()
	v := ended(t, h)
	if c.before != nil {
		c.before(t, h, *v)
	}
	for range 2 { // trying again gives the same answer
		accepted, row, err := h.Create(t.Context(), c.start(*v))
		if err != nil || accepted != c.accepted {
			t.Fatalf("got %v, %v, want %v", accepted, err, c.accepted)
		}
		if accepted && row.Incarnation != lifeB || !accepted && row != nil && row.Incarnation != c.shown {
			t.Errorf("the row returned is of %s", row.Incarnation)
		}
	}
	if row := h.row(t, "i"); row == nil && c.shown != "" || row != nil && row.Incarnation != c.shown {
		t.Errorf("the row is %+v, want one of %s", row, c.shown)
	}
	old := h.load(t, "i", life)
	if sealed := old.Segments[len(old.Segments)-1].Events[0].Kind == history.Sealed; sealed != c.sealed {
		t.Errorf("the first life is sealed: %v, want %v", sealed, c.sealed)
	}
}

func TestCreatedRowIsTheStartRecord(t *testing.T) {
	t.Parallel()
	h := newHub()
	m := start("i", life, nil)
	m.Event.Version, m.Event.Start = 4, &history.Start{Tags: map[string]string{"a": "b"}}
	h.create(t, m)
	want := &history.Row{Instance: "i", Incarnation: life, Start: m.Event, Status: history.StatusPending, Updated: epoch}
	if diff := cmp.Diff(want, h.row(t, "i")); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// Two starts race for one version: whatever the order of their steps, one is accepted, and stays so.
func TestOneVersionHasOneSuccessor(t *testing.T) {
	t.Parallel()
	var h *hub
	var rival func()
	h = newHooked(&hooked{put: func(ctx context.Context, item backend.Item, cond backend.Condition, next putFunc) error {
		if rival != nil && item.Sort == "row" && item.Owner == lifeB {
			r := rival
			rival = nil
			r()
		}
		return next(ctx, item, cond)
	}})
	v := ended(t, h)
	rival = func() { h.create(t, start("i", lifeC, v)) }
	accepted, row, err := h.Create(t.Context(), start("i", lifeB, v))
	if accepted || err != nil || row.Incarnation != lifeC {
		t.Errorf("the later: %v, %+v, %v", accepted, row, err)
	}
	if accepted, _, err := h.Create(t.Context(), start("i", lifeC, v)); !accepted || err != nil {
		t.Errorf("the first again: %v, %v", accepted, err)
	}
}

func TestCreateWhoseAnswerWasLost(t *testing.T) {
	t.Parallel()
	twice := newHooked(&hooked{put: putTwice})
	v := ended(t, twice)
	if ok, _, err := twice.Create(t.Context(), start("i", lifeB, v)); !ok || err != nil {
		t.Errorf("repeated by the SDK: %v, %v", ok, err)
	}
	unknown := failing("table.put", 1, backendtest.After)
	if ok, _, err := unknown.Create(t.Context(), start("i", life, nil)); ok || !errors.Is(err, backendtest.ErrInjected) {
		t.Errorf("unknown: %v, %v", ok, err)
	}
	if ok, _, err := unknown.Create(t.Context(), start("i", life, nil)); !ok || err != nil {
		t.Errorf("repeated by the caller: %v, %v", ok, err)
	}
}

func TestProject(t *testing.T) {
	t.Parallel()
	h := newHub()
	row := h.create(t, start("i", life, nil))
	project := func(incarnation string, n uint64, reason string) {
		t.Helper()
		r := *row
		r.Incarnation, r.Number, r.Status, r.SuspendReason = incarnation, n, history.StatusSuspended, reason
		r.Updated = epoch.Add(time.Duration(n) * time.Second)
		if err := h.Project(t.Context(), &r); err != nil {
			t.Fatal(err)
		}
	}
	shown := func(n uint64, reason string) {
		t.Helper()
		if got := h.row(t, "i"); got.Number != n || got.SuspendReason != reason || got.Incarnation != life {
			t.Errorf("the row shows %d %q of %s, want %d %q", got.Number, got.SuspendReason, got.Incarnation, n, reason)
		}
	}
	project(life, 2, "two")
	shown(2, "two")
	project(life, 1, "late")
	shown(2, "two")
	project(life, 2, "again")
	shown(2, "two")
	project(lifeB, 9, "of another life")
	shown(2, "two")
	project(life, 10, "ten")
	shown(10, "ten")

	ghost := *row
	ghost.Instance = "ghost"
	if err := h.Project(t.Context(), &ghost); err != nil || h.row(t, "ghost") != nil {
		t.Errorf("a row that is not there was made: %v", err)
	}
}

func TestProjectReportsTheTablesErrors(t *testing.T) {
	t.Parallel()
	h := failing("table.put", 2, backendtest.Before)
	row := h.create(t, start("i", life, nil))
	row.Number = 1
	if err := h.Project(t.Context(), row); !errors.Is(err, backendtest.ErrInjected) {
		t.Errorf("error is %v", err)
	}
}

func TestRowOfNobodyIsNil(t *testing.T) {
	t.Parallel()
	if row := newHub().row(t, "i"); row != nil {
		t.Errorf("got %+v", row)
	}
}

// TestBegun: whoever looks shows that an instance has begun, and takes nothing back that a worker shows.
func TestBegun(t *testing.T) {
	t.Parallel()
	h := newHub()
	row := h.create(t, start("i", life, nil))
	is := func(when string, row *history.Row, want history.Status) {
		t.Helper()
		got, err := h.Begun(t.Context(), row)
		if err != nil || got.Status != want {
			t.Errorf("%s: %v, %v, want status %d", when, got, err, want)
		}
	}
	is("before the first turn", row, history.StatusPending)
	h.commit(t, h.load(t, "i", life), "a")
	is("after it", row, history.StatusRunning)
	if got := h.row(t, "i"); got.Status != history.StatusRunning || got.Number != 0 || string(got.Start.Data.Bytes) != string(row.Start.Data.Bytes) {
		t.Errorf("the row is %+v", got)
	}
	is("by another who has read the row before", row, history.StatusRunning)
	h.end(t, h.row(t, "i"), 1)
	is("by one who has slept", row, history.StatusCompleted)
	is("after the end", h.row(t, "i"), history.StatusCompleted)
}

func TestBegunOfAStartThatIsScheduled(t *testing.T) {
	t.Parallel()
	h := newHub()
	m := start("i", life, nil)
	m.Event.Start = &history.Start{Due: epoch.Add(time.Hour)}
	row := h.create(t, m)
	h.commit(t, h.load(t, "i", life), "a")
	if got, err := h.Begun(t.Context(), row); err != nil || got.Status != history.StatusPending {
		t.Errorf("%+v, %v: a worker shows when its time has come", got, err)
	}
}

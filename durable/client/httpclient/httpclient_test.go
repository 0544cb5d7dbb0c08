package httpclient_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/durable-lambda/durable-lambda/durable"
	"github.com/durable-lambda/durable-lambda/durable/api"
	"github.com/durable-lambda/durable-lambda/durable/client/httpclient"
	"github.com/durable-lambda/durable-lambda/durable/durabletest"
	"github.com/durable-lambda/durable-lambda/durable/history"
)

type order struct {
	Item  string `json:"item"`
	Count int    `json:"count"`
}

var (
	shop     = durable.NewOrchestration[order, string]("Shop")
	ship     = durable.NewActivity[order, string]("Ship", durable.Retry{Attempts: 1})
	approval = durable.NewEvent[bool]("Approval")
	broken   = durable.NewOrchestration[string, string]("Broken")
	outside  = durable.NewActivity[string, string]("Outside", durable.Async)
	await    = durable.NewOrchestration[string, string]("Await")
)

// place is a hub with both of its clients.
type place struct {
	*durabletest.System
	direct, http durable.Client
	fails        bool
	token        string
	// disturb, when set, decides what becomes of a request: it returns true when it has answered.
	disturb  func(w http.ResponseWriter, r *http.Request, serve func()) bool
	requests int
}

func newPlace(t *testing.T) *place {
	t.Helper()
	p := &place{fails: true}
	p.System = durabletest.New(t,
		shop.Bind(func(ctx durable.Context, o order) (string, error) {
			ctx.SetStatus("waits for " + o.Item[:min(len(o.Item), 20)])
			if yes, err := approval.Within(ctx, time.Hour); err != nil || !yes {
				return "", fmt.Errorf("not approved: %w", err)
			}
			return ship.Call(ctx, o)
		}),
		ship.Bind(func(_ context.Context, o order) (string, error) { return fmt.Sprint(o.Count, " ", o.Item), nil }),
		broken.Bind(func(ctx durable.Context, in string) (string, error) {
			if p.fails {
				return "", durable.WithProperties(fmt.Errorf("no %s: %w", in, durable.ErrorKind("Missing")), map[string]string{"item": in})
			}
			return "mended", nil
		}),
		await.Bind(func(ctx durable.Context, in string) (string, error) { return outside.Call(ctx, in) }),
		outside.Bind(func(ctx context.Context, _ string) (string, error) {
			p.token = durable.Token(ctx)
			return "", durable.ErrPending
		}),
	)
	p.direct = p.Client
	a, err := api.New(api.Config{Client: p.direct, Hub: "hub"})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p.requests++
		if p.disturb != nil && p.disturb(w, r, func() { a.ServeHTTP(httptest.NewRecorder(), r) }) {
			return
		}
		a.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	if p.http, err = httpclient.New(httpclient.Config{URL: server.URL, Patience: 5 * time.Second}); err != nil {
		t.Fatal(err)
	}
	return p
}

// same fails unless both clients show the same of an instance.
func (p *place) same(t *testing.T, id string) durable.Instance {
	t.Helper()
	p.Settle()
	want, err := p.direct.Get(t.Context(), id)
	got, err2 := p.http.Get(t.Context(), id)
	if err != nil || err2 != nil {
		t.Fatal(err, err2)
	}
	if diff := cmp.Diff(normal(want), normal(got), cmp.Transformer("JSON", func(v json.RawMessage) string { return string(v) })); diff != "" {
		t.Errorf("instance %s (-direct +http):\n%s", id, diff)
	}
	history, err := p.direct.History(t.Context(), id)
	over, err2 := p.http.History(t.Context(), id)
	if err != nil || err2 != nil {
		t.Fatal(err, err2)
	}
	if diff := cmp.Diff(history, over, cmp.Transformer("payload", func(p history_) string { return string(p.Bytes) })); diff != "" {
		t.Errorf("history of %s (-direct +http):\n%s", id, diff)
	}
	return got
}

type history_ = history.Payload

func text(v json.RawMessage) (s string) {
	_ = json.Unmarshal(v, &s)
	return s
}

// normal has null where there is no value, which HTTP does not tell apart.
func normal(in durable.Instance) durable.Instance {
	for _, v := range []*json.RawMessage{&in.Input, &in.CustomStatus, &in.Output} {
		if len(*v) == 0 || string(*v) == "null" {
			*v = nil
		}
	}
	return in
}

func TestTheTypedWayWorksOverHTTP(t *testing.T) {
	p := newPlace(t)
	ctx := t.Context()
	run, err := shop.Submit(ctx, p.http, order{"tea", 3}, durable.ID("order 1/ü"[:7]), durable.Tag("team", "blue & co"), durable.Tag("x", "a=b"))
	if err != nil {
		t.Fatal(err)
	}
	in := p.same(t, run.ID())
	if in.Status != durable.Running || string(in.CustomStatus) != `"waits for tea"` || in.Tags["team"] != "blue & co" || in.Tags["x"] != "a=b" || in.Incarnation == "" {
		t.Errorf("got %+v", in)
	}
	if err := approval.Raise(ctx, p.http, run.ID(), true); err != nil {
		t.Fatal(err)
	}
	p.same(t, run.ID())
	if got, err := run.Wait(ctx); err != nil || got != "3 tea" {
		t.Errorf("Wait = %q, %v", got, err)
	}
	if err := approval.Raise(ctx, p.http, run.ID(), true); !errors.Is(err, durable.ErrEnded) {
		t.Errorf("an event after the end: %v", err)
	}
	later, err := shop.Submit(ctx, p.http, order{"milk", 1}, durable.StartAt(p.Now().Add(90*time.Minute).Add(123*time.Millisecond)))
	if err != nil {
		t.Fatal(err)
	}
	if in := p.same(t, later.ID()); in.Status != durable.Pending || in.StartAt.IsZero() {
		t.Errorf("a start for later is %+v", in)
	}
}

func TestStartsOnAllTerms(t *testing.T) {
	p := newPlace(t)
	ctx := t.Context()
	start := func(opts ...durable.StartOption) error {
		_, err := shop.Submit(ctx, p.http, order{"tea", 1}, append(opts, durable.ID("one"))...)
		p.Settle()
		return err
	}
	for _, c := range []struct {
		name string
		opts []durable.StartOption
		want error
	}{
		{"the first", nil, nil},
		{"another", nil, durable.ErrExists},
		{"whatever runs", []durable.StartOption{durable.UseExisting}, nil},
		{"the same", []durable.StartOption{durable.UseSame}, nil},
	} {
		if err := start(c.opts...); !errors.Is(err, c.want) || (err == nil) != (c.want == nil) {
			t.Errorf("%s: %v", c.name, err)
		}
	}
	before := p.same(t, "one").Incarnation
	if err := p.http.Manage(ctx, durable.ManageRequest{Instance: "one", Command: durable.Terminate, Reason: "enough & <more>"}); err != nil {
		t.Fatal(err)
	}
	if in := p.same(t, "one"); in.Status != durable.Terminated || text(in.Output) != "enough & <more>" || in.Incarnation != before {
		t.Errorf("got %+v", in)
	}
	if err := start(durable.ReuseNever); !errors.Is(err, durable.ErrExists) {
		t.Errorf("ReuseNever: %v", err)
	}
	if err := start(durable.ReuseWhen(durable.Completed, durable.Failed)); !errors.Is(err, durable.ErrExists) {
		t.Errorf("ReuseWhen(Completed, Failed): %v", err)
	}
	if err := start(durable.ReuseWhen(durable.Terminated)); err != nil {
		t.Errorf("ReuseWhen(Terminated): %v", err)
	}
	if now := p.same(t, "one").Incarnation; now == before {
		t.Error("it is the life of before")
	}
	if _, err := p.http.Start(ctx, durable.StartRequest{Name: "Shop", ID: "x", Input: json.RawMessage(`{`)}); !errors.Is(err, durable.ErrInvalid) {
		t.Errorf("no JSON: %v", err)
	}
	if _, err := p.http.Start(ctx, durable.StartRequest{Name: "Shop", ID: "../x"}); !errors.Is(err, durable.ErrInvalid) {
		t.Errorf("a bad id: %v", err)
	}
	if _, err := p.http.Start(ctx, durable.StartRequest{Name: "Shop", Tags: map[string]string{"a=b": "c"}}); !errors.Is(err, durable.ErrInvalid) {
		t.Errorf("a tag that cannot be sent: %v", err)
	}
}

func TestManagementIsTheSame(t *testing.T) {
	p := newPlace(t)
	ctx := t.Context()
	run, err := broken.Submit(ctx, p.http, "tea", durable.ID("b"))
	if err != nil {
		t.Fatal(err)
	}
	in := p.same(t, "b")
	if in.Status != durable.Failed || in.Failure == nil || in.Failure.Kind != "Missing" || in.Failure.Properties["item"] != "tea" {
		t.Fatalf("got %+v, %+v", in, in.Failure)
	}
	if _, err := run.Wait(ctx); !errors.Is(err, durable.ErrorKind("Missing")) {
		t.Errorf("Wait: %v", err)
	}
	p.fails = false
	manage := func(c durable.Command) error {
		err := p.http.Manage(ctx, durable.ManageRequest{Instance: "b", Command: c, Reason: "test"})
		p.Settle()
		return err
	}
	if err := manage(durable.Suspend); !errors.Is(err, durable.ErrEnded) {
		t.Errorf("suspend: %v", err)
	}
	if err := manage(durable.Rewind); err != nil {
		t.Error(err)
	}
	if in := p.same(t, "b"); in.Status != durable.Completed {
		t.Errorf("it is %s", in.Status)
	}
	if err := manage(durable.Rewind); !errors.Is(err, durable.ErrNotFailed) {
		t.Errorf("rewind: %v", err)
	}
	ref, err := p.http.Restart(ctx, durable.RestartRequest{Instance: "b", NewID: true})
	if err != nil || ref.ID == "b" || ref.Incarnation == "" {
		t.Errorf("restart: %v, %v", ref, err)
	}
	p.same(t, ref.ID)

	if _, err := shop.Submit(ctx, p.http, order{"tea", 1}, durable.ID("s")); err != nil {
		t.Fatal(err)
	}
	p.Settle()
	for _, step := range []struct {
		command durable.Command
		want    error
	}{{durable.Resume, durable.ErrNotSuspended}, {durable.Suspend, nil}, {durable.Suspend, durable.ErrSuspended}, {durable.Resume, nil}} {
		err := p.http.Manage(ctx, durable.ManageRequest{Instance: "s", Command: step.command})
		if !errors.Is(err, step.want) || (err == nil) != (step.want == nil) {
			t.Errorf("command %d: %v", step.command, err)
		}
		p.same(t, "s")
	}
	if _, err := p.http.Restart(ctx, durable.RestartRequest{Instance: "s"}); !errors.Is(err, durable.ErrExists) {
		t.Errorf("restart in place: %v", err)
	}
	if err := approval.Raise(ctx, p.http, "s", true); err != nil {
		t.Fatal(err)
	}
	p.Settle()
	if err := p.http.Reset(ctx, durable.ResetRequest{Instance: "s", Operation: "1", Result: json.RawMessage(`"edited"`), Reason: "test"}); err != nil {
		t.Error(err)
	}
	if in := p.same(t, "s"); string(in.Output) != `"edited"` {
		t.Errorf("reset: %s %s", in.Status, in.Output)
	}
	if err := p.http.Reset(ctx, durable.ResetRequest{Instance: "s", Operation: "77"}); !errors.Is(err, durable.ErrNotResettable) {
		t.Errorf("reset of nothing: %v", err)
	}
	for _, id := range []string{"nobody", "", "..", "a/b"} {
		errs := []error{p.http.Purge(ctx, id), p.http.Raise(ctx, durable.EventRequest{Instance: id, Name: "x"}),
			p.http.Manage(ctx, durable.ManageRequest{Instance: id, Command: durable.Terminate}), p.http.Manage(ctx, durable.ManageRequest{Instance: id, Command: durable.Rewind})}
		_, err := p.http.Get(ctx, id)
		_, err2 := p.http.History(ctx, id)
		_, err3 := p.http.Restart(ctx, durable.RestartRequest{Instance: id})
		for i, err := range append(errs, err, err2, err3) {
			if !errors.Is(err, durable.ErrNotFound) {
				t.Errorf("%q, call %d: %v", id, i, err)
			}
		}
	}
}

func TestOutcomesAreReportedOverHTTP(t *testing.T) {
	p := newPlace(t)
	ctx := t.Context()
	begin := func(id string) string {
		if _, err := await.Submit(ctx, p.http, "in", durable.ID(id)); err != nil {
			t.Fatal(err)
		}
		p.Settle()
		return p.token
	}
	token := begin("a")
	if err := outside.Heartbeat(ctx, p.http, token, "half"); err != nil {
		t.Error(err)
	}
	if err := outside.Complete(ctx, p.http, token, "done"); err != nil {
		t.Error(err)
	}
	if in := p.same(t, "a"); string(in.Output) != `"done"` {
		t.Errorf("it came to %s", in.Output)
	}
	if err := outside.Complete(ctx, p.http, token, "again"); !errors.Is(err, durable.ErrNotPending) && !errors.Is(err, durable.ErrEnded) {
		t.Errorf("a second report: %v", err)
	}
	why := durable.WithProperties(fmt.Errorf("burnt: %w", durable.ErrorKind("Fire")), map[string]string{"where": "kitchen"})
	if err := outside.Fail(ctx, p.http, begin("b"), why); err != nil {
		t.Error(err)
	}
	if in := p.same(t, "b"); in.Status != durable.Failed || in.Failure.Causes[0].Kind != "Fire" || in.Failure.Causes[0].Properties["where"] != "kitchen" {
		t.Errorf("got %+v", in.Failure)
	}
	if err := p.http.Report(ctx, durable.ReportRequest{Token: begin("c"), Activity: "Other", What: durable.ReportResult}); !errors.Is(err, durable.ErrInvalid) {
		t.Errorf("another activity's token: %v", err)
	}
}

func TestListsAndPurgesAreTheSame(t *testing.T) {
	p := newPlace(t)
	ctx := t.Context()
	for i := range 7 {
		if _, err := broken.Submit(ctx, p.http, "x", durable.ID(fmt.Sprint("b", i)), durable.Tag("n", fmt.Sprint(i%2))); err != nil {
			t.Fatal(err)
		}
		p.Advance(time.Second)
	}
	if _, err := shop.Submit(ctx, p.http, order{"tea & milk", 1}, durable.ID("shop")); err != nil {
		t.Fatal(err)
	}
	p.Settle()
	all := func(c durable.Client, q durable.Query) (ids []string) {
		for {
			page, err := c.List(ctx, q)
			if err != nil {
				t.Fatal(err)
			}
			for _, in := range page.Instances {
				ids = append(ids, fmt.Sprintf("%+v", normal(in)))
			}
			if q.Continue = page.Continue; q.Continue == "" {
				return ids
			}
		}
	}
	for _, q := range []durable.Query{
		{}, {Limit: 3}, {IDPrefix: "b", Limit: 2}, {Statuses: []durable.Status{durable.Failed}, NoInput: true}, {Names: []string{"Shop", "Nobody"}}, {Tags: map[string]string{"n": "1"}},
		{CustomStatus: "tea & milk"}, {Text: "SHOP"}, {From: durabletest.Epoch.Add(2 * time.Second), To: durabletest.Epoch.Add(4 * time.Second)},
	} {
		got, want := all(p.http, q), all(p.direct, q)
		for i := range want {
			want[i] = strings.ReplaceAll(want[i], "\n", "")
		}
		if diff := cmp.Diff(len(want), len(got)); diff != "" || !slices.Equal(ids(got), ids(want)) {
			t.Errorf("%+v:\n%q\nwant\n%q", q, got, want)
		}
	}
	if _, err := p.http.List(ctx, durable.Query{Continue: "nonsense"}); !errors.Is(err, durable.ErrInvalid) {
		t.Errorf("a token that is none: %v", err)
	}
	if err := p.http.Purge(ctx, "shop"); !errors.Is(err, durable.ErrNotEnded) {
		t.Errorf("a purge of what runs: %v", err)
	}
	if err := p.http.Purge(ctx, "b0"); err != nil {
		t.Error(err)
	}
	if done, err := p.http.PurgeWhere(ctx, durable.PurgeRequest{Where: durable.Query{IDPrefix: "b", Limit: 2}}); err != nil || done.Instances != 2 {
		t.Errorf("two: %+v, %v", done, err)
	}
	if done, err := p.http.PurgeWhere(ctx, durable.PurgeRequest{Budget: time.Minute}); err != nil || done.Instances != 4 || done.Continue != "" {
		t.Errorf("the rest: %+v, %v", done, err)
	}
	if done, err := p.http.PurgeWhere(ctx, durable.PurgeRequest{}); err != nil || done.Instances != 0 {
		t.Errorf("nothing: %+v, %v", done, err)
	}
	if n := len(all(p.direct, durable.Query{})); n != 1 {
		t.Errorf("%d are left", n)
	}
}

// ids are what is before the first name.
func ids(all []string) (out []string) {
	for _, s := range all {
		out = append(out, strings.SplitN(s, " ", 2)[0])
	}
	return out
}

// TestAHistoryIsReadInPages has one that no answer holds.
func TestAHistoryIsReadInPages(t *testing.T) {
	p := newPlace(t)
	big := strings.Repeat("x", 2<<20)
	if _, err := shop.Submit(t.Context(), p.http, order{big, 1}, durable.ID("big")); err != nil {
		t.Fatal(err)
	}
	p.Settle()
	if err := approval.Raise(t.Context(), p.http, "big", true); err != nil {
		t.Fatal(err)
	}
	p.Settle()
	p.requests = 0
	if got := p.same(t, "big"); got.Status != durable.Completed {
		t.Errorf("it is %s", got.Status)
	}
	if p.requests < 4 {
		t.Errorf("%d requests read the status and a history of 6 MB", p.requests)
	}
}

package httpclient

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/durable-lambda/durable-lambda/durable"
	"github.com/durable-lambda/durable-lambda/durable/history"
)

// Start creates an instance.
func (c *client) Start(ctx context.Context, req durable.StartRequest) (durable.InstanceRef, error) {
	if err := history.CheckName("orchestration", req.Name); err != nil {
		return durable.InstanceRef{}, fmt.Errorf("%w: %w", durable.ErrInvalid, err)
	}
	k := call{what: "start", method: http.MethodPost, query: url.Values{}, header: http.Header{}, body: req.Input, again: true, names: req.Name}
	k.query.Set("version", strconv.FormatUint(uint64(req.Version), 10))
	if !req.At.IsZero() {
		k.query.Set("startAt", instant(req.At))
	}
	conflict, ok := map[durable.Conflict]string{durable.RefuseStart: "", durable.UseExisting: "useExisting", durable.UseSame: "useSame", durable.ReplaceExisting: "replaceExisting"}[req.Conflict]
	if !ok {
		return durable.InstanceRef{}, fmt.Errorf("%w: there is no conflict %d", durable.ErrInvalid, req.Conflict)
	}
	set(k.query, "conflict", conflict)
	set(k.query, "reuse", reuse(req.Reuse))
	if err := tags(k.query, req.Tags); err != nil {
		return durable.InstanceRef{}, err
	}
	if req.TraceParent != "" {
		k.header.Set("Traceparent", req.TraceParent)
		k.header.Set("Tracestate", req.TraceState)
	}
	if req.ID == "" {
		// Nobody else has it: that it exists, on a second try, is this start's doing.
		req.ID, k.done = strings.ToLower(newID()), "Exists"
	} else if err := history.CheckInstanceID(req.ID); err != nil {
		return durable.InstanceRef{}, fmt.Errorf("%w: %w", durable.ErrInvalid, err)
	} else if req.Conflict != durable.UseExisting && req.Conflict != durable.UseSame {
		k.header.Set("Idempotency-Key", newID())
	}
	k.path = "/orchestrators/" + escape(req.Name) + "/" + escape(req.ID)
	a, err := c.do(ctx, k)
	if err != nil {
		return durable.InstanceRef{}, err
	}
	ref := durable.InstanceRef{ID: req.ID, Incarnation: a.header.Get("Durable-Incarnation")}
	if ref.Incarnation == "" { // the answer is that it exists
		in, err := c.Get(ctx, req.ID, durable.NoInput)
		return durable.InstanceRef{ID: req.ID, Incarnation: in.Incarnation}, err
	}
	return ref, nil
}

// Restart starts an instance once more.
func (c *client) Restart(ctx context.Context, req durable.RestartRequest) (durable.InstanceRef, error) {
	a, err := c.do(ctx, call{what: "restart", method: http.MethodPost,
		query: url.Values{"restartWithNewInstanceId": {strconv.FormatBool(req.NewID)}}}.of(req.Instance, "/restart"))
	if err != nil {
		return durable.InstanceRef{}, err
	}
	var links struct{ ID string }
	err = decode(a, &links)
	return durable.InstanceRef{ID: links.ID, Incarnation: a.header.Get("Durable-Incarnation")}, err
}

// reuse names what may be replaced; empty is whatever has ended.
func reuse(r durable.Reuse) string {
	if r == durable.ReuseEnded {
		return ""
	}
	names := []string{"never"}
	for _, s := range []durable.Status{durable.Completed, durable.Failed, durable.Canceled, durable.Terminated} {
		if r.Allows(s) {
			names = append(names, string(s))
		}
	}
	return strings.Join(names, ",")
}

func tags(q url.Values, tags map[string]string) error {
	for key, value := range tags {
		if key == "" || strings.Contains(key, "=") {
			return fmt.Errorf("%w: the tag %q cannot be sent over HTTP: its key is empty, or has a =", durable.ErrInvalid, key)
		}
		q.Add("tag", key+"="+value)
	}
	return nil
}

// instant is a time as the API reads it.
func instant(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.9999999Z07:00") }

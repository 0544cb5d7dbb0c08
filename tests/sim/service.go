package sim

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/durable-lambda/durable-lambda/durable"
)

// The web as programs meet it: a service that says what it is to do in its addresses, so that it needs no state.

// asks is the request of a node: it is polled N times, with For between, of each attempt the first Fails meet no service, or one that
// is overloaded, and M are made at most.
func (n Node) asks() durable.HTTPRequest {
	req := durable.HTTPRequest{Method: "POST", URL: n.address(n.N), Body: []byte("do"), Header: map[string][]string{"Content-Type": {"text/plain"}, "Of": {n.Key}}}
	if n.M > 0 {
		req.Retry = durable.Retry{Attempts: n.M, Initial: time.Second}
	}
	if n.Final {
		req.Deadline = serviceDeadline
	}
	return req
}

// serviceDeadline is that of requests that have one.
const serviceDeadline = time.Minute

func (n Node) address(left int) string {
	return fmt.Sprintf("http://web/%s/%d/%d/%d/%d", n.Key, left, n.N, n.Fails, int(n.For/time.Second))
}

// requests is the key of the request that asks an address.
func requests(data []byte) string {
	var req durable.HTTPRequest
	if json.Unmarshal(data, &req) != nil {
		return ""
	}
	parts := strings.Split(strings.TrimPrefix(req.URL, "http://web/"), "/")
	return parts[0] + "." + parts[min(1, len(parts)-1)]
}

// serve is the service.
func (a *actor) serve(ctx context.Context, req durable.HTTPRequest) (resp durable.HTTPResponse, err error) {
	if a.ran(ctx); a.dead || chance(a.w.rng, 0.3) && !a.pause() {
		return resp, errDead
	}
	path := strings.NewReplacer("http://web/", "", "/", " ").Replace(req.URL)
	var key string
	var left, polls, fails, after int
	if _, err := fmt.Sscan(path, &key, &left, &polls, &fails, &after); err != nil {
		return resp, durable.Permanent(err)
	}
	first := left == polls
	if of := req.Header["Of"]; len(of) != 1 || of[0] != key || first != (req.Method == "POST") || first != (len(req.Body) > 0) || first != (len(req.Header["Content-Type"]) > 0) {
		a.w.fail("%s is sent %s %s with %q and %v", key, req.Method, req.URL, req.Body, req.Header)
	}
	switch attempt := durable.Attempt(ctx); {
	case attempt <= fails && attempt%2 == 1:
		return resp, errors.New("the service is not there")
	case attempt <= fails:
		return durable.HTTPResponse{Status: 503}, nil
	case left > 0:
		next := Node{Key: key, N: polls, Fails: fails, For: time.Duration(after) * time.Second}.address(left - 1)
		return durable.HTTPResponse{Status: 202, Header: map[string][]string{
			"Location": {strings.TrimPrefix(next, "http://web")}, "Retry-After": {fmt.Sprint(after)}}}, nil
	}
	return durable.HTTPResponse{Status: 200, Body: []byte(key)}, nil
}

// served checks a request.
func (j *judge) served(n Node, o *Played) {
	attempts := max(n.M, 1)
	want, err, times := "200 "+n.Key, "", n.N+1
	if n.Fails >= attempts {
		if times = 1; attempts%2 == 1 {
			want, err = "", "failed"
		} else {
			want = "503 "
		}
	}
	late := o.V == "late" || n.Final && o.Err == "failed+late"
	for left := range n.N + 1 {
		least, most := 1, 1
		if n.N-left >= times || o.Over != "" {
			least, most = 0, 0
		} else if o.gaveUp() || late {
			least = 0
		}
		j.times(n, o, fmt.Sprint(n.Key, ".", left), least, most)
	}
	waited := o.Till - o.At
	switch {
	case o.gaveUp() || n.Final && o.Err == "failed+late":
	case late:
		if !n.Final || waited < serviceDeadline.Milliseconds() {
			j.wrong(n, o, "its deadline has passed after %d ms", waited)
		}
	case strings.TrimSuffix(o.Err, "+late") != err || o.V != want:
		j.wrong(n, o, "it is to come to %q, error %q", want, err)
	case err == "" && times > 1 && waited < int64(n.N)*max(n.For, time.Second).Milliseconds():
		j.wrong(n, o, "it was polled in %d ms", waited)
	}
}

// changed checks a node of which a later build does something else: both places of it are on one side.
func (j *judge) changed(n Node, o *Played) {
	times := map[bool]int{o.Over == "" && o.N == 0: 1}
	j.times(n, o, n.Key+".old", times[true], times[true])
	times = map[bool]int{o.Over == "" && o.N == 1: 1}
	j.times(n, o, n.Key+".new", times[true], times[true])
	if o.Over == "" && o.N == 0 && j.w.plan.SegmentCommands+j.w.plan.SegmentBytes > 0 {
		j.wrong(n, o, "all builds have the change, and it takes the old side")
	}
	if want := n.Key + map[int]string{0: ".old", 1: ".new"}[o.N]; !o.gaveUp() && (o.V != want || o.Err != "") {
		j.wrong(n, o, "it is to come to %s", want)
	}
}

//go:build clients

package clients_test

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// session is a client of a hub in a case.
type session struct {
	*testing.T
	*driver
	hub *hub
}

// open makes the client from a binding.
func (s session) open(b map[string]any) {
	s.Helper()
	if s.byLinks {
		delete(b, "rpcBaseUrl")
	}
	s.do("open", args{"binding": b})
}

// do calls the client, which must succeed.
func (s session) do(what string, a args) any {
	s.Helper()
	v, failed := s.call(s.T, what, a)
	if failed != "" {
		s.Fatalf("%s %v: %s", what, a, failed)
	}
	return v
}

// refused calls the client, whose error must have these words.
func (s session) refused(what string, a args, words ...string) {
	s.Helper()
	v, failed := s.call(s.T, what, a)
	for _, w := range words {
		if !strings.Contains(failed, w) {
			s.Errorf("%s %v: got %v, error %q; want one with %q", what, a, v, failed, w)
		}
	}
}

// start starts an instance and returns its id.
func (s session) start(name string, more args) string {
	s.Helper()
	a := args{"name": name}
	for k, v := range more {
		a[k] = v
	}
	id, _ := s.do("start", a).(string)
	if id == "" || more["id"] != nil && id != more["id"] {
		s.Fatalf("started with %v, the id is %q", more, id)
	}
	return id
}

// until asks for the status until it is that, or fails.
func (s session) until(id, status string) map[string]any {
	s.Helper()
	var got any
	for range 1000 {
		got = s.do("status", args{"id": id, "showInput": true})
		if v, ok := got.(map[string]any); ok && v["status"] == status {
			return v
		}
		time.Sleep(10 * time.Millisecond)
	}
	s.Fatalf("%s does not come to be %s: it is %v", id, status, got)
	return nil
}

// listens starts an instance that waits for a word, and waits until it does.
func (s session) listens(id string) string {
	s.Helper()
	s.start("Listen", args{"id": id})
	for range 1000 {
		if in := s.until(id, "Running"); in["custom"] != nil {
			s.same("its custom status", in["custom"], progress{"listening"})
			return id
		}
		time.Sleep(10 * time.Millisecond)
	}
	s.Fatalf("%s does not listen", id)
	return ""
}

// ended starts an instance that completes.
func (s session) ended(id string) string {
	s.Helper()
	s.until(s.start("Echo", args{"id": id, "input": message{"x", 1}}), "Completed")
	return id
}

// same compares as JSON.
func (s session) same(what string, got, want any) {
	s.Helper()
	if diff := cmp.Diff(plain(s.T, want), plain(s.T, got)); diff != "" {
		s.Errorf("%s: -want +got:\n%s", what, diff)
	}
}

func plain(t *testing.T, v any) (out any) {
	t.Helper()
	data, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(data, &out); err != nil {
		t.Fatal(err)
	}
	return out
}

// decoded is an input as the client was given it: the Python client encodes inputs twice, and a status shows them as they arrived.
func (s session) decoded(v any) (out any) {
	s.Helper()
	if !s.python() {
		return v
	}
	text, ok := v.(string)
	if err := json.Unmarshal([]byte(text), &out); !ok || err != nil {
		s.Fatalf("the input arrived as %v; want a string of JSON", v)
	}
	return out
}

// follow sends a request to a link.
func (s session) follow(method string, link any, body string) (int, string) {
	s.Helper()
	req, err := http.NewRequestWithContext(s.Context(), method, link.(string), strings.NewReader(body))
	if err != nil {
		s.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		s.Fatal(err)
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if err != nil {
		s.Fatal(err)
	}
	return resp.StatusCode, string(answer)
}

package dev_test

import (
	"context"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/durable-lambda/durable-lambda/durable"
	"github.com/durable-lambda/durable-lambda/durable/access"
	"github.com/durable-lambda/durable-lambda/durable/dev"
)

var (
	greet = durable.NewActivity[string, string]("Greet")
	nap   = durable.NewOrchestration[string, string]("Nap")
	which = durable.NewOrchestration[durable.None, int]("Which", durable.CurrentVersion(2))
)

// server runs a hub in this process until stop, which returns what Serve did.
type server struct {
	base string
	stop func() error
}

// banner catches the address that the server prints.
type banner struct{ addr chan string }

func (b banner) Write(p []byte) (int, error) {
	if _, rest, ok := strings.Cut(string(p), "instances"); ok {
		b.addr <- strings.TrimSuffix(strings.TrimSpace(rest), "/")
	}
	return len(p), nil
}

func serve(t *testing.T, data string, edit ...func(*dev.Config)) server {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	b := banner{make(chan string, 1)}
	ended := make(chan error, 1)
	go func() {
		cfg := dev.Config{Addr: "127.0.0.1:0", Data: data, Out: b, Handlers: func(dev.Services) []durable.Handler {
			return []durable.Handler{
				greet.Bind(func(_ context.Context, name string) (string, error) { return "Hello, " + name, nil }),
				which.Bind(func(durable.Context, durable.None) (int, error) { return 1, nil }),
				which.Version(2).Bind(func(durable.Context, durable.None) (int, error) { return 2, nil }),
				nap.Bind(func(ctx durable.Context, name string) (string, error) {
					if err := durable.Sleep(ctx, 300*time.Millisecond); err != nil {
						return "", err
					}
					return greet.Call(ctx, name)
				}),
			}
		}}
		for _, e := range edit {
			e(&cfg)
		}
		ended <- dev.Serve(ctx, cfg)
	}()
	s := server{stop: func() error { cancel(); return <-ended }}
	select {
	case s.base = <-b.addr:
	case err := <-ended:
		t.Fatalf("the server ended with %v", err)
	}
	return s
}

func do(t *testing.T, method, url, body string, edit ...func(*http.Request)) (int, string) {
	t.Helper()
	req, err := http.NewRequest(method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range edit {
		e(req)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	reply, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(reply)
}

const api = "/runtime/webhooks/durabletask"

func TestAnInstanceGoesOnAfterARestart(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	s := serve(t, data)
	if status, reply := do(t, "POST", s.base+api+"/orchestrators/Nap/one", `"Ada"`); status != http.StatusAccepted {
		t.Fatalf("the start was answered with %d %s", status, reply)
	}
	if err := s.stop(); err != nil {
		t.Fatal(err)
	}
	s = serve(t, data)
	var reply string
	for range 500 {
		if _, reply = do(t, "GET", s.base+api+"/instances/one", ""); strings.Contains(reply, `"Completed"`) {
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
	if !strings.Contains(reply, "Hello, Ada") {
		t.Errorf("after the restart it is %s", reply)
	}
	if err := s.stop(); err != nil {
		t.Error(err)
	}
}

func TestWaitingRequestsDoNotHoldUpTheEnd(t *testing.T) {
	t.Parallel()
	s := serve(t, t.TempDir())
	answered := make(chan int)
	go func() {
		defer close(answered)
		status, _ := do(t, "POST", s.base+api+"/orchestrators/Nap?timeout=60&pollingInterval=50", `"Ada"`)
		answered <- status
	}()
	for range 500 { // until it has started
		if _, reply := do(t, "GET", s.base+api+"/instances", ""); reply != "[]" {
			break
		}
		time.Sleep(5 * time.Millisecond)
	}
	if err := s.stop(); err != nil {
		t.Error(err)
	}
	if status := <-answered; status != http.StatusAccepted { // a connection that is cut has no answer
		t.Errorf("whoever waited was answered %d", status)
	}
}

func TestAServerThatAsksForKeys(t *testing.T) {
	t.Parallel()
	var keys access.Stored
	s := serve(t, t.TempDir(), func(c *dev.Config) {
		c.Keys = true
		handlers := c.Handlers
		c.Handlers = func(s dev.Services) []durable.Handler {
			keys.Table = s.Table
			return handlers(s)
		}
	})
	defer s.stop()
	text, key, err := access.NewKey("ada", access.Read, time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	if err := keys.Edit(t.Context(), func(f *access.File) error { return f.Add(key) }); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		method, path  string
		without, with int
	}{{"GET", api + "/instances", 401, 200}, {"GET", "/", 401, 200}, {"GET", "/mail.json", 401, 200}, {"POST", "/i/x/purge", 401, 403}, {"POST", api + "/orchestrators/Nap", 401, 403}} {
		if status, _ := do(t, c.method, s.base+c.path, ""); status != c.without {
			t.Errorf("%s %s without a key: %d", c.method, c.path, status)
		}
		if status, body := do(t, c.method, s.base+c.path, "", func(r *http.Request) { r.SetBasicAuth("", text) }); status != c.with {
			t.Errorf("%s %s with a key that may read: %d %s", c.method, c.path, status, body)
		}
	}
}

func TestFoldersThatAreNotOurs(t *testing.T) {
	t.Parallel()
	t.Run("in use", func(t *testing.T) {
		t.Parallel()
		data := t.TempDir()
		s := serve(t, data)
		defer s.stop()
		err := dev.Serve(t.Context(), dev.Config{Addr: "127.0.0.1:0", Data: data, Out: io.Discard})
		if err == nil || !strings.Contains(err.Error(), "process") {
			t.Errorf("a second server said %v", err)
		}
	})
	t.Run("somebody else's", func(t *testing.T) {
		t.Parallel()
		data := t.TempDir()
		if err := os.WriteFile(filepath.Join(data, "thesis.txt"), []byte("all of it"), 0o600); err != nil {
			t.Fatal(err)
		}
		err := dev.Serve(t.Context(), dev.Config{Addr: "127.0.0.1:0", Data: data, Out: io.Discard})
		if err == nil || !strings.Contains(err.Error(), "dev.Config.Data") {
			t.Errorf("the server said %v", err)
		}
		entries, err := os.ReadDir(data)
		if err != nil || len(entries) != 1 {
			t.Errorf("the folder has %v now, %v", entries, err)
		}
	})
}

func TestOtherSitesAreRefused(t *testing.T) {
	t.Parallel()
	s := serve(t, t.TempDir())
	defer s.stop()
	status, _ := do(t, "POST", s.base+api+"/orchestrators/Nap", `"x"`, func(r *http.Request) { r.Header.Set("Sec-Fetch-Site", "cross-site") })
	if status != http.StatusForbidden {
		t.Errorf("a page of another site got %d", status)
	}
	status, _ = do(t, "GET", s.base+"/", "", func(r *http.Request) { r.Host = "rebound.example:8080" })
	if status != http.StatusMisdirectedRequest {
		t.Errorf("another host name got %d", status)
	}
	if status, _ = do(t, "GET", s.base+"/", "", func(r *http.Request) { r.Host = "localhost" }); status != http.StatusOK {
		t.Errorf("localhost got %d", status)
	}
}

func TestAStartOverHTTPIsOfTheCurrentVersion(t *testing.T) {
	t.Parallel()
	s := serve(t, t.TempDir())
	defer func() { _ = s.stop() }()
	for query, want := range map[string]string{"": "2", "&version=0": "1"} {
		if code, body := do(t, "POST", s.base+api+"/orchestrators/Which?waitForCompletion=true&timeout=10"+query, ""); code != 200 || strings.TrimSpace(body) != want {
			t.Errorf("a start with %q: status %d: %s, want %s", query, code, body, want)
		}
	}
}

// TestRoomForSyncs: while servers run, two goroutines may wait for the disk and the processors still have work; not where the environment says how many may run.
func TestRoomForSyncs(t *testing.T) {
	for _, c := range []struct {
		setting string
		more    int
	}{{"", 2}, {"3", 0}} {
		t.Setenv("GOMAXPROCS", c.setting)
		before := runtime.GOMAXPROCS(0)
		first, second := serve(t, t.TempDir()), serve(t, t.TempDir())
		for _, s := range []server{first, second} {
			if got := runtime.GOMAXPROCS(0); got != before+c.more {
				t.Errorf("GOMAXPROCS=%q: %d may run at once, where %d did before", c.setting, got, before)
			}
			if err := s.stop(); err != nil {
				t.Error(err)
			}
		}
		if got := runtime.GOMAXPROCS(0); got != before {
			t.Errorf("GOMAXPROCS=%q: %d may run at once after the servers have stopped, and %d did before them", c.setting, got, before)
		}
	}
}

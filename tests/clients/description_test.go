//go:build clients

package clients_test

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/durable-lambda/durable-lambda/durable"
)

const description = "../../docs/openapi.json"

// tool is a program of the Python environment.
func tool(t *testing.T, ctx context.Context, name string, args ...string) *exec.Cmd {
	t.Helper()
	home, err := tools()
	if err != nil {
		t.Fatal(err)
	}
	return exec.CommandContext(ctx, filepath.Join(home, "python", "bin", name), args...)
}

func TestTheDescriptionIsOpenAPI(t *testing.T) {
	t.Parallel()
	if out, err := tool(t, t.Context(), "openapi-spec-validator", description).CombinedOutput(); err != nil {
		t.Errorf("%v:\n%s", err, out)
	}
}

// TestAnswersAreAsDescribed has schemathesis read the description and send what it allows, and what it does not: whatever the answer is, it
// must be described, and nothing may break.
func TestAnswersAreAsDescribed(t *testing.T) {
	t.Parallel()
	h, dir := serve(t), t.TempDir()
	h.populate(t, dir)
	config, err := os.ReadFile("schemathesis.toml")
	if err != nil {
		t.Fatal(err)
	}
	hooks, err := os.ReadFile("hooks.py")
	if err != nil {
		t.Fatal(err)
	}
	put(t, filepath.Join(dir, "schemathesis.toml"), config)
	put(t, filepath.Join(dir, "hooks.py"), hooks)
	path, err := filepath.Abs(description)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	cmd := tool(t, ctx, "st", "--no-color", "run", path, "--url", h.origin, "--report", "har", "--report-har-path", "requests.har")
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Errorf("%v:\n%s", err, out)
	}
	operations := described(t)
	seen, n := answered(t, filepath.Join(dir, "requests.har"), operations)
	for _, op := range slices.Sorted(maps.Keys(operations)) {
		t.Logf("%-70s %v", op, seen[op])
		if !slices.ContainsFunc(slices.Collect(maps.Keys(seen[op])), func(status int) bool { return status < 300 || status == 501 }) {
			t.Errorf("%s has never been done: the run shows nothing of it", op)
		}
	}
	if n < 500 {
		t.Errorf("it sent %d requests; want hundreds", n)
	}
	t.Logf("%d requests", n)
}

// populate starts instances of each kind, and writes their ids and tokens where schemathesis finds them.
func (h *hub) populate(t *testing.T, dir string) {
	t.Helper()
	var ids, tokens []string
	for _, kind := range []struct {
		word, orchestration string
		n                   int
		until               durable.Status
	}{{"live", "Listen", 24, durable.Running}, {"done", "Echo", 24, durable.Completed}, {"failed", "Brittle", 12, durable.Failed},
		{"rewind", "Brittle", 8, durable.Failed}, {"suspend", "Listen", 8, durable.Running}, {"resume", "Listen", 8, durable.Suspended}, {"held", "Listen", 12, durable.Suspended}, {"purge", "Echo", 40, durable.Completed}, {"ask", "Ask", 24, durable.Running}} {
		for n := range kind.n {
			id := fmt.Sprintf("%s-%d", kind.word, n)
			if _, err := h.client.Start(t.Context(), durable.StartRequest{Name: kind.orchestration, ID: id}); err != nil {
				t.Fatal(err)
			}
			if kind.until == durable.Suspended {
				if err := h.client.Manage(t.Context(), durable.ManageRequest{Instance: id, Command: durable.Suspend}); err != nil {
					t.Fatal(err)
				}
			}
			h.await(t, id, kind.until)
			switch kind.word {
			case "ask":
				tokens = append(tokens, strconv.Quote(<-h.tokens))
			case "purge", "rewind", "suspend", "resume": // hooks.py and schemathesis.toml have these
			default:
				ids = append(ids, strconv.Quote(id))
			}
		}
	}
	put(t, filepath.Join(dir, "ids.dict"), []byte(strings.Join(ids, "\n")))
	put(t, filepath.Join(dir, "tokens.dict"), []byte(strings.Join(tokens, "\n")))
}

func (h *hub) await(t *testing.T, id string, status durable.Status) {
	t.Helper()
	for range 1000 {
		if in, err := h.client.Get(t.Context(), id); err == nil && in.Status == status {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Fatalf("%s does not come to be %s", id, status)
}

// answered counts the statuses that each operation was answered with.
func answered(t *testing.T, archive string, operations map[string]*regexp.Regexp) (seen map[string]map[int]int, n int) {
	t.Helper()
	data, err := os.ReadFile(archive)
	if err != nil {
		t.Fatal(err)
	}
	var har struct {
		Log struct {
			Entries []struct {
				Request  struct{ Method, URL string }
				Response struct{ Status int }
			}
		}
	}
	if err := json.Unmarshal(data, &har); err != nil {
		t.Fatal(err)
	}
	seen = map[string]map[int]int{}
	for _, e := range har.Log.Entries {
		u, err := url.Parse(e.Request.URL)
		if err != nil {
			continue // what is no URL was to be none
		}
		for name, path := range operations {
			if method, _, _ := strings.Cut(name, " "); method == e.Request.Method && path.MatchString(u.EscapedPath()) {
				if seen[name] == nil {
					seen[name] = map[int]int{}
				}
				seen[name][e.Response.Status]++
				n++
			}
		}
	}
	return seen, n
}

var variable = regexp.MustCompile(`\\\{\w+\\\}`)

// described are the operations, and how their paths look.
func described(t *testing.T) map[string]*regexp.Regexp {
	t.Helper()
	data, err := os.ReadFile(description)
	if err != nil {
		t.Fatal(err)
	}
	var doc struct {
		Paths map[string]map[string]any
	}
	if err := json.Unmarshal(data, &doc); err != nil {
		t.Fatal(err)
	}
	operations := map[string]*regexp.Regexp{}
	for path, verbs := range doc.Paths {
		for verb := range verbs {
			operations[strings.ToUpper(verb)+" "+path] = regexp.MustCompile("^" + variable.ReplaceAllString(regexp.QuoteMeta(path), "[^/]+") + "$")
		}
	}
	return operations
}

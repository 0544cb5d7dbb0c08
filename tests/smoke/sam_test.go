package main

import (
	"bytes"
	"os"
	"strings"
	"testing"
)

func TestParametersAreQuotedForSAM(t *testing.T) {
	t.Parallel()
	got := overrides(map[string]string{"B": `{"street":"1 Main St"}`, "A": "1"})
	if want := `A="1" B="{\"street\":\"1 Main St\"}"`; got != want {
		t.Errorf("got %s; want %s", got, want)
	}
}

// What overrides cannot quote must not be in a parameter.
func TestTheParametersHaveNoBackslashes(t *testing.T) {
	t.Parallel()
	for _, endpoint := range []string{"", "http://127.0.0.1:4566"} {
		p, err := (&smokeRun{cloud: &cloud{endpoint: endpoint}, mailFrom: "shop@example.com"}).parameters()
		if err != nil || strings.Contains(overrides(p), `\\`) || p["Meter"] != "1" || !strings.Contains(p["StandingOrder"], customer) {
			t.Errorf("got %v, %v", p, err)
		}
		// On AWS nothing is registered with SES: the sender is somebody's.
		if local := endpoint != ""; (p["CreateMailIdentity"] == "true") != local {
			t.Errorf("CreateMailIdentity is %q with the endpoint %q", p["CreateMailIdentity"], endpoint)
		}
	}
}

func TestWhenSAMIsMissing(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	_, err := findSAM("eu-north-1", nil)
	if err == nil || !strings.Contains(err.Error(), "brew install aws-sam-cli") || !strings.Contains(err.Error(), "infra/tools") {
		t.Errorf("got %v; want how to install it", err)
	}
}

func TestWhenSAMFails(t *testing.T) {
	calls := tools(t)
	s, err := findSAM("eu-north-1", nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.build(t.Context(), "there", map[string]string{"Meter": "1"}); err == nil || !strings.Contains(err.Error(), "it did not work") {
		t.Errorf("got %v; want what sam said", err)
	}
	said, err := os.ReadFile(calls)
	// An environment that samconfig.toml does not have: none of its settings may leak in.
	if err != nil || !strings.Contains(string(said), "--region eu-north-1 --config-env smoke") {
		t.Errorf("it ran sam %s, %v", said, err)
	}
	var words bytes.Buffer
	s.words = &words
	if err := s.build(t.Context(), "there", nil); err == nil || words.String() != "it did not work\n" {
		t.Errorf("it showed %q, %v", &words, err)
	}
}

func TestTheEndOfALongText(t *testing.T) {
	t.Parallel()
	if got := tail("a\nb\nc\n", 2); got != "b\nc" {
		t.Errorf("got %q", got)
	}
	if got := tail("a\n", 2); got != "a" {
		t.Errorf("got %q", got)
	}
}

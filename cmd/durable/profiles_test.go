package main

import (
	"io"
	"net/http"
	"strings"
	"testing"
)

func TestProfiles(t *testing.T) {
	base, stop, err := serveProfiles()
	if err != nil {
		t.Fatal(err)
	}
	defer stop()
	for path, says := range map[string]string{"": "goroutine", "goroutine?debug=1": "serveProfiles", "cmdline": "durable"} {
		res, err := http.Get(base + path)
		if err != nil {
			t.Fatal(err)
		}
		body, _ := io.ReadAll(res.Body)
		res.Body.Close()
		if res.StatusCode != http.StatusOK || !strings.Contains(string(body), says) {
			t.Errorf("%s%s is answered with %d, and does not say %q", base, path, res.StatusCode, says)
		}
	}
	req, err := http.NewRequest("GET", base, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Host = "rebound.example.com"
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	if res.StatusCode != http.StatusForbidden {
		t.Errorf("a name that somebody has made point here is answered with %d", res.StatusCode)
	}
}

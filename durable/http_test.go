package durable_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/durable-lambda/durable-lambda/durable"
	"github.com/durable-lambda/durable-lambda/durable/history"
)

func TestHTTPWaitsAsLongAsRetryAfterSays(t *testing.T) {
	t.Parallel()
	for value, want := range map[string]time.Duration{
		"":                              30 * time.Second,
		"soon":                          30 * time.Second,
		"120":                           2 * time.Minute,
		"0":                             time.Second,
		"-5":                            time.Second,
		"99999999999999999":             30 * 24 * time.Hour,
		"Thu, 01 Jan 2026 00:05:00 GMT": 5 * time.Minute,
		"Wed, 31 Dec 2025 00:00:00 GMT": time.Second,
		"Thu, 01 Jan 2099 00:00:00 GMT": 30 * 24 * time.Hour,
	} {
		t.Run(value, func(t *testing.T) {
			t.Parallel()
			s, _ := perform(t, func(ctx durable.Context) (string, error) {
				_, err := durable.HTTP(ctx, durable.HTTPRequest{URL: "http://localhost/"})
				return "", err
			})
			resp, err := json.Marshal(durable.HTTPResponse{Status: 202, Header: map[string][]string{"location": {"/x"}, "Retry-after": {value}}})
			if err != nil {
				t.Fatal(err)
			}
			d := s.replayed(done("0", string(resp)))
			waits(t, d)
			timer := d.Commands[len(d.Commands)-1]
			if timer.Kind != history.TimerCreated || !timer.At.Equal(epoch.Add(want)) {
				t.Errorf("it waits until %v (%s), want %v", timer.At, timer.Kind, epoch.Add(want))
			}
		})
	}
}

func TestHTTPHandsATokenToTheSameOriginOnly(t *testing.T) {
	t.Parallel()
	for location, want := range map[string]string{
		"/x":                        "secret",
		"https://api.example/x":     "secret",
		"https://API.example:443/x": "secret",
		"https://api.example:80/x":  "",
		"http://api.example:443/x":  "",
		"https://other.example/x":   "",
	} {
		t.Run(location, func(t *testing.T) {
			t.Parallel()
			s, _ := perform(t, func(ctx durable.Context) (string, error) {
				_, err := durable.HTTP(ctx, durable.HTTPRequest{URL: "https://api.example/", Token: "secret"})
				return "", err
			})
			resp, err := json.Marshal(durable.HTTPResponse{Status: 202, Header: map[string][]string{"Location": {location}}})
			if err != nil {
				t.Fatal(err)
			}
			waits(t, s.replayed(done("0", string(resp))))
			d := s.replayed(fired("1"))
			waits(t, d)
			var poll durable.HTTPRequest
			if err := json.Unmarshal(d.Commands[len(d.Commands)-1].Data.Bytes, &poll); err != nil {
				t.Fatal(err)
			}
			if poll.Method != "GET" || poll.Token != want {
				t.Errorf("it asks %s with the token %q, want %q", poll.URL, poll.Token, want)
			}
		})
	}
}

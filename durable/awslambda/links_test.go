package awslambda

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"

	"github.com/durable-lambda/durable-lambda/durable"
	"github.com/durable-lambda/durable-lambda/durable/links"
)

// ssmFake is a parameter store in memory. rival makes a parameter before whoever is about to.
type ssmFake struct {
	values map[string]string
	rival  func()
	reads  int
	fails  error
}

func (f *ssmFake) GetParameter(_ context.Context, in *ssm.GetParameterInput, _ ...func(*ssm.Options)) (*ssm.GetParameterOutput, error) {
	f.reads++
	v, ok := f.values[*in.Name]
	if f.fails != nil {
		return nil, f.fails
	}
	if !ok {
		return nil, &types.ParameterNotFound{}
	}
	return &ssm.GetParameterOutput{Parameter: &types.Parameter{Value: &v}}, nil
}

func (f *ssmFake) PutParameter(_ context.Context, in *ssm.PutParameterInput, _ ...func(*ssm.Options)) (*ssm.PutParameterOutput, error) {
	if f.rival != nil {
		f.rival()
	}
	if _, exists := f.values[*in.Name]; exists && !*in.Overwrite {
		return nil, &types.ParameterAlreadyExists{}
	}
	if in.Type != types.ParameterTypeSecureString {
		return nil, errors.New("a secret is kept in plain text")
	}
	f.values[*in.Name] = *in.Value
	return &ssm.PutParameterOutput{}, nil
}

func TestKeysOfLinksAreMadeOnce(t *testing.T) {
	t.Parallel()
	f := &ssmFake{values: map[string]string{"url": "https://example.com/v1"}}
	now := time.Date(2026, 3, 1, 4, 5, 0, 0, time.UTC)
	open := func() *parameters {
		return &parameters{read: f.GetParameter, write: f.PutParameter, keys: "keys", address: "url", now: func() time.Time { return now }}
	}
	p := open()
	first, err := p.ring(t.Context())
	if err != nil || first.Current != "2026-03-01" {
		t.Fatalf("it is %v, %v", first, err)
	}
	if url, err := p.url(t.Context()); err != nil || url != "https://example.com/v1" || f.reads != 2 {
		t.Errorf("the address is %q, %v, and there were %d reads", url, err, f.reads)
	}
	if again, err := open().ring(t.Context()); err != nil || string(again.Encode()) != string(first.Encode()) {
		t.Errorf("another process has %v, %v", again, err)
	}

	theirs := links.NewRing(now)
	delete(f.values, "keys")
	f.rival = func() { f.values["keys"] = string(theirs.Encode()) }
	if got, err := open().ring(t.Context()); err != nil || string(got.Encode()) != string(theirs.Encode()) {
		t.Errorf("whoever is second has %v, %v", got, err)
	}

	f.values["keys"] = `{"current":"a secret"}`
	if got, err := p.ring(t.Context()); err != nil || string(got.Encode()) != string(first.Encode()) {
		t.Errorf("what was read a moment ago is %v, %v", got, err)
	}
	now = now.Add(remembered)
	f.values["keys"] = "a secret"
	if _, err := p.ring(t.Context()); err == nil || strings.Contains(err.Error(), "secret") || !strings.Contains(err.Error(), "parameter keys") {
		t.Errorf("keys that are none: %v", err)
	}
	f.fails = errors.New("denied")
	if _, err := open().url(t.Context()); err == nil || !strings.Contains(err.Error(), "denied") {
		t.Errorf("it says %v", err)
	}
}

func TestTheStarterServesLinksWithoutAKey(t *testing.T) {
	t.Setenv(EnvAccess, "keys")
	h := newTestHub(t)
	ring := links.NewRing(time.Now())
	signed, err := links.New(links.Config{Keys: func(context.Context) (links.Ring, error) { return ring, nil },
		Address: func(context.Context) (string, error) { return "https://api.example.com/v1", nil }, Table: h.Table, Client: h.Client})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := h.Client.Start(t.Context(), durable.StartRequest{Name: "Hello", ID: "one"}); err != nil {
		t.Fatal(err)
	}
	u, err := links.URL(links.With(t.Context(), signed), durable.NewEvent[int]("Go"), "one", 7, time.Now().Add(time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	s, err := newStarter(h.hub, Routes{}, "orders", "")
	if err != nil {
		t.Fatal(err)
	}
	path := strings.TrimPrefix(u, "https://api.example.com/v1")
	if status, _ := s.request(t, "GET", path, ""); status != http.StatusUnauthorized {
		t.Errorf("without links it is answered %d", status)
	}
	s.http = signed.Before(s.http)
	if status, body := s.request(t, "GET", path, ""); status != 200 || !strings.Contains(body, "Confirm") {
		t.Errorf("it is answered %d %s", status, body)
	}
	if status, body := s.request(t, "POST", path, ""); status != 200 || !strings.Contains(body, "Done.") {
		t.Errorf("it is answered %d %s", status, body)
	}
	t.Setenv(EnvLinkKeys, "keys")
	if _, err := newStarter(h.hub, Routes{}, "orders", ""); err == nil || !strings.Contains(err.Error(), EnvAPIURL) {
		t.Errorf("without the address: %v", err)
	}
}

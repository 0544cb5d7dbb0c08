package httpclient_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/credentials"

	"github.com/durable-lambda/durable-lambda/durable"
	"github.com/durable-lambda/durable-lambda/durable/client/httpclient"
)

// sent returns the request that a start sends, with its body.
func sent(t *testing.T, authorize httpclient.Authorize) (*http.Request, []byte, error) {
	t.Helper()
	var got *http.Request
	var body []byte
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		got = r
		body, _ = io.ReadAll(r.Body)
		w.Header().Set("Durable-Incarnation", "1")
		w.WriteHeader(202)
	}))
	defer server.Close()
	c, err := httpclient.New(httpclient.Config{URL: server.URL + "/v1", Authorize: authorize, Patience: -1})
	if err != nil {
		t.Fatal(err)
	}
	_, err = c.Start(t.Context(), durable.StartRequest{Name: "Shop & co", ID: "order 7", Input: []byte(`{"a":1}`), Tags: map[string]string{"b": "x y+z", "a": "ü"}, At: time.Unix(1e9, 0)})
	return got, body, err
}

// TestRequestsAreSigned signs what has arrived once more: a signature that fits something else does not come out the same.
func TestRequestsAreSigned(t *testing.T) {
	who := credentials.NewStaticCredentialsProvider("AKIDEXAMPLE", "secret", "session")
	got, body, err := sent(t, httpclient.SigV4(who, "eu-west-1"))
	if err != nil {
		t.Fatal(err)
	}
	at, err := time.Parse("20060102T150405Z", got.Header.Get("X-Amz-Date"))
	if err != nil || time.Since(at).Abs() > time.Minute {
		t.Fatalf("signed at %s", got.Header.Get("X-Amz-Date"))
	}
	again, err := http.NewRequest(got.Method, "http://"+got.Host+got.URL.RequestURI(), bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	_, signed, _ := strings.Cut(got.Header.Get("Authorization"), "SignedHeaders=")
	signed, _, _ = strings.Cut(signed, ",")
	for _, name := range strings.Split(signed, ";") {
		if values := got.Header.Values(name); len(values) > 0 && name != "x-amz-date" && name != "x-amz-security-token" {
			again.Header[http.CanonicalHeaderKey(name)] = values
		}
	}
	sum := sha256.Sum256(body)
	creds, _ := who.Retrieve(t.Context())
	if err := v4.NewSigner().SignHTTP(t.Context(), creds, again, hex.EncodeToString(sum[:]), "execute-api", "eu-west-1", at); err != nil {
		t.Fatal(err)
	}
	if want := again.Header.Get("Authorization"); want != got.Header.Get("Authorization") || !strings.Contains(want, "eu-west-1/execute-api") {
		t.Errorf("signed\n%s\nwant\n%s", got.Header.Get("Authorization"), want)
	}
	if got.Header.Get("X-Amz-Security-Token") != "session" {
		t.Error("the token of the session was not sent")
	}
}

func TestKeysAndTokensAreSent(t *testing.T) {
	if r, _, err := sent(t, httpclient.Key("k")); err != nil || r.Header.Get("x-functions-key") != "k" {
		t.Errorf("key: %v", err)
	}
	n := 0
	token := func(context.Context) (string, error) { n++; return "t", nil }
	if r, _, err := sent(t, httpclient.Bearer(token)); err != nil || r.Header.Get("Authorization") != "Bearer t" || n != 1 {
		t.Errorf("bearer: %v", err)
	}
	no := errors.New("nobody is logged in")
	for name, a := range map[string]httpclient.Authorize{
		"bearer": httpclient.Bearer(func(context.Context) (string, error) { return "", no }),
		"SigV4":  httpclient.SigV4(aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) { return aws.Credentials{}, no }), "x"),
	} {
		if r, _, err := sent(t, a); r != nil || !errors.Is(err, no) {
			t.Errorf("%s: it was sent, or %v", name, err)
		}
	}
	if r, _, err := sent(t, httpclient.SigV4(nil, "x")); r != nil || err == nil {
		t.Errorf("without credentials: %v", err)
	}
}

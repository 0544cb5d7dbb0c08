package main

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestItRunsOnAWSOrOnThisMachine(t *testing.T) {
	t.Parallel()
	for endpoint, fine := range map[string]bool{
		"": true, "http://127.0.0.1:4566": true, "http://localhost:4566": true, "http://[::1]:4566": true,
		"http://10.0.0.1:4566": false, "https://dynamodb.eu-central-1.amazonaws.com": false, "http://127.0.0.1.example.com": false,
		"localhost:4566": false, "http://%": false,
	} {
		err := checkEndpoint(endpoint)
		if fine != (err == nil) || err != nil && !strings.Contains(err.Error(), "unset it") {
			t.Errorf("%q: got %v", endpoint, err)
		}
	}
}

func TestWhereTheAPIIs(t *testing.T) {
	t.Parallel()
	outputs := map[string]string{"ApiUrl": "https://abc.execute-api.eu-north-1.amazonaws.com/v1", "ApiId": "abc"}
	if got := (&cloud{}).apiURL(outputs); got != outputs["ApiUrl"] {
		t.Errorf("on AWS it is %s", got)
	}
	if got, want := (&cloud{endpoint: "http://127.0.0.1:4566/"}).apiURL(outputs), "http://127.0.0.1:4566/_aws/execute-api/abc/v1"; got != want {
		t.Errorf("on this machine it is %s; want %s", got, want)
	}
}

func TestEventually(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		begin := time.Now()
		asked := 0
		err := eventually(t.Context(), time.Second, time.Minute, func() (bool, error) { asked++; return asked == 4, nil })
		if err != nil || asked != 4 || time.Since(begin) != 3*time.Second {
			t.Errorf("it asked %d times in %v, %v", asked, time.Since(begin), err)
		}
		if err := eventually(t.Context(), time.Second, time.Minute, func() (bool, error) { return false, nil }); !errors.Is(err, errPatience) {
			t.Errorf("in vain it returned %v", err)
		}
		never := errors.New("it never will")
		if err := eventually(t.Context(), time.Second, time.Minute, func() (bool, error) { return false, never }); !errors.Is(err, never) {
			t.Errorf("after an error it returned %v", err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if err := eventually(ctx, time.Second, time.Minute, func() (bool, error) { return false, nil }); !errors.Is(err, context.Canceled) {
			t.Errorf("interrupted it returned %v", err)
		}
	})
}

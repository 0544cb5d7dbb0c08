package api_test

import (
	"net/url"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/durable-lambda/durable-lambda/durable"
)

func reasonOf(t *testing.T, query string) string {
	t.Helper()
	f := newFake(durable.Instance{ID: "x", Status: durable.Running})
	if w := serve(t, f, "POST", "/runtime/webhooks/durabletask/instances/x/terminate?"+query, ""); w.Code != 202 {
		t.Fatalf("terminate?%s is %d: %s", query, w.Code, w.Body)
	}
	return f.commands[0].Reason
}

func TestQuery(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct{ rule, query, want string }{
		{"keys match in any case", "REASON=why", "why"},
		{"a plus is a space", "reason=out+of+stock", "out of stock"},
		{"percent-encoding is decoded", "reason=out%20of%20stock%3F", "out of stock?"},
		{"keys are decoded", "re%61son=why", "why"},
		{"a percent without two hex digits stands for itself", "reason=100% sure, 5%x and 7%", "100% sure, 5%x and 7%"},
		{"a percent half encoded stands for itself", "reason=%2", "%2"},
		{"only & separates", "reason=a;b=c", "a;b=c"},
		{"the value begins after the first =", "reason=a=b", "a=b"},
		{"unknown keys are ignored", "x=1&reason=why&y", "why"},
		{"a key without a value is empty", "reason", ""},
		{"the first of several counts", "reason=a&Reason=b", "a"},
		{"what is not UTF-8 is replaced", "reason=%ff", "\uFFFD"},
		{"an unencoded reason in any script", "reason=売り切れ", "売り切れ"},
		{"no reason", "", ""},
	} {
		t.Run(tc.rule, func(t *testing.T) {
			t.Parallel()
			if got := reasonOf(t, tc.query); got != tc.want {
				t.Errorf("?%s gives %q, want %q", tc.query, got, tc.want)
			}
		})
	}
}

func FuzzQuery(f *testing.F) {
	f.Add("out of stock", "x=1")
	f.Add("100%", "reason")
	f.Add("%zz%41+;", "%=%&&==")
	f.Fuzz(func(t *testing.T, reason, noise string) {
		noise = strings.ReplaceAll(noise, "&", "")
		if noise == "" || strings.ContainsAny(noise, "rR%") {
			noise = "x"
		}
		if utf8.ValidString(reason) {
			if got := reasonOf(t, noise+"&reason="+url.QueryEscape(reason)); got != reason {
				t.Errorf("the encoded reason %q is read as %q", reason, got)
			}
		}
		raw := strings.ReplaceAll(reason, "&", "")
		got := reasonOf(t, noise+"&reason="+raw)
		if !utf8.ValidString(got) {
			t.Errorf("the raw reason %q is read as %q, which is not UTF-8", raw, got)
		}
		if want, err := url.QueryUnescape(raw); err == nil && utf8.ValidString(want) && got != want {
			t.Errorf("the raw reason %q is read as %q, want %q", raw, got, want)
		}
	})
}

package history_test

import (
	"strings"
	"testing"

	"github.com/durable-lambda/durable-lambda/durable/history"
)

func TestCheckInstanceID(t *testing.T) {
	t.Parallel()
	for id, want := range map[string]string{
		"order-42":                 "",
		"a b":                      "",
		"a@b":                      "",
		"Größe 世界 🚚":               "",
		strings.Repeat("世", 256):   "",
		"":                         "empty",
		"@orders":                  "entities",
		strings.Repeat("世", 257):   "257 characters",
		strings.Repeat("a", 5_000): "5000 characters",
		"a/b":                      `'/'`,
		`a\b`:                      `'\\'`,
		"a#b":                      `'#'`,
		"a?b":                      `'?'`,
		"a\nb":                     `'\n'`,
		"a\x00b":                   `'\x00'`,
		"a\x7fb":                   `'\x7f'`,
		"a\u0085b":                 `'\u0085'`,
		"a\xffb":                   "UTF-8",
	} {
		checkError(t, "instance id "+short(id), history.CheckInstanceID(id), want)
	}
}

func TestCheckName(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{
		"ProcessOrder":             "",
		"orders/Process Order v2?": "",
		"@Größe#世界":                "",
		strings.Repeat("a", 256):   "",
		"":                         "has no name",
		strings.Repeat("a", 257):   "257 bytes",
		strings.Repeat("世", 86):    "258 bytes",
		"a\tb":                     `'\t'`,
		"a\xc3b":                   "UTF-8",
	} {
		err := history.CheckName("step", name)
		checkError(t, "name "+short(name), err, want)
		if err != nil && !strings.Contains(err.Error(), "step") {
			t.Errorf("name %s: %v does not say of what", short(name), err)
		}
	}
}

func checkError(t *testing.T, what string, err error, want string) {
	t.Helper()
	switch {
	case want == "" && err != nil:
		t.Errorf("%s: %v", what, err)
	case want != "" && (err == nil || !strings.Contains(err.Error(), want)):
		t.Errorf("%s: error is %v, want one with %q", what, err, want)
	}
}

func short(s string) string {
	if len(s) > 20 {
		s = s[:20] + "…"
	}
	return s
}

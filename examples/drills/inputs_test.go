package drills_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/durable-lambda/durable-lambda/examples/drills"
)

func TestInputsAreCheckedAtTheDoor(t *testing.T) {
	t.Parallel()
	chain, nap, linger := drills.Chain.CheckInput, drills.Nap.CheckInput, drills.Linger.CheckInput
	for _, c := range []struct {
		name  string
		check func(json.RawMessage) (json.RawMessage, error)
		input string
		// says is a word of the refusal; empty when the input is right.
		says string
	}{
		{"a chain", chain, `{"activities":40}`, ""},
		{"the longest chain", chain, `{"activities":1000,"millis":20000}`, ""},
		{"a chain of nothing", chain, `{}`, "activities"},
		{"a chain that is too long", chain, `{"activities":1001}`, "activities"},
		{"a chain that is too slow", chain, `{"activities":1,"millis":20001}`, "millis"},
		{"a chain from the past", chain, `{"activities":1,"millis":-1}`, "millis"},
		{"a chain of another type", chain, `7`, "Go value"},
		{"a nap of a day", nap, `{"millis":86400000}`, ""},
		{"a nap of more than a day", nap, `{"millis":86400001}`, "millis"},
		{"a nap from the past", nap, `{"millis":-1}`, "millis"},
		{"a moment", linger, `{"millis":20000}`, ""},
		{"a moment that is too long", linger, `{"millis":20001}`, "millis"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			switch _, err := c.check(json.RawMessage(c.input)); {
			case c.says == "" && err != nil:
				t.Errorf("%s is refused: %v", c.input, err)
			case c.says != "" && (err == nil || !strings.Contains(err.Error(), c.says)):
				t.Errorf("%s: got %v, want a word about %q", c.input, err, c.says)
			}
		})
	}
}

package history_test

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/durable-lambda/durable-lambda/durable/history"
)

// TestEventsHaveJSON: an event comes out of JSON as it went in, for every field that it has.
func TestEventsHaveJSON(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		e := events().Draw(t, "event")
		if e.Data = (history.Payload{}); rapid.Bool().Draw(t, "has data") {
			e.Data.Bytes = []byte(`{"a":[1.0,"<ü>",null]}`)
		}
		b, err := json.Marshal(e)
		if err != nil {
			t.Fatal(err)
		}
		var back history.Event
		if err := json.Unmarshal(b, &back); err != nil {
			t.Fatalf("%s: %v", b, err)
		}
		if string(back.Data.Bytes) != `{"a":[1.0,"\u003cü\u003e",null]}` && string(back.Data.Bytes) != string(e.Data.Bytes) {
			t.Fatalf("the payload is %s", back.Data.Bytes)
		}
		e.Data, back.Data = history.Payload{}, history.Payload{}
		if diff := cmp.Diff(e, back); diff != "" {
			t.Fatalf("%s (-want +got):\n%s", b, diff)
		}
	})
}

func TestForeignJSONIsRefused(t *testing.T) {
	var e history.Event
	for _, s := range []string{`{"kind":"Nothing"}`, `{"kind":""}`, `{"kind":5}`} {
		if json.Unmarshal([]byte(s), &e) == nil {
			t.Errorf("%s is an event", s)
		}
	}
	if _, err := json.Marshal(history.Payload{Bytes: []byte("{")}); err == nil {
		t.Error("what is no JSON is shown as JSON")
	}
	if b, err := json.Marshal(history.Payload{Blob: "k", Size: 7}); err != nil || string(b) != `{"$blob":"k","$size":7}` {
		t.Errorf("%s, %v", b, err)
	}
}

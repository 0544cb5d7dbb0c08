package api_test

import (
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/durable-lambda/durable-lambda/durable"
	"github.com/durable-lambda/durable-lambda/durable/api"
)

type line struct {
	Count  int8             `json:"count"`
	Stock  uint8            `json:"stock"`
	Weight float32          `json:"weight"`
	Gift   bool             `json:"gift"`
	Photo  []byte           `json:"photo"`
	Due    time.Time        `json:"due"`
	Exact  json.Number      `json:"exact"`
	Colour colour           `json:"colour"`
	Quoted int              `json:"quoted,string"`
	Any    interface{ M() } `json:"any"`
}

type colour int

func (*colour) UnmarshalText([]byte) error { return errors.New("the colour is none of ours") }

type shipment struct {
	Order struct {
		Name  string            `json:"name"`
		Lines []line            `json:"lines"`
		Tags  map[string]string `json:"tags"`
	} `json:"order"`
}

// ship is a definition whose input is a shipment, as encoding/json reads it.
var ship = durable.NewOrchestration[shipment, string]("Ship")

func TestStartSaysInWordsWhatIsWrongWithAnInput(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct{ body, says string }{
		{`7`, "the input must be an object, not a number"},
		{`true`, "the input must be an object, not a boolean"},
		{`[]`, "the input must be an object, not an array"},
		{`"x"`, "the input must be an object, not a string"},
		{`"{\"order\":{\"name\":{}}}"`, "input.order.name must be a string, not an object"}, // as clients that encode twice have it
		{`{"order":5}`, "input.order must be an object, not a number"},
		{`{"order":{"name":{}}}`, "input.order.name must be a string, not an object"},
		{`{"order":{"lines":{}}}`, "input.order.lines must be an array, not an object"},
		{`{"order":{"tags":[]}}`, "input.order.tags must be an object, not an array"},
		{`{"order":{"lines":[{"count":"1"}]}}`, "input.order.lines.count must be a whole number, not a string"},
		{`{"order":{"lines":[{"count":2.5}]}}`, "input.order.lines.count must be a whole number, not 2.5"},
		{`{"order":{"lines":[{"count":200}]}}`, "input.order.lines.count must be a whole number from -128 to 127, not 200"},
		{`{"order":{"lines":[{"stock":-1}]}}`, "input.order.lines.stock must be a whole number from 0 to 255, not -1"},
		{`{"order":{"lines":[{"stock":1e3}]}}`, "input.order.lines.stock must be a whole number, not 1e3"},
		{`{"order":{"lines":[{"weight":"1"}]}}`, "input.order.lines.weight must be a number, not a string"},
		{`{"order":{"lines":[{"gift":1}]}}`, "input.order.lines.gift must be true or false, not a number"},
		{`{"order":{"lines":[{"photo":1}]}}`, "input.order.lines.photo must be a string in base64, not a number"},
		{`{"order":{"lines":[{"colour":1}]}}`, "input.order.lines.colour must be a string, not a number"},
		{`{"order":{"lines":[{"colour":"red"}]}}`, "the colour is none of ours"},
		{`{"order":{"lines":[{"exact":true}]}}`, "input.order.lines.exact must be a number, not a boolean"},
		{`{"order":{"lines":[{"any":{}}]}}`, "input.order.lines.any must be of another type, not an object"},
		{`{"order":{"lines":[{"due":"soon"}]}}`, `\"soon\" is not a time as RFC 3339 writes it`},
		{`{"order":{"lines":[{"quoted":"x"}]}}`, "the input is not of the form that is asked for"},
		{`{"order":`, "unexpected end of JSON input, at byte 9"},
		{`{"order":}`, "invalid character '}' looking for beginning of value, at byte 10"},
	} {
		f := newFake()
		w := serveWith(t, api.Config{Client: f, Hub: "Orders", Definitions: []api.Definition{ship}}, "POST", start+"Ship", tc.body)
		if w.Code != http.StatusBadRequest || !strings.Contains(w.Body.String(), `"detail":"`+tc.says+`"`) {
			t.Errorf("%s: status %d, want 400 with %q: %s", tc.body, w.Code, tc.says, w.Body)
		}
		for _, inside := range []string{"Go ", "json:", "api_test", "shipment", "struct"} {
			if strings.Contains(w.Body.String(), inside) {
				t.Errorf("%s: the answer shows %q: %s", tc.body, inside, w.Body)
			}
		}
		if len(f.starts) > 0 {
			t.Errorf("%s was started", tc.body)
		}
	}
}

// null refuses to be null.
type null struct{}

func (null) Name() string { return "Null" }

func (null) CheckInput(input json.RawMessage) (json.RawMessage, error) {
	if string(input) == "null" {
		return nil, errors.New("the input is missing")
	}
	return input, nil
}

func TestAnEmptyBodyIsCheckedAsNull(t *testing.T) {
	t.Parallel()
	for _, body := range []string{"", " \n", "null"} {
		f := newFake()
		w := serveWith(t, api.Config{Client: f, Hub: "Orders", Definitions: []api.Definition{null{}, ship}}, "POST", start+"Null", body)
		if w.Code != http.StatusBadRequest || !strings.Contains(w.Body.String(), "the input is missing") {
			t.Errorf("%q: status %d, want 400: %s", body, w.Code, w.Body)
		}
		w = serveWith(t, api.Config{Client: f, Hub: "Orders", Definitions: []api.Definition{null{}, ship}}, "POST", start+"Ship", body)
		if w.Code != http.StatusAccepted {
			t.Errorf("%q, where a type takes null: status %d: %s", body, w.Code, w.Body)
		}
	}
}

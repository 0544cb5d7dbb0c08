package orders

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
)

// Parse reads an order from JSON and checks it. It is strict, because money hangs on it: a field that is unknown or is
// there twice is refused, and so is anything after the order. The error is a *FieldError that says what to change.
func Parse(body []byte) (Order, error) {
	if len(bytes.TrimSpace(body)) == 0 {
		return Order{}, wrong("", "the body is empty; it must be an order in JSON")
	}
	dec := json.NewDecoder(bytes.NewReader(body))
	dec.DisallowUnknownFields()
	var order Order
	if err := dec.Decode(&order); err != nil {
		return Order{}, explain(err)
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return Order{}, wrong("", "there is something after the order; send one order at a time")
	}
	if err := refuseDuplicates(json.NewDecoder(bytes.NewReader(body)), ""); err != nil {
		return Order{}, err
	}
	return order, order.Check()
}

// explain turns an error of encoding/json into one about the order.
func explain(err error) error {
	var mismatch *json.UnmarshalTypeError
	var syntax *json.SyntaxError
	switch {
	case errors.As(err, &mismatch) && mismatch.Field == "":
		return wrong("", "the order must be a JSON object, not %s", article(mismatch.Value))
	case errors.As(err, &mismatch):
		return wrong(mismatch.Field, "must be %s, not %s", words(mismatch.Type.Kind().String()), article(mismatch.Value))
	case errors.As(err, &syntax):
		return wrong("", "the body is not valid JSON: %s, at byte %d", syntax, syntax.Offset)
	case errors.Is(err, io.ErrUnexpectedEOF):
		return wrong("", "the body is not valid JSON: it ends too early")
	}
	return wrong("", "%s", strings.TrimPrefix(err.Error(), "json: "))
}

func article(value string) string {
	if value == "array" || value == "object" {
		return "an " + value
	}
	return "a " + value
}

// words says what a Go kind is called in JSON.
func words(kind string) string {
	switch kind {
	case "string":
		return "a string"
	case "int64":
		return "a whole number"
	case "slice":
		return "an array"
	}
	return "an object"
}

// refuseDuplicates reads one value and refuses an object with a name that occurs twice, of which encoding/json would
// silently take the last. Like encoding/json it takes upper and lower case for the same.
func refuseDuplicates(dec *json.Decoder, path string) error {
	token, err := dec.Token()
	if err != nil {
		return explain(err)
	}
	switch token {
	case json.Delim('{'):
		seen := map[string]bool{}
		for dec.More() {
			name, err := dec.Token()
			if err != nil {
				return explain(err)
			}
			field := strings.TrimPrefix(fmt.Sprintf("%s.%s", path, name), ".")
			if folded := strings.ToLower(strings.ToUpper(field)); seen[folded] {
				return wrong(field, "is there twice")
			} else {
				seen[folded] = true
			}
			if err := refuseDuplicates(dec, field); err != nil {
				return err
			}
		}
	case json.Delim('['):
		for i := 0; dec.More(); i++ {
			if err := refuseDuplicates(dec, fmt.Sprintf("%s[%d]", path, i)); err != nil {
				return err
			}
		}
	default:
		return nil
	}
	_, err = dec.Token() // the closing delimiter
	return err
}

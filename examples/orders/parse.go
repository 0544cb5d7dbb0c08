package orders

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"reflect"
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
		return Order{}, explain(err, body)
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return Order{}, wrong("", "there is something after the order; send one order at a time")
	}
	if err := refuseDuplicates(body); err != nil {
		return Order{}, err
	}
	return order, order.Check()
}

// explain turns an error of encoding/json about a body into one about the order.
func explain(err error, body []byte) error {
	var mismatch *json.UnmarshalTypeError
	var syntax *json.SyntaxError
	switch {
	case errors.As(err, &mismatch) && mismatch.Field == "":
		return wrong("", "the order must be a JSON object, not %s", article(mismatch.Value))
	case errors.As(err, &mismatch):
		return wrong(fieldAt(body, mismatch), "must be %s, not %s", words(mismatch), short(article(mismatch.Value)))
	case errors.As(err, &syntax):
		return wrong("", "the body is not valid JSON: %s, at byte %d", syntax, syntax.Offset)
	case errors.Is(err, io.ErrUnexpectedEOF):
		return wrong("", "the body is not valid JSON: it ends too early")
	}
	return wrong("", "%s", strings.TrimPrefix(err.Error(), "json: "))
}

// article says what was found, given encoding/json's description of it.
func article(value string) string {
	if number, ok := strings.CutPrefix(value, "number "); ok {
		return number
	}
	switch value {
	case "array", "object":
		return "an " + value
	case "bool":
		return "a boolean"
	}
	return "a " + value
}

// words says what was expected.
func words(mismatch *json.UnmarshalTypeError) string {
	switch mismatch.Type.Kind() {
	case reflect.String:
		return "a string"
	case reflect.Int64:
		if number, ok := strings.CutPrefix(mismatch.Value, "number "); ok && strings.Trim(number, "-0123456789") == "" {
			return "a whole number of at most 18 digits"
		}
		return "a whole number"
	case reflect.Slice:
		return "an array"
	}
	return "an object"
}

// fieldAt returns the path of the value that is of the wrong type. That of encoding/json leaves out indexes; its offset
// is where the first token of the value ends.
func fieldAt(body []byte, mismatch *json.UnmarshalTypeError) string {
	field := mismatch.Field
	// The walk reads what encoding/json has read before, so it meets no error.
	_ = walk(json.NewDecoder(bytes.NewReader(body)), "", func(path string, end int64) error {
		if end == mismatch.Offset {
			field = path
		}
		return nil
	})
	return field
}

// refuseDuplicates refuses an object with a name that occurs twice, of which encoding/json would silently take the last.
// Like encoding/json it takes upper and lower case for the same. It tells values apart by their paths, which is enough
// because the names of an order's fields hold neither dots nor brackets.
func refuseDuplicates(body []byte) error {
	seen := map[string]bool{}
	return walk(json.NewDecoder(bytes.NewReader(body)), "", func(path string, _ int64) error {
		folded := strings.ToLower(strings.ToUpper(path))
		if seen[folded] {
			return wrong(path, "is there twice")
		}
		seen[folded] = true
		return nil
	})
}

// walk reads one value of valid JSON, and calls visit with the path of each value in it and where its first token ends.
func walk(dec *json.Decoder, path string, visit func(path string, end int64) error) error {
	token, err := dec.Token()
	if err != nil {
		return err
	}
	if err := visit(path, dec.InputOffset()); err != nil {
		return err
	}
	switch token {
	case json.Delim('{'):
		for dec.More() {
			name, err := dec.Token()
			if err != nil {
				return err
			}
			if err := walk(dec, strings.TrimPrefix(fmt.Sprintf("%s.%s", path, name), "."), visit); err != nil {
				return err
			}
		}
	case json.Delim('['):
		for i := 0; dec.More(); i++ {
			if err := walk(dec, fmt.Sprintf("%s[%d]", path, i), visit); err != nil {
				return err
			}
		}
	default:
		return nil
	}
	_, err = dec.Token() // the closing delimiter
	return err
}

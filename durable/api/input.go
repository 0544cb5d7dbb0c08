package api

import (
	"encoding"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"time"
)

// explainJSON says in a sentence why JSON is not what is asked for, without a word about the Go types behind it. What is
// the name of the whole value: errors about its fields begin with their path below it.
func explainJSON(err error, what string) string {
	var mismatch *json.UnmarshalTypeError
	var syntax *json.SyntaxError
	var instant *time.ParseError
	switch {
	case errors.As(err, &mismatch):
		if mismatch.Field != "" {
			what += "." + mismatch.Field
		} else {
			what = "the " + what
		}
		return what + " must be " + expected(mismatch.Type, mismatch.Value) + ", not " + found(mismatch.Value)
	case errors.As(err, &syntax):
		return fmt.Sprintf("%s, at byte %d", syntax, syntax.Offset)
	case errors.As(err, &instant):
		return fmt.Sprintf("%q is not a time as RFC 3339 writes it", instant.Value)
	case strings.HasPrefix(err.Error(), "json: unknown field"):
		return strings.TrimPrefix(err.Error(), "json: ")
	case strings.HasPrefix(err.Error(), "json: "): // the rest of encoding/json's own errors name Go types
		return "the " + what + " is not of the form that is asked for"
	}
	return err.Error()
}

var (
	textUnmarshaler = reflect.TypeFor[encoding.TextUnmarshaler]()
	jsonNumber      = reflect.TypeFor[json.Number]()
)

// expected says what JSON has to hold for a Go type. Value is what was found instead, as encoding/json describes it.
func expected(t reflect.Type, value string) string {
	switch {
	case t == nil:
		return "of another type"
	case t == jsonNumber:
		return "a number"
	case reflect.PointerTo(t).Implements(textUnmarshaler):
		return "a string"
	}
	number, isNumber := strings.CutPrefix(value, "number ")
	whole := isNumber && strings.Trim(number, "-0123456789") == ""
	switch t.Kind() {
	case reflect.Bool:
		return "true or false"
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		if whole {
			return fmt.Sprintf("a whole number from %d to %d", int64(-1)<<(t.Bits()-1), ^(int64(-1) << (t.Bits() - 1)))
		}
		return "a whole number"
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Uintptr:
		if whole {
			return fmt.Sprintf("a whole number from 0 to %d", ^uint64(0)>>(64-t.Bits()))
		}
		return "a whole number"
	case reflect.Float32, reflect.Float64:
		return "a number"
	case reflect.String:
		return "a string"
	case reflect.Slice, reflect.Array:
		if t.Elem().Kind() == reflect.Uint8 && t.Kind() == reflect.Slice {
			return "a string in base64"
		}
		return "an array"
	case reflect.Struct, reflect.Map:
		return "an object"
	}
	return "of another type"
}

// found says what JSON held, given encoding/json's description of it.
func found(value string) string {
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

package contract

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
)

func (a answer) read(into any) error { return json.Unmarshal(a.body, into) }

// wellFormed is what all answers have in common: a body is JSON, whatever the status; an error is a problem, but for those of rewind, which
// are strings; and nobody is sent elsewhere.
func (a answer) wellFormed() error {
	mediaType, _, _ := strings.Cut(a.Header.Get("Content-Type"), ";")
	switch {
	case a.StatusCode >= 300 && a.StatusCode < 400:
		return fmt.Errorf("it is answered with a redirect: %s", a.Status)
	case len(a.body) == 0:
		return nil
	case !json.Valid(a.body):
		return fmt.Errorf("%d: the body is no JSON: %s", a.StatusCode, a.body)
	case a.StatusCode >= 400 && mediaType == "application/problem+json":
		return a.problem()
	case mediaType != "application/json":
		return fmt.Errorf("%d: the body is %s", a.StatusCode, mediaType)
	}
	return nil
}

// problem is RFC 9457's object, with the members that Durable Functions' clients read.
func (a answer) problem() error {
	var p struct {
		Title, Detail string
		Status        int
		Message       *string
		Exception     *string `json:"ExceptionMessage"`
	}
	if err := a.read(&p); err != nil {
		return err
	}
	if p.Title == "" || p.Detail == "" || p.Message == nil || p.Status != a.StatusCode || (p.Exception != nil) != (a.StatusCode == http.StatusBadRequest) {
		return fmt.Errorf("the problem lacks something, or has what it should not: %s", a.body)
	}
	for _, inside := range []string{"goroutine ", ".go:"} {
		if bytes.Contains(a.body, []byte(inside)) {
			return fmt.Errorf("the problem shows the inside: %s", a.body)
		}
	}
	return nil
}

// isProblem wants an error to be one, and to say this.
func isProblem(says string) check {
	return func(a answer) error {
		if mediaType, _, _ := strings.Cut(a.Header.Get("Content-Type"), ";"); mediaType != "application/problem+json" {
			return fmt.Errorf("it is %q, not a problem", mediaType)
		}
		if !strings.Contains(string(a.body), says) {
			return fmt.Errorf("it says nothing of %q", says)
		}
		return nil
	}
}

// bare wants no body.
func bare(a answer) error {
	if len(a.body) > 0 {
		return fmt.Errorf("it has a body")
	}
	return nil
}

// is wants the body to be this JSON, in this order.
func is(want string) check {
	return func(a answer) error {
		if want := a.vars.Replace(want); string(a.body) != want {
			return fmt.Errorf("want %s", want)
		}
		return nil
	}
}

// isString wants a body that is a JSON string.
func isString(a answer) error {
	var s string
	if err := a.read(&s); err != nil || s == "" {
		return fmt.Errorf("it is no JSON string")
	}
	return nil
}

func header(name, want string) check {
	return func(a answer) error {
		if got := a.Header.Get(name); got != want {
			return fmt.Errorf("the header %s is %q, want %q", name, got, want)
		}
		return nil
	}
}

// has wants a member of the body's object to be this JSON.
func has(member, want string) check {
	return func(a answer) error {
		var object map[string]json.RawMessage
		if err := a.read(&object); err != nil {
			return err
		}
		if want := a.vars.Replace(want); string(object[member]) != want {
			return fmt.Errorf("%s is %s, want %s", member, object[member], want)
		}
		return nil
	}
}

// lacks wants no such member.
func lacks(member string) check {
	return func(a answer) error {
		var object map[string]json.RawMessage
		if err := a.read(&object); err != nil {
			return err
		}
		if v, ok := object[member]; ok {
			return fmt.Errorf("%s is %s, want none", member, v)
		}
		return nil
	}
}

// members are those that every status object begins with, in this order.
var members = []string{"name", "instanceId", "runtimeStatus", "input", "customStatus", "output", "createdTime", "lastUpdatedTime"}

var whole = regexp.MustCompile(`^"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ"$`)

// statusObject wants the body to be a status object.
func statusObject(a answer) error { return isStatus(a.body) }

func isStatus(body json.RawMessage) error {
	keys, values, err := object(body)
	if err != nil {
		return err
	}
	if len(keys) < len(members) || !slices.Equal(keys[:len(members)], members) {
		return fmt.Errorf("its members are %v; want them to begin with %v", keys, members)
	}
	for _, member := range []string{"createdTime", "lastUpdatedTime"} {
		if !whole.Match(values[member]) {
			return fmt.Errorf("%s is %s, not a time in whole seconds", member, values[member])
		}
	}
	return nil
}

// object is a JSON object with the order of its members.
func object(data []byte) (keys []string, values map[string]json.RawMessage, err error) {
	d := json.NewDecoder(bytes.NewReader(data))
	if open, err := d.Token(); err != nil || open != json.Delim('{') {
		return nil, nil, fmt.Errorf("it is no object: %v", err)
	}
	values = map[string]json.RawMessage{}
	for d.More() {
		key, err := d.Token()
		if err != nil {
			return nil, nil, err
		}
		var v json.RawMessage
		if err := d.Decode(&v); err != nil {
			return nil, nil, err
		}
		keys, values[key.(string)] = append(keys, key.(string)), v
	}
	return keys, values, nil
}

// status wants the status object of the instance, with the HTTP status that belongs to its own.
func status(s state) check {
	return func(a answer) error {
		if err := statusObject(a); err != nil {
			return err
		}
		if err := has("runtimeStatus", `"`+string(s)+`"`)(a); err != nil {
			return err
		}
		if s != running && s != suspended {
			return header("Location", "")(a)
		}
		if err := header("Retry-After", "5")(a); err != nil {
			return err
		}
		return a.leadsTo("/instances/" + a.id)
	}
}

// leadsTo wants the Location to be this path of the API, on the target.
func (a answer) leadsTo(path string) error {
	u, err := url.Parse(a.Header.Get("Location"))
	if err != nil || !strings.EqualFold(u.Scheme+"://"+u.Host+u.Path, a.run.URL+base+path) {
		return fmt.Errorf("the Location is %q, want %s%s%s", a.Header.Get("Location"), a.run.URL, base, path)
	}
	return nil
}

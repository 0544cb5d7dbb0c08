//go:build template

package template_test

import (
	"bytes"
	"encoding/json"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
)

// stack is the template as CloudFormation would create it: after SAM's transform, with parameters, conditions and Fn::If
// resolved. What refers to a resource is a string as in Fn::Sub: ${Queue} or ${Queue.Arn}.
type stack struct {
	resources map[string]resource
	outputs   []string // in order
	// parameters are all that the template has.
	parameters map[string]parameter
}

type parameter struct {
	Default     any
	Description string
}

// everything switches on all that is there on request only.
var everything = []string{
	"StandingOrder={}", "MailFrom=shop@example.com", "CreateMailIdentity=true", "CreateMailConfigurationSet=true",
	"PublicUrl=https://orders.example.com", "AlarmTopic=arn:aws:sns:eu-central-1:123456789012:oncall", "EventBus=default",
}

var transformed sync.Map // of arguments, to a function that gives what the transform printed

// deploy returns the stack with the parameters, each Name=value, and the defaults of the others.
func deploy(t *testing.T, parameters ...string) *stack {
	t.Helper()
	// The transform takes seconds, and uses no other parameter: what it leaves is for CloudFormation, and resolved here.
	auth := slices.DeleteFunc(slices.Clone(parameters), func(p string) bool { return !strings.HasPrefix(p, "ApiAuth=") })
	once, _ := transformed.LoadOrStore(strings.Join(auth, "\n"), sync.OnceValues(func() (string, error) {
		tools, err := run("infra/tools")
		if err != nil {
			return "", err
		}
		return run(filepath.Join(strings.TrimSpace(tools), "python"), append([]string{"infra/transform.py"}, auth...)...)
	}))
	text, err := once.(func() (string, error))()
	if err != nil {
		t.Fatal(err)
	}
	s, err := parse([]byte(text), parameters)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

type failure struct {
	command string
	said    string
}

func (f failure) Error() string { return f.command + " failed:\n" + f.said }

// run runs a command in the root of the repository.
func run(name string, args ...string) (string, error) {
	cmd := exec.Command(name, args...)
	cmd.Dir = "../.."
	var out, said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &said
	if err := cmd.Run(); err != nil {
		return "", failure{strings.Join(append([]string{name}, args...), " "), out.String() + said.String() + err.Error()}
	}
	return out.String(), nil
}

func parse(text []byte, overrides []string) (*stack, error) {
	var t struct {
		Parameters map[string]parameter
		Conditions map[string]any
		Resources  map[string]resource
		Outputs    json.RawMessage
	}
	if err := json.Unmarshal(text, &t); err != nil {
		return nil, err
	}
	r := resolver{values: map[string]any{}, conditions: t.Conditions}
	for name, p := range t.Parameters {
		r.values[name] = p.Default
	}
	for _, o := range overrides {
		name, value, _ := strings.Cut(o, "=")
		r.values[name] = value
	}
	s := &stack{resources: map[string]resource{}, outputs: keys(t.Outputs), parameters: t.Parameters}
	for name, res := range t.Resources {
		if res.Condition == "" || r.holds(res.Condition) {
			res.name, res.Properties = name, r.resolve(res.Properties)
			res.Metadata, _ = r.resolve(res.Metadata).(map[string]any)
			s.resources[name] = res
		}
	}
	return s, nil
}

// keys are those of an object, in order.
func keys(object json.RawMessage) []string {
	dec := json.NewDecoder(bytes.NewReader(object))
	var names []string
	for depth := 0; ; {
		token, err := dec.Token()
		if err != nil {
			return names
		}
		switch v := token.(type) {
		case json.Delim:
			if v == '{' || v == '[' {
				depth++
			} else {
				depth--
			}
		case string:
			if depth == 1 {
				names = append(names, v)
			}
		}
	}
}

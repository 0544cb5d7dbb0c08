//go:build template

package template_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// resolver resolves what depends on parameters, and makes strings of what depends on resources.
type resolver struct {
	values     map[string]any
	conditions map[string]any
}

// nothing is what AWS::NoValue stands for.
type nothing struct{}

func (r resolver) resolve(v any) any {
	switch v := v.(type) {
	case map[string]any:
		if len(v) == 1 {
			for name, argument := range v {
				if result, ok := r.function(name, argument); ok {
					return result
				}
			}
		}
		out := map[string]any{}
		for key, e := range v {
			if e = r.resolve(e); e != (nothing{}) {
				out[key] = e
			}
		}
		return out
	case []any:
		out := []any{}
		for _, e := range v {
			if e = r.resolve(e); e != (nothing{}) {
				out = append(out, e)
			}
		}
		return out
	}
	return v
}

func (r resolver) function(name string, argument any) (any, bool) {
	arguments, _ := argument.([]any)
	switch name {
	case "Ref":
		if argument == "AWS::NoValue" {
			return nothing{}, true
		}
		if value, ok := r.values[argument.(string)]; ok {
			return value, true
		}
		return fmt.Sprintf("${%s}", argument), true
	case "Fn::GetAtt":
		return fmt.Sprintf("${%s.%s}", arguments[0], arguments[1]), true
	case "Fn::Sub":
		if len(arguments) == 2 {
			text := arguments[0].(string)
			for key, value := range r.resolve(arguments[1]).(map[string]any) {
				text = strings.ReplaceAll(text, "${"+key+"}", fmt.Sprint(value))
			}
			return r.fill(text), true
		}
		return r.fill(argument.(string)), true
	case "Fn::If":
		if r.holds(arguments[0].(string)) {
			return r.resolve(arguments[1]), true
		}
		return r.resolve(arguments[2]), true
	}
	return nil, false
}

// fill puts the values of parameters into a text.
func (r resolver) fill(text string) string {
	for name, value := range r.values {
		text = strings.ReplaceAll(text, "${"+name+"}", fmt.Sprint(value))
	}
	return text
}

func (r resolver) holds(condition string) bool {
	c, ok := r.conditions[condition]
	if !ok {
		panic("there is no condition " + condition)
	}
	return r.true(c)
}

func (r resolver) true(c any) bool {
	m := c.(map[string]any)
	name := slices.Collect(maps.Keys(m))[0]
	arguments, _ := m[name].([]any)
	switch name {
	case "Condition":
		return r.holds(m[name].(string))
	case "Fn::Equals":
		return fmt.Sprint(r.resolve(arguments[0])) == fmt.Sprint(r.resolve(arguments[1]))
	case "Fn::Not":
		return !r.true(arguments[0])
	case "Fn::And":
		return !slices.ContainsFunc(arguments, func(a any) bool { return !r.true(a) })
	case "Fn::Or":
		return slices.ContainsFunc(arguments, r.true)
	}
	panic("conditions with " + name + " are not understood here")
}

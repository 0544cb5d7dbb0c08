package durable

import (
	"errors"
	"fmt"
	"slices"
	"unicode/utf8"

	"github.com/durable-lambda/durable-lambda/durable/history"
)

// ActivityError is why an activity, or a step, failed: its last attempt's error as it came across the wire. errors.Is
// finds the ErrorKinds that the error wrapped, errors.As the ActivityErrors and OrchestrationErrors.
type ActivityError struct {
	Activity string
	// Attempt is the number of the attempt that failed last, from 1; 0 when none was made.
	Attempt int
	Kind    ErrorKind
	Message string
	// Kinds are all kinds that the error wrapped, Kind first.
	Kinds []ErrorKind
	// Properties are what the code said of the error: see WithProperties.
	Properties map[string]string

	causes []error
}

func (e *ActivityError) Error() string {
	if e.Attempt > 1 {
		return fmt.Sprintf("%s failed after %d attempts: %s", e.Activity, e.Attempt, e.Message)
	}
	return fmt.Sprintf("%s failed: %s", e.Activity, e.Message)
}

// Is reports whether target is one of the error's kinds.
func (e *ActivityError) Is(target error) bool { return isKind(e.Kinds, target) }

// Unwrap returns what the error goes back to: the ActivityErrors and OrchestrationErrors that it wrapped when it was made, or the error
// that kept the activity from being asked for.
func (e *ActivityError) Unwrap() []error { return e.causes }

// activityError is the error of a failure in the history.
func activityError(f *history.Failure) error {
	return &ActivityError{Activity: f.Activity, Attempt: int(f.Attempt), Kind: ErrorKind(f.Kind), Message: f.Message, Properties: f.Properties,
		Kinds: appendKinds(nil, f), causes: causesOf(f)}
}

// unusable makes the error of a call of an activity, or of a step, whose input or result cannot be used.
func unusable(name string, err error) error {
	return &ActivityError{Activity: name, Message: err.Error(), causes: []error{err}}
}

// causesOf are the errors that a failure wrapped.
func causesOf(f *history.Failure) []error {
	var errs []error
	for i := range f.Causes {
		switch c := &f.Causes[i]; {
		case c.Instance != "":
			errs = append(errs, childError(c.Instance, c))
		case c.Activity != "":
			errs = append(errs, activityError(c))
		}
	}
	return errs
}

func appendKinds(kinds []ErrorKind, f *history.Failure) []ErrorKind {
	if k := ErrorKind(f.Kind); k != "" && !slices.Contains(kinds, k) {
		kinds = append(kinds, k)
	}
	for i := range f.Causes {
		kinds = appendKinds(kinds, &f.Causes[i])
	}
	return kinds
}

const (
	// maxKinds of one error cross the wire.
	maxKinds = 32
	// maxDepth is how many errors, each the cause of the one before, cross the wire: fewer than a history can hold.
	maxDepth = 12
	// maxWide is how many failures that one error wraps cross the wire whole.
	maxWide = 16
)

// toFailure is err as it goes across the wire: its text, its kinds, its properties, whether it is permanent, and the failures that it
// goes back to.
func toFailure(err error) *history.Failure {
	f := &history.Failure{Message: cut(err.Error(), history.MaxMessage), Properties: fitting(Properties(err))}
	causes, kinds, permanent := collect(err, 1)
	f.Permanent = permanent
	tell(f, causes, kinds)
	for level := maxDepth; level >= 0 && f.Size() > history.MaxFailure; level-- {
		prune(f, level)
	}
	for f.Size() > history.MaxFailure && len(f.Causes) > 0 {
		f.Causes = f.Causes[:len(f.Causes)-1]
	}
	return f
}

// collect finds the failures that err wraps, and all its kinds.
func collect(err error, depth int) (causes []history.Failure, kinds []ErrorKind, permanent bool) {
	failed := func(c history.Failure, all []ErrorKind, because []error) {
		kinds = append(kinds, all...)
		if depth > maxDepth || len(causes) == maxWide {
			return
		}
		c.Message, c.Properties = cut(c.Message, history.MaxMessage), fitting(c.Properties)
		inner, _, _ := collect(errors.Join(because...), depth+1)
		tell(&c, inner, all)
		causes = append(causes, c)
	}
	walk(err, 0, func(e error) bool {
		switch e := e.(type) {
		case ErrorKind:
			kinds = append(kinds, e)
		case *ActivityError:
			failed(history.Failure{Activity: e.Activity, Attempt: uint32(max(e.Attempt, 0)), Message: e.Message, Properties: e.Properties}, e.Kinds, e.causes)
			return false
		case *OrchestrationError:
			failed(history.Failure{Instance: e.Instance, Message: e.Message, Properties: e.Properties}, e.Kinds, e.causes)
			return false
		case *permanentError:
			permanent = true
		}
		return true
	})
	return causes, kinds, permanent
}

// tell gives a failure its causes, and those of its kinds that no cause has.
func tell(f *history.Failure, causes []history.Failure, kinds []ErrorKind) {
	f.Causes = causes
	var told []ErrorKind
	for _, k := range kinds {
		if k = ErrorKind(cut(string(k), history.MaxName)); f.Kind == "" {
			f.Kind = string(k)
		}
		if told = appendKinds(nil, f); k != "" && len(told) < maxKinds+1 && !slices.Contains(told, k) {
			f.Causes = append(f.Causes, history.Failure{Kind: string(k)})
		}
	}
}

// prune leaves only the kinds of what is so many causes down, or more.
func prune(f *history.Failure, level int) {
	if level == 0 {
		tell(f, nil, appendKinds(nil, f))
		return
	}
	for i := range f.Causes {
		prune(&f.Causes[i], level-1)
	}
}

// walk visits err and what it wraps, depth first, as far as visit wants it.
func walk(err error, depth int, visit func(error) bool) {
	if err == nil || depth > 100 || !visit(err) {
		return
	}
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		for _, e := range joined.Unwrap() {
			walk(e, depth+1, visit)
		}
		return
	}
	walk(errors.Unwrap(err), depth+1, visit)
}

// cut shortens a text to limit bytes, between characters.
func cut(s string, limit int) string {
	if len(s) <= limit {
		return s
	}
	n := limit - len("…")
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n] + "…"
}

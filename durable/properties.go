package durable

import (
	"maps"
	"slices"

	"github.com/durable-lambda/durable-lambda/durable/history"
)

// WithProperties returns err with properties for whoever handles it, such as the code that a bank gave: they cross the wire
// with the error, from an activity to its orchestration, and on to its starter. Its text and what it wraps stay as they are.
// 32 properties with 4 KiB of names and values go over; of more, those that fit, in the order of their names.
// They are kept in the history, and shown by the management API: secrets do not belong there.
func WithProperties(err error, properties map[string]string) error {
	if err == nil {
		return nil
	}
	return &propertiesError{err, maps.Clone(properties)}
}

// Properties are those of err and of all that it wraps, in this process or across the wire; nil when there are none. Where two
// have the same name, the outer one counts.
func Properties(err error) map[string]string {
	var all map[string]string
	walk(err, 0, func(e error) bool {
		var more map[string]string
		switch e := e.(type) {
		case *propertiesError:
			more = e.properties
		case *ActivityError:
			more = e.Properties
		case *OrchestrationError:
			more = e.Properties
		}
		for k, v := range more {
			if all == nil {
				all = map[string]string{}
			}
			if _, ok := all[k]; !ok {
				all[k] = v
			}
		}
		return true
	})
	return all
}

type propertiesError struct {
	error
	properties map[string]string
}

func (e *propertiesError) Unwrap() error { return e.error }

// fitting are the properties that go across the wire.
func fitting(all map[string]string) map[string]string {
	out := map[string]string{}
	for _, k := range slices.Sorted(maps.Keys(all)) {
		if out[k] = all[k]; history.CheckProperties(out) != nil {
			delete(out, k)
		}
	}
	if len(out) == 0 {
		return nil
	}
	return out
}

package durable_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"strings"
	"testing"

	"github.com/durable-lambda/durable-lambda/durable"
	"github.com/durable-lambda/durable-lambda/durable/durabletest"
	"github.com/google/go-cmp/cmp"
)

// What the code says of an error goes from an activity through a sub-orchestration to whoever waits for the outcome.
func TestPropertiesCrossTheWire(t *testing.T) {
	t.Parallel()
	const declined = durable.ErrorKind("Declined")
	pay := durable.NewActivity[string, durable.None]("Pay")
	child := durable.NewOrchestration[string, durable.None]("Child")
	parent := durable.NewOrchestration[string, durable.None]("Parent")
	var seen map[string]string
	sys := durabletest.New(t,
		pay.Bind(func(context.Context, string) (durable.None, error) {
			err := durable.WithProperties(fmt.Errorf("no: %w", declined), map[string]string{"code": "51", "bank": "A"})
			return durable.None{}, durable.Permanent(fmt.Errorf("paying: %w", err))
		}),
		child.Bind(func(ctx durable.Context, in string) (durable.None, error) {
			_, err := pay.Call(ctx, in)
			var failed *durable.ActivityError
			if errors.As(err, &failed) {
				seen = failed.Properties
			}
			return durable.None{}, durable.WithProperties(err, map[string]string{"bank": "B"})
		}),
		parent.Bind(func(ctx durable.Context, in string) (durable.None, error) { return child.Call(ctx, in) }))
	run, err := parent.Submit(t.Context(), sys.Client, "x")
	if err != nil {
		t.Fatal(err)
	}
	sys.Settle()
	_, err = run.Wait(t.Context())
	var failed *durable.OrchestrationError
	if !errors.As(err, &failed) || !errors.Is(err, declined) {
		t.Fatalf("it ended with %v", err)
	}
	if diff := cmp.Diff(map[string]string{"code": "51", "bank": "A"}, seen); diff != "" {
		t.Errorf("the orchestration saw (-want +got):\n%s", diff)
	}
	want := map[string]string{"code": "51", "bank": "B"}
	if diff := cmp.Diff(want, failed.Properties); diff != "" {
		t.Errorf("the starter sees (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(want, durable.Properties(fmt.Errorf("outer: %w", err))); diff != "" {
		t.Errorf("Properties finds (-want +got):\n%s", diff)
	}
}

func TestPropertiesOfOne(t *testing.T) {
	t.Parallel()
	if durable.WithProperties(nil, map[string]string{"a": "b"}) != nil || durable.Properties(errors.New("x")) != nil || durable.Properties(nil) != nil {
		t.Error("there is an error, or a property, where there was none")
	}
	given := map[string]string{"a": "1"}
	base := errors.New("base")
	err := durable.WithProperties(base, given)
	given["a"] = "2"
	if got := durable.Properties(errors.Join(errors.New("x"), err)); !maps.Equal(got, map[string]string{"a": "1"}) || err.Error() != "base" || !errors.Is(err, base) {
		t.Errorf("%v has %v", err, got)
	}
}

// An error must not grow a history without bound, nor get lost because of what was said of it.
func TestTooManyPropertiesAreCut(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		given map[string]string
		want  []string
	}{
		"just so many bytes": {map[string]string{"a": strings.Repeat("x", 4095)}, []string{"a"}},
		"one byte more":      {map[string]string{"a": strings.Repeat("x", 4096), "b": ""}, []string{"b"}},
	} {
		if got := propertiesOver(t, c.given); len(got) != len(c.want) || got[c.want[0]] != c.given[c.want[0]] {
			t.Errorf("%s: %d went over, want %v", name, len(got), c.want)
		}
	}
	many := map[string]string{}
	for i := range 40 {
		many[fmt.Sprintf("%02d", i)] = "x"
	}
	got := propertiesOver(t, many)
	if _, ok := got["31"]; len(got) != 32 || !ok {
		t.Errorf("%d went over, want the first 32", len(got))
	}
}

func propertiesOver(t *testing.T, given map[string]string) map[string]string {
	t.Helper()
	fail := durable.NewOrchestration[durable.None, durable.None]("Fail")
	sys := durabletest.New(t, fail.Bind(func(durable.Context, durable.None) (durable.None, error) {
		return durable.None{}, durable.WithProperties(errors.New("x"), given)
	}))
	run, err := fail.Submit(t.Context(), sys.Client, durable.None{})
	if err != nil {
		t.Fatal(err)
	}
	sys.Settle()
	_, err = run.Wait(t.Context())
	return durable.Properties(err)
}

package aggregator_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/durable-lambda/durable-lambda/durable"
	"github.com/durable-lambda/durable-lambda/durable/durabletest"
	"github.com/durable-lambda/durable-lambda/examples/patterns/aggregator"
)

type meters struct {
	*testing.T
	*durabletest.System
	stored []aggregator.Sum
}

func start(t *testing.T) *meters {
	m := &meters{T: t}
	m.System = durabletest.New(t, aggregator.Collect.Bind(aggregator.Run), aggregator.Store.Bind(func(ctx context.Context, s aggregator.Sum) (none durable.None, err error) {
		if durable.Attempt(ctx) == 1 {
			return none, errors.New("the database restarts")
		}
		m.stored = append(m.stored, s)
		return none, nil
	}))
	return m
}

func (m *meters) add(meter, id string, value int) {
	m.Helper()
	if err := aggregator.Add(m.Context(), m.Client, meter, id, value); err != nil {
		m.Fatal(err)
	}
}

func (m *meters) want(sums ...aggregator.Sum) {
	m.Helper()
	if diff := cmp.Diff(sums, m.stored); diff != "" {
		m.Errorf("stored: -want +got:\n%s", diff)
	}
}

func TestAnHourOfReadings(t *testing.T) {
	t.Parallel()
	m := start(t)
	m.add("blue", "1", 10)
	m.add("blue", "1", 10) // sent again
	m.add("red", "1", 7)
	m.Advance(50 * time.Minute)
	m.add("blue", "2", 20)
	m.Settle()
	in, err := m.Client.Get(t.Context(), "meter-blue")
	if got := string(in.CustomStatus); got != `{"meter":"blue","count":2,"total":30}` || err != nil {
		t.Errorf("it shows %s, %v", got, err)
	}
	m.want()
	m.Advance(15 * time.Minute)
	slices.SortFunc(m.stored, func(a, b aggregator.Sum) int { return strings.Compare(a.Meter, b.Meter) })
	m.want(aggregator.Sum{Meter: "blue", Count: 2, Total: 30}, aggregator.Sum{Meter: "red", Count: 1, Total: 7})
	m.add("blue", "3", 5)
	m.Advance(2 * time.Hour)
	if last := m.stored[len(m.stored)-1]; last != (aggregator.Sum{Meter: "blue", Count: 1, Total: 5}) {
		t.Errorf("then it stored %+v", last)
	}
}

func TestAFullBatchIsStoredAtOnce(t *testing.T) {
	t.Parallel()
	m := start(t)
	for n := range 250 {
		m.add("blue", fmt.Sprint(n), 1)
	}
	m.Advance(10 * time.Second)
	m.want(aggregator.Sum{Meter: "blue", Count: 100, Total: 100}, aggregator.Sum{Meter: "blue", Count: 100, Total: 100})
	m.Advance(2 * time.Hour)
	if n := len(m.stored); n != 3 || m.stored[2].Count != 50 {
		t.Errorf("stored %+v", m.stored)
	}
	m.Advance(100 * time.Hour) // nothing comes, and nothing is done
	if all, err := m.Client.History(t.Context(), "meter-blue"); len(m.stored) != 3 || len(all) > 5 || err != nil {
		t.Errorf("stored %d times; the history has %d events, %v", len(m.stored), len(all), err)
	}
}

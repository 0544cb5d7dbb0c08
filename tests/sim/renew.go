package sim

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"github.com/durable-lambda/durable-lambda/durable"
	"github.com/durable-lambda/durable-lambda/durable/history"
)

// Rounds is the input of a program that continues as new.
type Rounds struct {
	Plain
	Round int
	Got   []string
}

var roundsOrch = durable.NewOrchestration[Rounds, string]("Rounds")

// rounds leaves activities and a timer behind in each round, and takes an event in every other one. In some rounds nothing happens.
func rounds(ctx durable.Context, in Rounds) (string, error) {
	if idle(in.Round) && in.Round < in.N {
		in.Round++
		return "", roundsOrch.ContinueAsNew(ctx, in)
	}
	ctx.SetStatus(in.Round)
	call := work.Start(ctx, Job{Key: fmt.Sprint("r", in.Round), Fails: in.Round % 2})
	work.Start(ctx, Job{Key: "aside"})
	durable.After(ctx, time.Duration(in.Round)*time.Hour)
	v, err := call.Await()
	if err != nil {
		return "", err
	}
	in.Got = append(in.Got, v)
	if in.Round%2 == 0 {
		n, err := goOn.Next(ctx).Await()
		if err != nil {
			return "", err
		}
		in.Got = append(in.Got, fmt.Sprint(n))
	}
	for range 3 {
		work.Start(ctx, Job{Key: "last"})
	}
	if in.Round == in.N {
		return strings.Join(in.Got, ","), nil
	}
	in.Round++
	return "", roundsOrch.ContinueAsNew(ctx, in)
}

func idle(round int) bool { return round%5 >= 2 }

func roundsInput(r *rand.Rand, instance string) any {
	return Rounds{Plain: Plain{Instance: instance, N: 1 + r.IntN(7), Nonce: r.Uint32()}}
}

// wantRounds: each round has done its work, and the events were taken in the order in which they came, none twice and none left out.
func wantRounds(_ *World, l *life) error {
	var in Rounds
	if err := json.Unmarshal(l.start.Data.Bytes, &in); err != nil {
		return err
	}
	var raised []string
	for _, g := range l.generations() {
		for _, e := range g.raised {
			if strings.EqualFold(e.Name, "go") && (g.prev == nil || !g.prev.carries(e.MessageID)) {
				raised = append(raised, strings.TrimSpace(string(e.Data.Bytes)))
			}
		}
	}
	var want []string
	first := 0
	if at := strings.Index(string(l.generations()[0].start.Data.Bytes), `"Round":2`); at >= 0 {
		first = 5 // idle ones
	}
	for round := first; ; {
		want = append(want, fmt.Sprint("r", round))
		if round%2 == 0 {
			if len(raised) == 0 {
				return errors.New("it took more events than there were")
			}
			want, raised = append(want, raised[0]), raised[1:]
		}
		if round == in.N {
			return l.wantOutput(strings.Join(want, ","))
		}
		for round++; idle(round) && round < in.N; {
			round++
		}
	}
}

// renew checks that a generation may begin: when the one before is over, and everything of it was sent.
func (c *check) renew(a *actor, l *life) {
	prev := c.generation(l.instance, l.incarnation, l.generation-1)
	if prev == nil || !prev.renewed() || prev.next != nil || prev.sealed {
		c.w.fail("%s begins %s, and what is before it has not come to that", a, l)
		return
	}
	for n := range prev.segments {
		if s := prev.unsent(n); s != "" {
			c.w.fail("%s begins %s before %s of the generation before was sent", a, l, s)
		}
	}
	if n := len(prev.released); n == 0 || prev.released[n-1] < len(prev.asked) {
		c.w.fail("%s begins %s, and the generation before holds activities back", a, l)
	}
	prev.next, l.prev, l.task = l, prev, prev.task
}

// carried checks that a generation begins with what the one before has left to it, and with nothing that was consumed.
func (c *check) carried(a *actor, l *life, seg *history.Segment) {
	end, first := l.prev.end, &seg.Events[0]
	if first.Kind == history.GenerationStarted && (seg.Time.Before(l.prev.last()) || !bytes.Equal(first.Start.Custom, l.prev.custom)) {
		c.w.fail("%s begins %s at %v with status %s, after %v with %s", a, l, seg.Time, first.Start.Custom, l.prev.last(), l.prev.custom)
	}
	if first.Kind != history.GenerationStarted || first.Version != end.Version || string(first.Data.Bytes) != string(end.Data.Bytes) {
		c.w.fail("%s begins %s with %s, not as the generation before wants", a, l, describeEvent(first))
		return
	}
	var ids []string
	if end.Start != nil {
		ids = end.Start.Carried
	}
	for i, id := range ids {
		at := slices.IndexFunc(seg.Events, func(e history.Event) bool { return e.MessageID == id })
		if _, ok := l.prev.calls[id]; !ok || seg.Events[max(at, 0)].Kind != history.EventRaised || slices.Contains(ids[:i], id) {
			c.w.fail("%s begins %s without the event %s that is carried over, or carries over what is no event", a, l, id)
		}
	}
}

// carries reports whether the event goes over to the next generation.
func (l *life) carries(id string) bool {
	return l.end != nil && l.end.Start != nil && slices.Contains(l.end.Start.Carried, id)
}

// consumedBefore checks that a generation consumes nothing that one before it has, but what is carried over.
func (c *check) consumedBefore(a *actor, l *life, e *history.Event) {
	for g := l.prev; g != nil; g = g.prev {
		n, ok := g.calls[e.MessageID]
		if ok && !g.carries(e.MessageID) && l.last().Sub(g.segments[n].Time) < 14*time.Minute {
			c.w.fail("%s has %s consume %s, which %s has consumed", a, l, describeEvent(e), g)
		}
		if ok {
			return
		}
	}
}

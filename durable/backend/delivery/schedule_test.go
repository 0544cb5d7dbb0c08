package delivery_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/durable-lambda/durable-lambda/durable/backend/delivery"
)

const visibility = 30 * time.Second

// plain is a Schedule as one would write it down: a list that is searched from the beginning.
type plain struct {
	now     time.Time
	grouped bool
	ahead   int             // how many messages are looked at; 0 is all
	all     []*plainMessage // by seq
}

type plainMessage struct {
	seq      uint64
	group    string
	until    time.Time
	taken    bool
	receipt  string
	receives int
}

func (p *plain) inFlight(m *plainMessage) bool { return m.taken && m.until.After(p.now) }

func (p *plain) visible(m *plainMessage) bool { return !m.until.After(p.now) }

func (p *plain) locked(group string) bool {
	return p.grouped && slices.ContainsFunc(p.all, func(m *plainMessage) bool { return m.group == group && p.inFlight(m) })
}

// ready returns what may be taken now.
func (p *plain) ready() []*plainMessage {
	var ready []*plainMessage
	for _, m := range p.all {
		if p.visible(m) && !p.locked(m.group) && p.inSight(m.group) {
			ready = append(ready, m)
		}
	}
	return ready
}

// inSight reports whether a visible message of the group is among those that are looked at.
func (p *plain) inSight(group string) bool {
	at := slices.IndexFunc(p.all, func(m *plainMessage) bool { return m.group == group && p.visible(m) })
	return p.ahead == 0 || at < p.ahead
}

func (p *plain) counts() delivery.Counts {
	var c delivery.Counts
	for _, m := range p.all {
		switch {
		case p.inFlight(m):
			c.InFlight++
		case !p.visible(m):
			c.Delayed++
		case p.locked(m.group) || !p.inSight(m.group):
			c.Held++
		default:
			c.Ready++
		}
	}
	return c
}

func (p *plain) next() (next time.Time, ok bool) {
	for _, m := range p.all {
		if !p.visible(m) && (!ok || m.until.Before(next)) {
			next, ok = m.until, true
		}
	}
	return next, ok
}

// took checks that what was taken together is allowed, and notes it.
func (p *plain) took(t *rapid.T, taken []delivery.Taken, max int) {
	ready := p.ready()
	if want := min(max, len(ready)); len(taken) != want {
		t.Fatalf("took %d messages, want %d", len(taken), want)
	}
	behind := map[string]uint64{}
	for _, m := range ready {
		i := slices.IndexFunc(taken, func(t delivery.Taken) bool { return t.Seq == m.seq })
		if !p.grouped {
			continue
		}
		if i < 0 {
			behind[m.group] = m.seq
		} else if before, ok := behind[m.group]; ok {
			t.Fatalf("took %d of group %s and not %d before it", m.seq, m.group, before)
		}
	}
	lastOf := map[string]uint64{}
	for _, got := range taken {
		at := slices.IndexFunc(ready, func(m *plainMessage) bool { return m.seq == got.Seq })
		if at < 0 {
			t.Fatalf("took %d, which was not ready", got.Seq)
		}
		m := ready[at]
		last, ok := lastOf[m.group]
		if p.grouped && ok && last > m.seq {
			t.Fatalf("took %d behind %d of the same group", m.seq, last)
		}
		lastOf[m.group] = m.seq
		m.receives++
		m.taken, m.until, m.receipt = true, p.now.Add(visibility), got.Receipt
		if got.Receives != m.receives {
			t.Fatalf("message %d counts %d receives, want %d", m.seq, got.Receives, m.receives)
		}
	}
}

func TestScheduleDoesWhatThePlainOneDoes(t *testing.T) {
	t.Parallel()
	for _, grouped := range []bool{false, true} {
		t.Run(fmt.Sprintf("grouped %v", grouped), func(t *testing.T) {
			t.Parallel()
			rapid.Check(t, func(t *rapid.T) { compare(t, grouped) })
		})
	}
}

func compare(t *rapid.T, grouped bool) {
	want := &plain{now: time.Unix(0, 0), grouped: grouped}
	if grouped {
		want.ahead = rapid.IntRange(0, 4).Draw(t, "look-ahead")
	}
	opts := delivery.Options{Now: func() time.Time { return want.now }, Visibility: visibility, Grouped: grouped, LookAhead: want.ahead}
	if rapid.Bool().Draw(t, "picks") {
		opts.Pick = func(n int) int { return rapid.IntRange(0, n-1).Draw(t, "pick") }
	}
	got := delivery.New(opts)
	seq := uint64(0)
	receipts := []string{"", "a.b.c", ".1.1"}
	t.Repeat(map[string]func(*rapid.T){
		"": func(t *rapid.T) {
			if got, want := got.Counts(), want.counts(); got != want {
				t.Fatalf("counts are %+v, want %+v", got, want)
			}
			gotNext, gotOK := got.Next()
			if next, ok := want.next(); ok != gotOK || !next.Equal(gotNext) {
				t.Fatalf("next is %v, %v, want %v, %v", gotNext, gotOK, next, ok)
			}
		},
		"add": func(t *rapid.T) {
			seq++
			m := &plainMessage{seq: seq, group: rapid.SampledFrom([]string{"a", "b", "c"}).Draw(t, "group"), until: want.now}
			if !grouped {
				m.until = want.now.Add(time.Duration(rapid.IntRange(0, 60).Draw(t, "delay")) * time.Second)
			}
			want.all = append(want.all, m)
			got.Add(delivery.Entry{Seq: m.seq, Group: m.group, Due: m.until})
		},
		"take": func(t *rapid.T) {
			max := rapid.IntRange(1, 4).Draw(t, "max")
			taken := got.Take(max)
			want.took(t, taken, max)
			for _, m := range taken {
				receipts = append(receipts, m.Receipt)
			}
		},
		"done":  func(t *rapid.T) { want.done(t, got, rapid.SampledFrom(receipts).Draw(t, "receipt")) },
		"defer": func(t *rapid.T) { want.deferred(t, got, rapid.SampledFrom(receipts).Draw(t, "receipt")) },
		"pass": func(t *rapid.T) {
			want.now = want.now.Add(time.Duration(rapid.IntRange(1, 40).Draw(t, "seconds")) * time.Second)
		},
	})
}

// named returns the place of the message in flight that receipt names, -1 when it is out of date.
func (p *plain) named(receipt string) int {
	return slices.IndexFunc(p.all, func(m *plainMessage) bool { return p.inFlight(m) && m.receipt == receipt })
}

func (p *plain) done(t *rapid.T, s *delivery.Schedule, receipt string) {
	at := p.named(receipt)
	seq, ok := s.Done(receipt)
	if ok != (at >= 0) || ok && seq != p.all[at].seq {
		t.Fatalf("Done of %q returned %d, %v, want the message at %d", receipt, seq, ok, at)
	}
	if ok {
		p.all = slices.Delete(p.all, at, at+1)
	}
}

func (p *plain) deferred(t *rapid.T, s *delivery.Schedule, receipt string) {
	d := time.Duration(rapid.IntRange(0, 60).Draw(t, "visibility")) * time.Second
	at := p.named(receipt)
	if ok := s.Defer(receipt, d); ok != (at >= 0) {
		t.Fatalf("Defer of %q returned %v, want the message at %d", receipt, ok, at)
	}
	if at >= 0 {
		p.all[at].until = p.now.Add(d)
	}
}

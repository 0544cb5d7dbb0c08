package sim

import (
	"maps"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/durable-lambda/durable-lambda/durable"
	"github.com/durable-lambda/durable-lambda/durable/backend"
	"github.com/durable-lambda/durable-lambda/durable/history"
)

// row is one situation of the crash matrix: a scenario, what is done to it, and what its trace must show, in this order, so
// that the situation is known to have come up.
type row struct {
	scenario
	set    func(*World)
	direct director
	shows  []string
}

// upon has something happen to an actor at its first calls that read like these, one after the other.
func upon(each ...strikeAt) director {
	return func(p place) fault {
		if len(each) == 0 || p.after != each[0].after || !strings.HasPrefix(p.actor.name, each[0].actor) || !each[0].call.MatchString(p.what) {
			return none
		}
		f := each[0].fault
		each = each[1:]
		return f
	}
}

type strikeAt struct {
	fault fault
	actor string
	after bool
	call  *regexp.Regexp
}

func before(f fault, actor, call string) strikeAt {
	return strikeAt{f, actor, false, regexp.MustCompile(call)}
}

func after(f fault, actor, call string) strikeAt {
	return strikeAt{f, actor, true, regexp.MustCompile(call)}
}

// TestCrashMatrix has every situation that the protocol was made for come up by itself.
func TestCrashMatrix(t *testing.T) {
	t.Parallel()
	for name, make := range matrix() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := make()
			calm := r.scenario.run(nobody, false)
			if calm.Err != nil {
				t.Fatal(calm.Err)
			}
			if r.direct == nil {
				r.direct = nobody
			}
			if r.set == nil {
				r.set = func(*World) {}
			}
			got := r.scenario.run(r.direct, true, r.set)
			trace := strings.Join(got.Trace, "\n")
			if got.Err != nil || !maps.Equal(got.ends, calm.ends) {
				t.Errorf("it ends as %v, want %v; %v\n%s", got.ends, calm.ends, got.Err, trace)
			}
			if missing := showsNot(trace, r.shows); missing != "" {
				t.Errorf("the trace does not show %q, or not in this order:\n%s", missing, trace)
			}
		})
	}
}

// showsNot is the first of the patterns that does not come up after those before it.
func showsNot(trace string, patterns []string) string {
	for _, p := range patterns {
		at := regexp.MustCompile(p).FindStringIndex(trace)
		if at == nil {
			return p
		}
		trace = trace[at[1]:]
	}
	return ""
}

// twoCalls is two calls after one another, and something that nobody waits for.
func twoCalls() scenario {
	return tree("", nil, nodes("seq", leave("x"), Node{Do: "status", Key: "s"}, ask("a"), ask("b")))
}

const commit1 = `^put i1/\S+#1 `

func matrix() map[string]func() row {
	rows := map[string]func() row{
		"before_commit": func() row {
			return row{scenario: twoCalls(), direct: upon(before(crash, "orch", commit1)),
				shows: []string{`orch\S+ +crashes`, `put i1/\S+#1 .*Completed`}}
		},
		"after_commit_before_flush": func() row {
			return row{scenario: twoCalls(), direct: upon(after(crash, "orch", commit1)),
				shows: []string{`put i1/\S+#1 `, `orch\S+ +crashes`, `send to activities; .*TaskScheduled 2 `}}
		},
		"half-way_through_a_flush/of_a_batch": func() row {
			return row{scenario: tree("", nil, Node{Do: "fan", Key: "f", N: 9}),
				direct: upon(before(partial, "orch", `^send to activities`), after(crash, "orch", `^send to activities`)),
				shows:  []string{`send to activities; .*the call was refused`, `orch\S+ +crashes`, `send to activities; `}}
		},
		"half-way_through_a_flush/between_two_queues": func() row {
			return row{scenario: tree("", nil, nodes("par", ask("a"), sleep(time.Minute))),
				direct: upon(before(crash, "orch", `^send to wake`)),
				shows:  []string{`orch\S+ +send to activities`, `orch\S+ +crashes`, `send to wake; .*TimerFired`}}
		},
		"half-way_through_a_flush/between_a_due_row_and_a_queue": func() row {
			return row{scenario: tree("", dueRows, nodes("race", ask("a"), sleep(time.Hour))),
				direct: upon(before(crash, "orch", `^send to activities`)),
				shows:  []string{`orch\S+ +put due#`, `orch\S+ +crashes`, `put due#`, `send to activities`}}
		},
		"after_flush_before_projection": func() row {
			return row{scenario: twoCalls(), direct: upon(before(crash, "orch", `^put i1/row of \S+ at 1`)),
				shows: []string{`send to activities`, `orch\S+ +crashes`, `put i1/row of \S+ at [1-9]`}}
		},
		"after_projection_before_ack": func() row {
			return row{scenario: twoCalls(), direct: upon(before(crash, "orch", `^ack to wake`)),
				shows: []string{`put i1/row of \S+ at 1: Running`, `orch\S+ +crashes`, `receive from wake; .*\(2\)`}}
		},
		"after_the_end_is_shown_before_ack": func() row {
			return row{scenario: twoCalls(), direct: upon(after(crash, "orch", `^put i1/row of \S+ at \d: Completed`)),
				shows: []string{`: Completed`, `orch\S+ +crashes`, `receive from inbox; .*\(2\)`}}
		},
		"the_answer_of_a_commit_is_lost": func() row {
			return row{scenario: twoCalls(), direct: upon(before(lost, "orch", commit1)),
				shows: []string{`put i1/\S+#1 .*\[lost\]`, `receive from inbox; .*\(2\)`}}
		},
		"the_answer_of_a_commit_is_lost_and_the_call_made_again": func() row {
			return row{scenario: twoCalls(), direct: upon(before(retried, "orch", commit1)),
				shows: []string{`put i1/\S+#1 .*\[retried\].*condition failed`}}
		},
		"the_answer_of_a_row_is_lost": func() row {
			return row{scenario: twoCalls(), direct: upon(before(lost, "client", `^put i1/row`)), shows: []string{`put i1/row.*\[lost\]`}}
		},
		"a_stalled_worker_wakes/after_another_won": func() row {
			return row{scenario: twoCalls(), direct: upon(before(overtaken, "orch", commit1)), set: stalls(time.Minute),
				shows: []string{`stands still`, `put i1/\S+#1 [^\n]*\n`, `put i1/\S+#1 .*condition failed`}}
		},
		"a_stalled_worker_wakes/after_the_end": func() row {
			return row{scenario: twoCalls(), direct: upon(before(overtaken, "orch", commit1)), set: stalls(26 * time.Hour),
				shows: []string{`stands still`, `: Completed`, `put i1/\S+#1 .*condition failed`}}
		},
		"a_stalled_worker_wakes/after_a_fold": func() row {
			return row{scenario: tree("", folds, nodes("seq", ask("a"), ask("b"), ask("c"), ask("d"))), set: stalls(26 * time.Hour),
				direct: upon(before(overtaken, "orch", commit1)),
				shows:  []string{`stands still`, `put i1/\S+!fold`, `put i1/\S+#1 .*condition failed`}}
		},
		"a_stalled_worker_wakes/after_a_purge": func() row {
			return row{scenario: gone(nil), set: stalls(26 * time.Hour), direct: upon(before(overtaken, "orch", commit1)),
				shows: []string{`stands still`, `purge i1: <nil>`, `put i1/\S+#1 .*condition failed`}}
		},
		"a_stalled_worker_wakes/to_show_what_is_purged": func() row {
			return row{scenario: gone(nil), set: stalls(26 * time.Hour), direct: upon(before(stall, "orch", `^put i1/row of \S+ at 5`)),
				shows: []string{`stands still`, `purge i1: <nil>`, `put i1/row of \S+ at 5: Completed +backend: condition failed`}}
		},
		"a_stalled_worker_wakes/to_fold_what_is_purged": func() row {
			return row{scenario: gone(folds), set: stalls(26 * time.Hour), direct: upon(before(stall, "orch", `^put i1/\S+!fold`)),
				shows: []string{`stands still`, `purge i1: <nil>`, `put i1/\S+!fold +backend: condition failed`, `delete blob \S+fold`}}
		},
		"a_stalled_worker_wakes/after_the_id_is_used_again": func() row {
			return row{scenario: usedAgain(), set: stalls(26 * time.Hour), direct: upon(before(overtaken, "orch", `^put i1/\S+#1 `)),
				shows: []string{`stands still`, `\[Sealed\]`, `put i1/\S+#1 .*condition failed`}}
		},
		"a_stalled_worker_wakes/before_it_shows_what_another_has_shown": func() row {
			return row{scenario: twoCalls(), set: stalls(26 * time.Hour), direct: upon(before(stall, "orch", `^put i1/row of \S+ at 1`)),
				shows: []string{`stands still`, `: Completed`, `put i1/row of \S+ at 1: Running +backend: condition failed`}}
		},
	}
	rows["a_warm_copy/has_not_seen_what_a_message_is_about"] = func() row {
		return row{scenario: outOfDate(nil), direct: leftBehind(), set: stalls(2 * time.Minute),
			shows: []string{`stands still`, `put i1/\S+#2 .*TimerFired`, `decided again.*decide again on what is stored`}}
	}
	rows["a_warm_copy/loses"] = func() row {
		return row{scenario: outOfDate(func(s *stage) { s.raise(130*time.Second, "i1", "go", 1) }), direct: leftBehind(), set: stalls(2 * time.Minute),
			shows: []string{`stands still`, `put i1/\S+#2 .*TimerFired`, `put i1/\S+#1 \[EventRaised.*condition failed`, `decided again.*another commit was first`}}
	}
	for _, kind := range []string{"ExecutionStarted", "TaskScheduled", "TaskCompleted", "TaskFailed", "TimerFired", "EventRaised",
		"ExecutionSuspended", "ExecutionResumed", "ExecutionTerminated", "Continued"} {
		rows["delivered_twice/at_once/"+kind] = comesTwice(kind, 0)
		rows["delivered_twice/days_later/"+kind] = comesTwice(kind, 72*time.Hour)
		rows["delivered_late/"+kind] = comesLate(kind)
	}
	for _, kind := range []string{"ExecutionStarted", "TaskScheduled", "TaskCompleted", "TimerFired", "EventRaised"} {
		rows["of_a_life_before_a_restart/"+kind] = ofBefore(kind)
		rows["out_of_a_dead-letter_queue_days_later/"+kind] = redriven(kind, everything(0), ``)
	}
	for _, kind := range []string{"ExecutionStarted", "TaskScheduled", "TaskCompleted", "TimerFired", "EventRaised"} {
		rows["of_a_life_before_a_purge/"+kind] = func() row {
			return row{scenario: gone(nil), set: once(kind, 2*time.Hour),
				shows: []string{`purge i1: <nil>`, `delivers again: .*` + kind, `ack to .*` + kind}}
		}
	}
	for _, kind := range []string{"TaskScheduled", "TaskCompleted", "TimerFired", "EventRaised"} {
		rows["out_of_a_dead-letter_queue_after_the_end/"+kind] = redriven(kind, ended(), `: Terminated`)
	}
	return rows
}

func folds(p *Plan) { p.FoldBytes = 1 }

func stalls(d time.Duration) func(*World) { return func(w *World) { w.still = d } }

// everything is a scenario that sends messages of every kind, Continued too with handOn 1; the inbox keeps no order.
func everything(handOn float64) scenario {
	return scenario{plan: func(p *Plan) { p.Unordered, p.SegmentCommands, p.HandOn = true, int(handOn), handOn }, act: func(s *stage) {
		s.start("i1", "anything", Tree{Root: nodes("seq", nodes("par", ask("a"), Node{Do: "call", Key: "b", Fails: attempts, Final: true}, sleep(3*time.Second), wait(200*time.Hour)), ask("c"))})
		s.raise(0, "i1", "go", 1)
		s.manage(time.Second, "i1", durable.Suspend)
		s.manage(time.Minute, "i1", durable.Resume)
		s.start("i2", "anything", Tree{Root: nodes("seq", ask("a"), sleep(300*time.Hour))})
		s.manage(2*time.Minute, "i2", durable.Terminate)
		s.manage(2*time.Minute, "i2", durable.Suspend)
	}}
}

// ended is a scenario that is terminated while messages are on their way.
func ended() scenario {
	return scenario{plan: func(p *Plan) { p.Unordered = true }, act: func(s *stage) {
		s.start("i1", "anything", Tree{Root: nodes("seq", nodes("par", ask("a"), sleep(3*time.Second)), wait(300*time.Hour))})
		s.raise(0, "i1", "stop", 1)
		s.manage(20*time.Minute, "i1", durable.Terminate)
	}}
}

func usedAgain() scenario {
	return scenario{plan: func(p *Plan) { p.Unordered = true }, act: func(s *stage) {
		s.start("i1", "anything", Tree{Root: nodes("seq", ask("a"), wait(0), sleep(time.Second), ask("b"))})
		s.raise(0, "i1", "go", 1)
		s.startAt(time.Hour, "i1", "anything", Tree{Root: nodes("seq", ask("a"), sleep(100*time.Hour)), Nonce: 1})
	}}
}

// gone is a scenario that ends, and is purged.
func gone(plan func(*Plan)) scenario {
	return scenario{plan: func(p *Plan) {
		p.Unordered = true
		if plan != nil {
			plan(p)
		}
	}, act: func(s *stage) {
		s.start("i1", "anything", Tree{Root: nodes("seq", ask("a"), wait(0), sleep(time.Second), ask("b"))})
		s.raise(0, "i1", "go", 1)
		s.purge(time.Hour, "i1")
	}}
}

// outOfDate is a scenario in which one worker keeps a copy that the other makes out of date.
func outOfDate(more func(*stage)) scenario {
	return scenario{act: func(s *stage) {
		s.start("i1", "anything", Tree{Root: nodes("seq", ask("a"), sleep(time.Minute), sleep(90*time.Second), ask("b"))})
		if more != nil {
			more(s)
		}
	}}
}

// leftBehind has the worker that begins the instance stand still once it has, and the other one after a timer.
func leftBehind() director {
	first, second := "", ""
	return func(p place) fault {
		if !p.after || !strings.HasPrefix(p.actor.name, "orch") {
			return none
		}
		if first == "" && strings.HasPrefix(p.what, "ack to wake") {
			first = p.actor.name
			return stall
		}
		if first != "" && second == "" && p.actor.name != first && strings.Contains(p.what, "ack to inbox; ") && strings.Contains(p.what, "TimerFired") {
			second = p.actor.name
			return stall
		}
		return none
	}
}

// kindOf is the kind of a delivery's message.
func kindOf(d backend.Delivery) string {
	m, err := history.DecodeMessage(d.Body)
	if err != nil {
		return ""
	}
	return m.Event.Kind.String()
}

// once has the first delivery of a kind come once more.
func once(kind string, in time.Duration) func(*World) {
	return func(w *World) {
		w.twice = func(d backend.Delivery) (time.Duration, bool) {
			if kindOf(d) != kind {
				return 0, false
			}
			w.twice = func(backend.Delivery) (time.Duration, bool) { return 0, false }
			return in, true
		}
	}
}

func comesTwice(kind string, in time.Duration) func() row {
	return func() row {
		return row{scenario: everything(1), set: once(kind, in), shows: []string{`delivers again in .*` + kind, `delivers again: .*` + kind, `ack to .*` + kind}}
	}
}

// comesLate has a message received by nobody, so that it comes when its visibility ends, behind later ones.
func comesLate(kind string) func() row {
	return func() row {
		return row{scenario: everything(1), direct: upon(after(throttled, "", `^receive from .*`+kind)),
			shows: []string{`is throttled.*` + kind, `receive from .*` + kind + `[^;]*\(2\)`}}
	}
}

// ofBefore has a message of a life come after another life has taken its place.
func ofBefore(kind string) func() row {
	return func() row {
		return row{scenario: usedAgain(), set: once(kind, 2*time.Hour),
			shows: []string{`put i1/\S+ \[Sealed\]`, `put i1/\S+#0`, `delivers again: .*` + kind, `ack to .*` + kind}}
	}
}

// redriven has a message go to its dead-letter queue, where nobody looks for days.
func redriven(kind string, sc scenario, meanwhile string) func() row {
	return func() row {
		plan := sc.plan
		sc.plan = func(p *Plan) { plan(p); p.MaxReceives = 1 }
		return row{scenario: sc, set: stalls(80 * time.Hour),
			direct: upon(after(throttled, "", `^receive from .*`+kind), before(stall, "drain", "^receive")),
			shows:  []string{`gives up on .*` + kind, `drain\S+ +stands still for 80h`, meanwhile, `drain\S+ +receive from .*` + kind}}
	}
}

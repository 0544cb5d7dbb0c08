package conformance

import (
	"fmt"
	"slices"
	"strings"
)

// sentence is one case: what is promised, and the script that sees whether it is kept.
type sentence struct {
	area, says string
	// aws marks what runs against an emulated AWS, too: small, and with short timers.
	aws bool
	// not names modes in which the sentence is not promised, and why.
	not    map[mode]string
	script func(e *env)
}

// mode is a way of a worker to go about its work.
type mode string

const (
	plain  mode = "plain"
	replay mode = "replay"
	warm   mode = "warm"
	crash  mode = "crash"
	coded  mode = "coded"
)

var modes = []mode{plain, replay, warm, crash, coded}

// sentences are all cases, area by area.
var sentences = slices.Concat(activityCases, stepCases, timerCases, eventCases, fanCases, lifeCases, startCases,
	queryCases, errorCases, codeCases, tokenCases, renewCases, sagaCases, childCases, scopeCases, wireCases, manageCases, treeCases, resetCases)

// onlyCalm is for bodies that are counted exactly: what crashes may run again.
var onlyCalm = map[mode]string{crash: "a body runs at least once: after a crash again"}

// minutes is for what has so many turns that all the replays, or all the crashes, would take minutes.
var minutes = map[mode]string{replay: "minutes of replaying; fifty calls show it", crash: "minutes of crashing; fifty calls show it"}

// begunOnce is for what is begun once at most: a crash in between leaves it unknown.
var begunOnce = map[mode]string{crash: "what has begun is not begun again: after a crash its outcome is unknown"}

// mostOnAWS is how many sentences may be marked for AWS, so that they take minutes.
const mostOnAWS = 60

// check says what is wrong with the list itself.
func check(all []sentence) (wrong []string) {
	seen, marked := map[string]bool{}, 0
	for _, s := range all {
		switch {
		case s.area == "" || s.says == "" || s.script == nil:
			wrong = append(wrong, fmt.Sprintf("%q has no area, no words or no script", s.says))
		case seen[s.says]:
			wrong = append(wrong, fmt.Sprintf("%q is there twice", s.says))
		case strings.ContainsAny(s.says, "|/\n"):
			wrong = append(wrong, fmt.Sprintf("%q has a character that tests or tables cannot show", s.says))
		}
		seen[s.says] = true
		if s.aws {
			marked++
		}
	}
	if marked == 0 || marked > mostOnAWS {
		wrong = append(wrong, fmt.Sprintf("%d sentences are marked for AWS, want 1 to %d", marked, mostOnAWS))
	}
	return wrong
}

package sim_test

import (
	"flag"
	"fmt"
	"os/exec"
	"regexp"
	"strings"
	"testing"

	"github.com/durable-lambda/durable-lambda/tests/sim"
)

var builds = flag.Bool("builds", false, "compare traces with those of a build with, or without, the race detector")

// hashes sums up the traces of some seeds.
func hashes() string {
	var out []string
	for s := range uint64(40) {
		out = append(out, fmt.Sprintf("%d:%s", s+1, sim.Run(s+1, true).Hash))
	}
	return strings.Join(out, " ")
}

func TestSameSeedIsTheSameTrace(t *testing.T) {
	t.Parallel()
	first := hashes()
	if again := hashes(); again != first {
		t.Errorf("the same seeds ran otherwise:\n%s\n%s", first, again)
	}
	t.Log("hashes", first)
}

func TestTracesDoNotDependOnTheBuild(t *testing.T) {
	if !*builds {
		t.Skip("another build: run with -builds")
	}
	cmd := exec.CommandContext(t.Context(), "go", "test", "-race="+fmt.Sprint(!raceDetector), "-count=1", "-v", "-run", "^TestSameSeedIsTheSameTrace$", ".")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	found := regexp.MustCompile(`hashes (.*)`).FindSubmatch(out)
	if want := hashes(); found == nil || string(found[1]) != want {
		t.Errorf("another build ran otherwise:\n%s\n%s", want, out)
	}
}

// cases are situations that must come up, by how their steps read.
var cases = map[string]string{
	"a commit loses":                              `put i\d/\S+#\d+ \[.* condition failed`,
	"a turn takes several segments":               `put i\d.*\] more$`,
	"a turn is handed on":                         `receive from inbox.*Continued`,
	"somebody finishes another's turn first":      `a long turn is being finished first`,
	"a step ends a segment that is not the last":  `put i\d.*StepCompleted.*\] more`,
	"the worker suspends because of the code":     `ExecutionSuspended \(the code`,
	"the worker suspends an unknown one":          `ExecutionSuspended \(orchestration Late`,
	"the worker suspends one that spins":          `ExecutionSuspended \(it spins`,
	"another build tries again":                   `put i\d.*\[ExecutionResumed, \S+`,
	"somebody suspends":                           `put i\d.*ExecutionSuspended[],]`,
	"somebody terminates":                         `put i\d.*ExecutionTerminated`,
	"a message brings the start":                  `put i\d/\S+#0 \[ExecutionStarted \S+, (Event|ExecutionTerminated)`,
	"an ended life is replaced":                   `put i\d/\S+ \[Sealed\]$`,
	"a start is refused after it was sent":        `knows that i\d#\S+ is refused`,
	"a due row is put":                            `put due#`,
	"an early timer is delayed again":             `send to wake.*TimerFired.* in `,
	"the end is flushed again":                    `delivers everything again`,
	"a payload is a blob":                         `put blob`,
	"an activity is tried again":                  `runs TaskScheduled.* attempt [23]`,
	"nobody has an activity":                      `runs TaskScheduled 0 Tardy`,
	"part of a batch is sent":                     `send to \S+;.*; .*\(sim: the call was refused\)`,
	"an answer is lost":                           `\[lost\]`,
	"a call is made again inside":                 `\[retried\]`,
	"a call is refused":                           `\[refused\]`,
	"a message is received often":                 `\([4-9]\)`,
	"a message comes again":                       `delivers again: `,
	"an instance goes on where it waits":          `log: an instance goes on where it waits`,
	"a warm copy gives way":                       `log: a warm copy gives way`,
	"a warm copy is too old":                      `log: a warm copy is too old`,
	"a warm copy is not enough":                   `decided again.*decide again on what is stored`,
	"a warm copy has lost":                        `decided again.*another commit was first`,
	"activities are held back":                    `held back`,
	"a history is folded":                         `put \S+!fold$`,
	"a fold comes too late":                       `put \S+!fold +backend: condition failed`,
	"whoever looks first shows that it has begun": `client\d\S+ +put i\d/row of \S+ at 0: Running$`,
	"a shelf is put":                              `put i\d\S*/b!`,
	"a row is not shown":                          `\[unshown\]`,
	"an old index answers":                        `answers from an index that lacks [1-9]`,
	"a delivery finds nobody":                     `act\d\.\d+ +is throttled`,
	"a turn's visibility ends":                    `orch\d\.\d+ +no longer hides`,
	"a committer is overtaken":                    `put i\d/\S+#\d+ \[.* condition failed`,
	"an idle process is replaced":                 `makes room for a new process`,
	"the sweeper oversleeps":                      `is not called for `,
	"a message is a duplicate":                    `inbox has had `,
	"a queue gives up":                            `inbox gives up on `,
	"dead letters are moved back":                 `moves back `,
	"a dead letter comes back as a new one":       `orch\d.* receive from inbox.*redrive`,
	"part of a batch is acknowledged":             `inbox keeps `,
	"a batch mixes instances":                     `receive from inbox.* of (order-)?i1#.* of (order-)?i2#`,
	"an actor crashes":                            `orch\d\.\d+ +crashes`,
	"a client crashes":                            `client\d\.\d+ +crashes`,
	"an actor stands still":                       `stands still for 26h`,
	"everybody stands still":                      `everybody stood still`,
	"code is given up":                            `gives its code up`,
	"an order is refunded":                        `runs TaskScheduled \S+ RefundCard`,
	"an order waits for approval":                 `EventRaised approval`,
}

// TestEveryCaseComesUp keeps the simulator from going blind: what no seed meets, no seed checks.
func TestEveryCaseComesUp(t *testing.T) {
	t.Parallel()
	left := map[string]*regexp.Regexp{}
	for name, pattern := range cases {
		left[name] = regexp.MustCompile(pattern)
	}
	for s := uint64(1); s <= 1500 && len(left) > 0; s++ {
		for _, line := range sim.Run(s, true).Trace {
			for name, pattern := range left {
				if pattern.MatchString(line) {
					delete(left, name)
				}
			}
		}
	}
	for name := range left {
		t.Errorf("in no seed %s", name)
	}
}

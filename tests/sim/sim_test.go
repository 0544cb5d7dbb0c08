package sim_test

import (
	"flag"
	"os"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/durable-lambda/durable-lambda/tests/sim"
)

var (
	seeds = flag.Int("seeds", 0, "how many seeds to run; SEEDS in the environment, or 1000, without it")
	from  = flag.Uint64("from", 1, "the first of the seeds")
	seed  = flag.Uint64("seed", 0, "the only seed to run, with its trace")
)

// tail is how many steps of a failing run are shown without -v.
const tail = 80

func count() int {
	if *seeds > 0 {
		return *seeds
	}
	if n, err := strconv.Atoi(os.Getenv("SEEDS")); err == nil && n > 0 {
		return n
	}
	return 1000
}

func TestSim(t *testing.T) {
	if *seed != 0 {
		report(t, sim.Run(*seed, true), testing.Verbose())
		return
	}
	var next atomic.Uint64
	var steps, faults, segments, failures atomic.Int64
	begin := time.Now()
	var all sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		all.Go(func() {
			for failures.Load() < 5 {
				s := next.Add(1) - 1
				if s >= uint64(count()) {
					return
				}
				r := sim.Run(*from+s, false)
				steps.Add(int64(r.Steps))
				faults.Add(int64(r.Faults))
				segments.Add(int64(r.Segments))
				if r.Err != nil {
					failures.Add(1)
					report(t, sim.Run(*from+s, true), false)
				}
			}
		})
	}
	all.Wait()
	t.Logf("%d seeds in %v: %d steps, %d faults, %d segments", min(next.Load(), uint64(count())), time.Since(begin).Round(time.Millisecond),
		steps.Load(), faults.Load(), segments.Load())
}

// report fails for a run that did, and shows the end of it, or all.
func report(t *testing.T, r sim.Result, whole bool) {
	t.Helper()
	lines := r.Trace
	if !whole && len(lines) > tail {
		lines = lines[len(lines)-tail:]
	}
	text := strings.Join(lines, "\n")
	if r.Err == nil {
		if whole {
			t.Logf("seed %d: %v\n%s", r.Seed, r.Plan, text)
		}
		return
	}
	t.Errorf("seed %d: %v\n%s\n\nseed %d failed: %v\nagain: go test ./tests/sim -run TestSim -seed %d -v",
		r.Seed, r.Plan, text, r.Seed, r.Err, r.Seed)
}

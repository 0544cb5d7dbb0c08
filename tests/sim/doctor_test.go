package sim

import (
	"math/rand/v2"
	"testing"
)

// What a queue loses nobody brings back but the doctor, and with it every instance ends.
func TestOnlyTheDoctorBringsBackWhatAQueueLost(t *testing.T) {
	t.Parallel()
	lost, stuck := 0, 0
	for seed := range uint64(60) {
		run := func(doctor bool) Result {
			r := rand.New(rand.NewPCG(seed, 0xd0c))
			plan := newPlan(seed, r)
			plan.Doctor, plan.Loses = doctor, true
			w := newWorld(plan, r, false)
			return w.run(func() { w.cast(w.anyProgram) })
		}
		with, without := run(true), run(false)
		if with.Err != nil {
			t.Errorf("seed %d, %v: %v", seed, with.Plan, with.Err)
		}
		if with.Seen[lostByQueue] > 0 {
			lost++
		}
		if without.Err != nil {
			stuck++
			if without.Seen[lostByQueue] == 0 {
				t.Errorf("seed %d, %v, of which nothing was lost: %v", seed, without.Plan, without.Err)
			}
		}
	}
	t.Logf("of 60 runs %d lost messages; without the doctor %d do not come to their end", lost, stuck)
	if stuck < 20 {
		t.Errorf("without the doctor only %d of 60 runs do not come to their end: what is lost is not missed", stuck)
	}
}

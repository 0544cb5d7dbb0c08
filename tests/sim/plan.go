package sim

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"
)

// Plan is what a seed decides before anything runs. Each seed leaves some faults and features out, so that every
// combination comes up and none drowns the others.
type Plan struct {
	Seed          uint64
	Orchestrators int
	Runners       int
	Clients       int
	Instances     int
	// Budget is how many faults may happen in all, Rates how likely each is at each of its chances.
	Budget int
	Rates  Rates
	// Aim is the kind of call that most faults hit; reading is none.
	Aim aim
	// Unordered makes the inbox a standard queue.
	Unordered bool
	// Sticky is how likely it is that the same actor goes on.
	Sticky float64
	// HandOn is how likely it is that a worker finds its deadline near.
	HandOn float64
	// Skew is how far the actors' clocks are apart, at most.
	Skew                          time.Duration
	SegmentCommands, SegmentBytes int
	DirectDelay                   time.Duration
	// Warm is how many bytes a worker keeps of instances that wait, WarmAge for how long.
	Warm    int64
	WarmAge time.Duration
	// InFlight is how many activities of an instance are under way at once, FoldBytes how much of a history is folded together.
	InFlight, FoldBytes int
	// CompressFrom is how large a segment is that is compressed.
	CompressFrom int
	// SpinTurns is how many turns an instance may cause itself within a minute; 0 is any number.
	SpinTurns       int
	UnknownReceives int
	// MaxReceives is how often a message is delivered before it goes to the dead-letter queue; 0 is for ever.
	MaxReceives int
	// Hasty queues deliver what is delayed a tenth too early.
	Hasty bool
	// Contended: several clients want each id, again and again.
	Contended bool
	// Purged: clients purge what they start again and again.
	Purged bool
	// Contest: clients want an id on all terms that there are.
	Contest bool
	// Persistent clients ask until they have an answer, also after a crash.
	Persistent bool
	// Managed: every instance is suspended, resumed and terminated.
	Managed bool
	// Scheduled: most starts are for a time.
	Scheduled bool
	// Redrive: at the end every message that was ever sent comes once more.
	Redrive bool
	// LookAhead is how many messages an ordered inbox looks at to find a group; 0 is all.
	LookAhead int
	// Deploys says whether other builds are deployed on the way.
	Deploys bool
	// Doctor: somebody repairs instances on the way and in the end. Loses: queues lose messages, which no protocol makes up for.
	Doctor, Loses bool
	// Notifies: somebody outside is told of changes.
	Notifies bool
	// Programs are the names of those that run.
	Programs []string
}

// Rates are how likely each fault is.
type Rates [faults]float64

// MarshalJSON names the faults.
func (r Rates) MarshalJSON() ([]byte, error) {
	named := map[string]float64{}
	for f, rate := range r {
		if rate > 0 {
			named[fault(f).String()] = rate
		}
	}
	return json.Marshal(named)
}

// UnmarshalJSON reads what MarshalJSON writes.
func (r *Rates) UnmarshalJSON(b []byte) error {
	var named map[string]float64
	if err := json.Unmarshal(b, &named); err != nil {
		return err
	}
	*r = Rates{}
	for name, rate := range named {
		f := slices.Index(faultNames[:], name)
		if f < 0 {
			return fmt.Errorf("sim: no fault is called %s", name)
		}
		r[f] = rate
	}
	return nil
}

func pick[T any](r *rand.Rand, of ...T) T { return of[r.IntN(len(of))] }

func chance(r *rand.Rand, p float64) bool { return p > 0 && r.Float64() < p }

func newPlan(seed uint64, r *rand.Rand) Plan {
	p := Plan{
		Seed:          seed,
		Orchestrators: pick(r, 2, 2, 2, 3, 1),
		Runners:       pick(r, 1, 1, 2),
		Clients:       pick(r, 1, 2, 2, 3),
		Instances:     pick(r, 1, 1, 2, 2, 4),
		Budget:        pick(r, 0, 1, 2, 3, 5, 8, 13, 20),
		Aim:           aim(r.IntN(int(aims))),
		Unordered:     chance(r, 0.4),
		Sticky:        pick(r, 0, 0, 0.5, 0.8, 0.95),
		HandOn:        pick(r, 0, 0, 0.2, 0.6),
		Skew:          pick(r, 0, 0, time.Second, 40*time.Second),
		DirectDelay:   pick(r, 0, 10*time.Second, 90*time.Second, 10*time.Minute),

		SegmentCommands: pick(r, 0, 0, 1, 2, 3, 7),
		SegmentBytes:    pick(r, 0, 0, 0, 60, 300),
		UnknownReceives: pick(r, 0, 1),
		Warm:            pick[int64](r, 0, 1<<20, 1<<20, 30_000),
		WarmAge:         pick(r, 0, 0, 30*time.Second),
		InFlight:        pick(r, 0, 0, 1, 2, 5),
		FoldBytes:       pick(r, 0, 1, 300, 2000),
		Deploys:         chance(r, 0.5),
		Redrive:         chance(r, 0.2),
		Hasty:           chance(r, 0.2),
		LookAhead:       pick(r, 0, 0, 0, 1, 2, 4),
	}
	rate := pick(r, 0.005, 0.02, 0.05, 0.15)
	for f := refused; f < faults; f++ {
		if chance(r, 0.5) {
			p.Rates[f] = rate * often[f] * pick(r, 0.5, 1, 1, 2)
		}
	}
	for range pick(r, 1, 2, 3) {
		p.Programs = append(p.Programs, programs[r.IntN(drawn)].name)
	}
	p.focus(r)
	if chance(r, 0.4) {
		p.MaxReceives = 1 + r.IntN(3)
	}
	p.Doctor = seed%4 == 1
	p.Loses = seed%8 == 1
	if seed%16 == 10 {
		p.Programs = append(p.Programs, "once")
	}
	if seed%16 == 4 {
		p.Programs = []string{"made"}
	}
	if seed%16 == 8 {
		p.Contest, p.Clients, p.Instances = true, 3, 1+int(seed/16%2)
		p.Programs = []string{[...]string{"made", "steps", "made", "saga"}[seed/32%4]}
	}
	if seed%16 == 12 {
		p.Programs = []string{"edited"}
	}
	if seed%32 == 30 {
		p.Programs = []string{"mended"}
	}
	p.CompressFrom = [...]int{0, 1, 100, 0}[seed/64%4]
	p.Notifies = seed/32%4 == 3
	p.Scheduled = seed%16 == 6 || seed%16 == 13
	return p
}

// focus makes some plans meet often what needs several rare things at once.
func (p *Plan) focus(r *rand.Rand) {
	more, most := []fault{crash, stall, lost}, []fault(nil)
	which := r.IntN(12)
	if which >= 10 && p.Seed%2 == 0 {
		return // the others are of anything
	}
	switch which {
	case 0: // long turns that are interrupted
		p.HandOn, p.SegmentCommands, p.Aim = 0.6, 1+r.IntN(3), committing
		p.Programs = []string{pick(r, "fan", "coroutines", "unawaited", "steps", "buggy")}
	case 1: // clients that want the same id
		p.Instances, p.Clients, p.Aim, p.Contended = 1, 3, pick(r, committing, showing, sending), true
		p.Programs = []string{pick(r, "steps", "saga", "sequence", "unawaited")}
	case 2: // ends that leave work behind
		p.Instances, p.Unordered, p.Aim, p.Orchestrators = 1, true, pick(r, sending, committing), 3
		p.SegmentCommands, p.SegmentBytes = pick(r, 0, 1), 0
		p.Programs = []string{pick(r, "unawaited", "unawaited", "race")}
		most = []fault{crash, partial}
	case 3: // due rows, and clocks that do not agree on what is due
		p.DirectDelay, p.Aim = 10*time.Second, pick(r, sending, sending, acknowledging)
		p.Skew, p.Hasty = pick(r, 0, 40*time.Second, 40*time.Second), chance(r, 0.5)
		p.Programs = []string{pick(r, "timers", "timers", "within", "race")}
		more, most = append(more, refused), []fault{stall, refused}
	case 4: // bad code that somebody wants to be rid of
		p.Managed, p.Deploys, p.UnknownReceives, p.Instances = chance(r, 0.6), true, 0, pick(r, 1, 2)
		p.Programs = []string{pick(r, "late", "buggy")}
		p.Aim, most = pick(r, p.Aim, committing), []fault{crash}
	case 5: // activities that two workers have at a time
		p.Runners, p.Programs = 2, []string{pick(r, "bounds", "outside")}
		most = []fault{duplicate}
	case 6: // generations
		p.Instances, p.Orchestrators, p.Aim = pick(r, 1, 2), 3, pick(r, committing, sending, committing)
		p.Programs, p.HandOn = []string{"rounds"}, pick(r, 0, 0.3, 0.6)
		most = []fault{crash, stall}
		if p.Seed/16%5 == 0 {
			p.SpinTurns = 2
		}
	case 7: // purges beside starts
		p.Instances, p.Clients, p.Contended, p.Purged = 1, 3, true, true
		p.Programs, p.Aim, p.Deploys = []string{pick(r, "steps", "saga", "sequence")}, pick(r, committing, showing), false
		most = []fault{stall}
	case 8: // sends that fail in part
		p.SegmentCommands, p.SegmentBytes, p.InFlight, p.Aim = 0, 0, 0, sending
		p.Programs = []string{pick(r, "fan", "unawaited", "anything")}
		most = []fault{partial}
	case 9: // due rows of what is looked after
		p.DirectDelay, p.Aim, p.Skew = 10*time.Second, pick(r, sending, sending, acknowledging), 40*time.Second
		p.Programs = []string{"outside"}
		more, most = append(more, refused), []fault{stall, refused}
	case 10: // children
		p.Instances, p.Aim, p.Orchestrators = pick(r, 1, 2), pick(r, committing, sending, showing, acknowledging), pick(r, 2, 3)
		p.Programs = []string{"family"}
		most = []fault{pick(r, crash, stall, duplicate)}
		if chance(r, 0.25) {
			p.Programs, p.Instances, p.Unordered, p.Aim = []string{"orphans"}, 1, true, pick(r, sending, committing)
			most = []fault{crash, partial}
		}
	case 11: // failures that are rewound
		p.Programs, p.Instances, p.Aim = []string{"frail"}, pick(r, 1, 2), pick(r, p.Aim, committing, sending)
		p.Contended, p.Purged, p.Clients = chance(r, 0.2), chance(r, 0.2), 3
		most = []fault{crash, stall}
	default:
		return
	}
	rate := pick(r, 0.02, 0.05, 0.15)
	for f, some := range p.Rates {
		if some > 0 || slices.Contains(more, fault(f)) {
			p.Rates[f] = rate * often[f]
		}
	}
	p.Budget += 2
	for _, f := range most {
		p.Rates[f] = max(p.Rates[f], 0.04)
		p.Budget = max(p.Budget, 6)
	}
}

func (p Plan) String() string {
	var on []string
	for f := refused; f < faults; f++ {
		if p.Rates[f] > 0 {
			on = append(on, fmt.Sprintf("%s %.3g", f, p.Rates[f]))
		}
	}
	return fmt.Sprintf("%d orchestrators, %d runners, %d clients, %d instances of %s; %d faults of %s, aim %d; unordered %v, sticky %v, "+
		"hand on %v, skew %v, segments of %d commands and %d bytes, direct delay %v, warm %d for %v, in flight %d, folds of %d, spins of %d, unknown receives %d, at most %d receives, look-ahead %d, deploys %v, redrive %v, hasty %v, contended %v, managed %v, doctor %v, loses %v, scheduled %v, notifies %v, compress from %d",
		p.Orchestrators, p.Runners, p.Clients, p.Instances, strings.Join(p.Programs, ", "), p.Budget, strings.Join(on, ", "), p.Aim,
		p.Unordered, p.Sticky, p.HandOn, p.Skew, p.SegmentCommands, p.SegmentBytes, p.DirectDelay,
		p.Warm, p.WarmAge, p.InFlight, p.FoldBytes, p.SpinTurns, p.UnknownReceives, p.MaxReceives, p.LookAhead, p.Deploys, p.Redrive, p.Hasty, p.Contended, p.Managed, p.Doctor, p.Loses, p.Scheduled, p.Notifies, p.CompressFrom)
}

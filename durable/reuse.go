package durable

import "fmt"

// Reuse is a StartOption: which instances that have ended a start under their id replaces. What has not ended is never simply
// replaced; Conflict says what happens then.
type Reuse uint16

const (
	// ReuseEnded replaces any instance that has ended: Durable Functions' default.
	ReuseEnded Reuse = 0
	// ReuseNever replaces none.
	ReuseNever Reuse = 1
)

var reusable = map[Status]Reuse{Completed: 2, Failed: 4, Canceled: 8, Terminated: 16}

// ReuseWhen replaces an instance that has ended in one of these ways; with none, it is ReuseNever. It panics when a status is
// not final: ReplaceExisting ends what runs.
func ReuseWhen(statuses ...Status) Reuse {
	r := ReuseNever
	for _, s := range statuses {
		bit, ok := reusable[s]
		if !ok {
			panic(fmt.Sprintf("durable: ReuseWhen(%s): only an instance that has ended can be replaced; use ReplaceExisting for one that has not", s))
		}
		r |= bit
	}
	return r
}

// Allows reports whether an instance with this status may be replaced.
func (r Reuse) Allows(s Status) bool {
	return r == ReuseEnded && s.Ended() || r&reusable[s] != 0
}

func (r Reuse) applyStart(req *StartRequest) { req.Reuse = r }

// Conflict is a StartOption: what becomes of a start whose id is in use, by an instance that has not ended or that Reuse does
// not allow to be replaced.
type Conflict uint8

const (
	// RefuseStart returns ErrExists.
	RefuseStart Conflict = iota
	// UseExisting returns the instance that is there, whatever its version and input are. ErrExists when it is of another
	// orchestration.
	UseExisting
	// UseSame returns the instance that is there when it was started with the same version and input, JSON for JSON but for white
	// space; ErrExists when not. So a start can be repeated. With ReuseNever there is one run for ever, otherwise one at a time.
	UseSame
	// ReplaceExisting terminates the instance that is there, waits for its end, and takes its place, if ctx lasts so long: it is
	// being terminated, but not replaced, after an error of ctx. What has ended, and Reuse does not allow to be replaced, is
	// ErrExists.
	ReplaceExisting
)

func (c Conflict) applyStart(req *StartRequest) { req.Conflict = c }

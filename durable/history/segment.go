package history

import "time"

// FormatVersion is the version of the stored format that this package writes, and the newest it reads.
const FormatVersion = 1

// KnownEngine are the engine flags that this version's replay honours: none yet.
const KnownEngine = 0

// Segment is what one commit adds to the history of an instance: the messages it consumed and what came of them.
type Segment struct {
	// Nonce is unique to the attempt to commit. It is kept as the owner of the item and not repeated in its value.
	Nonce string
	// Time is the turn's Now.
	Time time.Time
	// More says that the turn goes on in the next segment.
	More bool
	// Released says that every activity which the history asks for up to here may be sent. Without it, Releases is how many
	// more may be, in the order in which they were asked for: the others wait until fewer are in flight.
	Released bool
	Releases uint64
	// Name and Version are those of the code that ran the first segment of a generation; others leave them empty.
	Name    string
	Version uint32
	// Engine holds flags for changes of the engine's own behaviour that replay must honour, of which KnownEngine are known. An
	// instance with others is suspended: nothing else depends on them.
	Engine uint64
	Events []Event
	// Tombstone says that the segment was purged: its one event is a seal, whatever it held.
	Tombstone bool
}

// Cuts reports whether the segment is a rewind or a reset, which cuts the history.
func (s *Segment) Cuts() bool {
	if len(s.Events) == 0 {
		return false
	}
	e := &s.Events[0]
	return e.Kind == ExecutionRewound || e.Kind == ExecutionReset && e.Rewound != nil
}

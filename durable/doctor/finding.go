package doctor

import "time"

// Kind says what sort of thing is wrong. It is for programs; Finding.Problem is for people.
type Kind string

// What can be found.
const (
	// NotSent: an instance waits for messages that nobody has sent, or that were lost.
	NotSent Kind = "not-sent"
	// NotBegun: a start was accepted and has not begun.
	NotBegun Kind = "not-begun"
	// Unfinished: a turn was begun and not finished.
	Unfinished Kind = "unfinished"
	// Behind: the status row shows less than the history.
	Behind Kind = "behind"
	// Unswept: due rows that no sweep has sent.
	Unswept Kind = "unswept"
	// Orphan: payloads that nothing refers to.
	Orphan Kind = "orphan"
	// DeadLetter: a message that a queue has given up.
	DeadLetter Kind = "dead-letter"
	// Newer: something that a newer version has written. It is left alone.
	Newer Kind = "newer"
	// Damaged: something that no version has written so, or that is gone. It is left alone.
	Damaged Kind = "damaged"
)

// Finding is one thing that is wrong.
type Finding struct {
	Kind Kind
	// Instance that it is about; empty when it is about none.
	Instance string
	// Problem is a sentence without its full stop.
	Problem string
	// Since when it is so, as far as anybody can know; zero is not known.
	Since time.Time
	// Action is what was done, or what a repair would do, as "send it again"; empty when only a person can do something.
	Action string
	// Done says that the action was taken.
	Done bool
	// Err is why it failed.
	Err error
}

// Left reports whether the finding is still there.
func (f Finding) Left() bool { return !f.Done || f.Err != nil }

// Summary counts.
type Summary struct {
	// Instances that were looked at.
	Instances int
	// Findings in all, and those that were repaired.
	Findings, Repaired int
	// Unknown names the queues whose dead letters were not looked at, because nobody has said where they are.
	Unknown []string
}

// Left is how many findings are still there.
func (s Summary) Left() int { return s.Findings - s.Repaired }

package drills

import (
	"encoding/json"
	"fmt"
	"time"
)

// Limits of the inputs: a drill must not be able to keep a deployment busy for long.
const (
	MaxActivities = 1_000
	// MaxMillis is how long an activity or a step may take, in milliseconds. It is less than the time-outs of Lambda functions.
	MaxMillis = 20_000
	// MaxPauseMillis is how long a timer may run, in milliseconds: a day.
	MaxPauseMillis = int64(24 * time.Hour / time.Millisecond)
)

// Load says how often Work is called, and how long each call takes.
type Load struct {
	Activities int `json:"activities"`
	Millis     int `json:"millis"`
}

// Check refuses a load outside the limits.
func (l Load) Check() error {
	if l.Activities < 1 || l.Activities > MaxActivities {
		return fmt.Errorf("activities must be from 1 to %d; got %d", MaxActivities, l.Activities)
	}
	return checkMillis(l.Millis)
}

// UnmarshalJSON refuses a load outside the limits, so that it is refused where an instance is started.
func (l *Load) UnmarshalJSON(data []byte) error {
	type plain Load // without this method, which would call itself for ever
	if err := json.Unmarshal(data, (*plain)(l)); err != nil {
		return err
	}
	return l.Check()
}

// Moment says how long a step takes.
type Moment struct {
	Millis int `json:"millis"`
}

// Check refuses a moment outside the limits.
func (m Moment) Check() error { return checkMillis(m.Millis) }

// UnmarshalJSON refuses a moment outside the limits.
func (m *Moment) UnmarshalJSON(data []byte) error {
	type plain Moment // as above
	if err := json.Unmarshal(data, (*plain)(m)); err != nil {
		return err
	}
	return m.Check()
}

// Pause says how long a timer runs.
type Pause struct {
	Millis int64 `json:"millis"`
}

// Check refuses a pause outside the limits.
func (p Pause) Check() error {
	if p.Millis < 0 || p.Millis > MaxPauseMillis {
		return fmt.Errorf("millis must be from 0 to %d; got %d", MaxPauseMillis, p.Millis)
	}
	return nil
}

// UnmarshalJSON refuses a pause outside the limits.
func (p *Pause) UnmarshalJSON(data []byte) error {
	type plain Pause // as above
	if err := json.Unmarshal(data, (*plain)(p)); err != nil {
		return err
	}
	return p.Check()
}

// Rest is what a nap came to.
type Rest struct {
	// Due is when the timer was to fire.
	Due time.Time `json:"due"`
	// Woke is the time of the turn that it fired in.
	Woke time.Time `json:"woke"`
}

// Job is one call of Work.
type Job struct {
	// Number tells the calls of an instance apart, from 1.
	Number int `json:"number"`
	Millis int `json:"millis"`
}

// Check refuses a job outside the limits.
func (j Job) Check() error { return checkMillis(j.Millis) }

func checkMillis(millis int) error {
	if millis < 0 || millis > MaxMillis {
		return fmt.Errorf("millis must be from 0 to %d; got %d", MaxMillis, millis)
	}
	return nil
}

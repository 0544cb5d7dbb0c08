// Package drills is the contract of orchestrations that put a deployment through its paces: long chains, wide fan-outs,
// timers, slow steps and an activity that takes its process down. They do nothing useful and send nothing to anybody. Package
// bodies has the bodies.
package drills

import (
	"time"

	"github.com/durable-lambda/durable-lambda/durable"
)

// The definitions.
var (
	// Chain calls Work again and again, each call after the one before, and returns how many calls there were.
	Chain = durable.NewOrchestration[Load, int]("Chain")
	// FanOut starts all calls of Work at once, waits for all of them, and returns how many there were.
	FanOut = durable.NewOrchestration[Load, int]("FanOut")
	// Nap sleeps on a timer.
	Nap = durable.NewOrchestration[Pause, Rest]("Nap")
	// Linger takes its time in an inline step, within a turn, between two calls of Work that take none. Who kills the
	// orchestrator's process meanwhile kills it in mid-turn.
	Linger = durable.NewOrchestration[Moment, durable.None]("Linger")
	// Wreck calls Crash, and fails of it.
	Wreck = durable.NewOrchestration[durable.None, durable.None]("Wreck")

	// Work takes its time and returns its input. It has no time-out of its own, so a call whose worker was lost is made again as
	// soon as the queue's visibility time-out is over. It never fails, but it may be beside Crash once too often.
	Work = durable.NewActivity[Job, Job]("Work", durable.Retry{Attempts: 3, Initial: time.Second})
	// Crash ends the process that it runs in, every time, without a word to anybody. It is there to show what becomes of an
	// instance whose activity no worker survives: the message goes to the dead-letter queue, and from there comes back as a
	// failure of the kind durable.WorkerLost.
	Crash = durable.NewActivity[durable.None, durable.None]("Crash")
)

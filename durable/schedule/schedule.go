package schedule

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/durable-lambda/durable-lambda/durable"
)

// Schedule is the contract of schedules that run one orchestration. The zero value is not valid.
type Schedule[I, O any] struct {
	runs durable.Orchestration[I, O]
	loop durable.Orchestration[state[I], durable.None]
	told durable.Event[command[I]]
}

// New declares the schedules of an orchestration. The orchestration behind them is called as it is, with Schedule behind the name.
func New[I, O any](runs durable.Orchestration[I, O]) Schedule[I, O] {
	return Schedule[I, O]{runs, durable.NewOrchestration[state[I], durable.None](runs.Name() + "Schedule"), durable.NewEvent[command[I]]("Schedule")}
}

// Handler is what a worker runs schedules with. The orchestration itself is bound beside it.
func (s Schedule[I, O]) Handler() durable.Handler { return s.loop.Bind(s.live) }

// Name is the name of the orchestration behind the schedules.
func (s Schedule[I, O]) Name() string { return s.loop.Name() }

// longestID leaves room for the time behind a run's id.
const longestID = 220

// Create begins a schedule, whose runs get this input. ErrInvalid: the plan is wrong; ErrExists: there is one of that id.
func (s Schedule[I, O]) Create(ctx context.Context, c durable.Client, id string, p Plan, in I, opts ...durable.StartOption) error {
	if id == "" || len(id) > longestID {
		return fmt.Errorf("%w: the id of a schedule has from 1 to %d bytes, because the time of each run is written behind it", durable.ErrInvalid, longestID)
	}
	if err := p.Check(); err != nil {
		return errors.Join(durable.ErrInvalid, err)
	}
	_, err := s.loop.Submit(ctx, c, state[I]{Description: Description{Plan: p}, Input: in}, append(opts, durable.ID(id))...)
	return err
}

// Pause keeps a schedule from running, until Resume. A run that is under way goes on. ErrNotFound, ErrEnded: so it is with
// all that a schedule is told.
func (s Schedule[I, O]) Pause(ctx context.Context, c durable.Client, id string) error {
	return s.told.Raise(ctx, c, id, command[I]{Do: pause})
}

// Resume ends a pause. What was due in the meantime has been missed: Plan.Missed.
func (s Schedule[I, O]) Resume(ctx context.Context, c durable.Client, id string) error {
	return s.told.Raise(ctx, c, id, command[I]{Do: resume})
}

// Trigger has a schedule run now, paused or not, besides what is planned. While another run is under way, Plan.Overlap holds.
func (s Schedule[I, O]) Trigger(ctx context.Context, c durable.Client, id string) error {
	return s.told.Raise(ctx, c, id, command[I]{Do: trigger})
}

// Update gives a schedule another plan and another input from now on. Missed runs of the plan before are dropped; for a
// run that is under way its Overlap holds. ErrInvalid: the plan is wrong.
func (s Schedule[I, O]) Update(ctx context.Context, c durable.Client, id string, p Plan, in I) error {
	if err := p.Check(); err != nil {
		return errors.Join(durable.ErrInvalid, err)
	}
	return s.told.Raise(ctx, c, id, command[I]{Do: update, Plan: p, Input: in})
}

// Delete ends a schedule: it completes. A run that is under way goes on, unless its Overlap is CancelOverlap.
func (s Schedule[I, O]) Delete(ctx context.Context, c durable.Client, id string) error {
	return s.told.Raise(ctx, c, id, command[I]{Do: remove})
}

// Describe reads what a schedule shows. It is empty when the schedule has not begun. ErrNotFound.
func (s Schedule[I, O]) Describe(ctx context.Context, c durable.Client, id string) (d Description, err error) {
	in, err := c.Get(ctx, id, durable.NoInput)
	if err != nil || in.CustomStatus == nil {
		return d, err
	}
	if err := json.Unmarshal(in.CustomStatus, &d); err != nil {
		return d, fmt.Errorf("instance %s shows no schedule: %w", id, err)
	}
	return d, nil
}

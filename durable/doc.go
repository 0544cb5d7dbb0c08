// Package durable is the programming model of durable workflows: orchestrations are ordinary Go functions that survive
// crashes, deployments and months of waiting.
//
// # Contracts and bodies
//
// An orchestration, an activity or an external event is declared as a typed contract without a body, and bound to one
// where the program is put together:
//
//	var (
//		Greet = durable.NewActivity[string, string]("Greet")
//		Hello = durable.NewOrchestration[string, string]("Hello")
//	)
//
//	Greet.Bind(func(ctx context.Context, name string) (string, error) { return "Hello, " + name, nil })
//	Hello.Bind(func(ctx durable.Context, name string) (string, error) { return Greet.Call(ctx, name) })
//
// # What an orchestration may do
//
// An orchestration is run again and again from its history, so it must do the same each time: everything that reads the
// world outside (I/O, clocks, random numbers, goroutines, channels, maps in their random order) belongs into an activity or a Step.
// Context.Now is the time, Go starts a coroutine, After and Sleep are timers, and Context is not a context.Context, so
// that functions which do I/O do not accept it.
//
// Whatever the code asks for is matched with the history by the path of the operation, its kind and its name. When they
// disagree, or when the code panics, the instance is suspended with the reason and keeps every message: a fixed
// deployment and a resume carry on. An error that is returned is a result, and fails the instance.
//
// Deferred functions run when the code returns, and also whenever a turn ends and its coroutines are unwound, to be
// replayed later. In the latter case waiting and asking end the function at once, Context.Unwinding tells, and
// compensation (see Saga) does nothing; so a deferred function may release what lives in memory, and nothing else.
//
// # Activities
//
// An activity runs at least once. IdempotencyKey is the same for all its attempts: hand it to whatever must not happen
// twice. Call waits for the result; Start returns a Future. An activity whose future nobody waits for is still run, and
// one that is under way when the instance ends may be run once more. Retry and Timeout are part of the contract; retrying
// costs the orchestration nothing. Permanent, and the kinds in Retry.NonRetryable, end it. The body of an Async activity hands its work
// on with a Token, and the outcome is reported from elsewhere, by Complete or Fail, whenever it is there. A Step is an activity without a
// message: a function that runs in the orchestrator's own process, for what takes milliseconds; Activity.Inline makes one of an
// activity.
//
// HTTP is an activity that every worker has: it sends a request, and asks again for what the server says is under way.
//
// # Waiting
//
// Event.Next is a future of the next external event, Event.Within waits for one for a while, After and Sleep are timers, and
// Go runs a function in a coroutine of its own. First waits for one of several futures, All for all of them. Nothing is
// lost by not looking: an event is kept until the code asks for it.
//
// WithCancel and WithTimeout return a Context whose waits can be given up, all at once; what must be waited for nevertheless gets a
// Detached one. A Saga's undoings do.
//
// Map runs a function for each of many items, with limits to how many at a time and how many may fail; Parallel does
// the same for functions, and a Group ends what its other functions wait for with the first error. AsCompleted yields futures in the
// order in which they are ready, and Event.All events as they come. Context.NewID and Context.Rand make up ids and random
// numbers that are the same in every replay.
//
// An orchestration that would loop for ever continues as new instead: it returns the error of ContinueAsNew, and begins again with
// another input and an empty history. Package schedule has one that runs another orchestration at the times of a plan.
//
// # Changes
//
// The code of an orchestration may only be changed where no instance has been yet. Changed tells an instance that has from one that has
// not, for a small edit. A rewrite is bound beside the old body, as another Version; CurrentVersion says which one new instances run.
//
// # Errors
//
// What an orchestration returns as an error fails the instance, after a Saga has undone what was done. An error's ErrorKind
// keeps its identity across the wire: errors.Is finds it in an ActivityError, however long ago and wherever it was made.
//
// # Testing
//
// Package durabletest runs all of it in a test, with a clock that the test moves; see the examples.
package durable

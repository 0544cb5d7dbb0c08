package awslambda

import (
	"context"
	"encoding/json"
	"errors"
	"math/rand/v2"
	"os"
	"slices"
	"time"

	"github.com/durable-lambda/durable-lambda/durable"
	"github.com/durable-lambda/durable-lambda/durable/web"
	"github.com/durable-lambda/durable-lambda/durable/worker"
)

const (
	// suspect is how often a message may be received before its activity no longer runs beside others: it may be the one
	// that takes the process along.
	suspect = 2
	// longestFunction is how long Lambda lets a function run:
	// https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
	longestFunction = 15 * time.Minute
	// heedWithin is how long bodies have to return when their context has ended.
	heedWithin = settleWithin / 2
	// removeEvery is how often what is done is removed while others of its batch go on. It is well below what a message stays
	// hidden for longer than its attempt may take: it would come again, and run again.
	removeEvery = 10 * time.Second
)

// errLost is the outcome of an attempt that did not come to an end in time.
var errLost = errors.New("the activity did not return when its context ended")

// Activity runs these activities, in the function that receives from the activities queue. It does not return.
func Activity(handlers func(Services) ([]durable.Handler, error)) { Config{}.Activity(handlers) }

// Activity is the function of that name, with the hub's codec.
func (c Config) Activity(handlers func(Services) ([]durable.Handler, error)) {
	c.start(func(h *hub) (handler, error) {
		bound, err := handlers(h.Services)
		if err != nil {
			return nil, err
		}
		switch signed, err := h.openLinks(); {
		case err != nil:
			return nil, err
		case signed != nil:
			bound = signed.Handlers(bound)
		}
		a, err := newActivities(h, bound)
		if err != nil {
			return nil, err
		}
		return a.handle, nil
	})
}

type activities struct {
	*hub
	outcomes *gather
	worker   *worker.Worker
	exit     func(code int)
	shuffle  func(n int, swap func(i, j int))
}

func newActivities(h *hub, handlers []durable.Handler) (*activities, error) {
	outcomes := &gather{Queue: h.store.Backend().Inbox}
	w, err := worker.New(worker.Config{Store: h.store.WithInbox(outcomes), Handlers: handlers, Log: h.Log, Build: buildID(), Longest: longestFunction, HTTP: web.Do, Notify: h.openBus()})
	return &activities{hub: h, outcomes: outcomes, worker: w, exit: os.Exit, shuffle: rand.Shuffle}, err
}

func (a *activities) handle(ctx context.Context, event json.RawMessage) (any, error) {
	e, err := open(event)
	if err != nil {
		return nil, err
	}
	if !e.isBatch() {
		return nil, errors.New("awslambda: the event is no batch of SQS: look at the triggers of the activities' function")
	}
	b := newBatch(ctx, a.store.Backend().Activities, e.Records, a.Log)
	if !a.run(ctx, b) {
		b.settle(ctx)
		a.Log.Error("this process ends, because an activity in it does not return; a body must return when its context ends")
		a.exit(1)
		return nil, errLost
	}
	return b.answer(ctx), nil
}

// run runs a batch at the same time, and then, one by one, those that are suspect. It reports false when one did not return.
func (a *activities) run(ctx context.Context, b *batch) bool {
	var together []int
	var alone [][]int
	for i, d := range b.deliveries {
		if b.outcomes[i] = (worker.Outcome{Err: errLost, Retry: time.Second}); d.Receives > suspect {
			alone = append(alone, []int{i})
		} else {
			together = append(together, i)
		}
	}
	// The innocent are more often among those that were received less.
	a.shuffle(len(alone), func(i, j int) { alone[i], alone[j] = alone[j], alone[i] })
	slices.SortStableFunc(alone, func(i, j []int) int { return b.deliveries[i[0]].Receives - b.deliveries[j[0]].Receives })
	for i, round := range append([][]int{together}, alone...) {
		if i > 0 { // what is done must not meet the one that takes the process along again
			b.remove(context.WithoutCancel(ctx))
		}
		if !a.round(ctx, b, round) {
			return false
		}
	}
	return true
}

// round runs some messages of a batch, each on a goroutine that ends with it.
func (a *activities) round(ctx context.Context, b *batch, which []int) bool {
	type ended struct {
		at      int
		outcome worker.Outcome
	}
	results := make(chan ended, len(which)) // so that one that is late ends as well
	a.outcomes.begin(len(which))
	for _, i := range which {
		go func() {
			e := ended{i, b.outcomes[i]} // when the body ends its goroutine
			defer func() { a.outcomes.end(); results <- e }()
			e.outcome = a.worker.Activity(ctx, b.deliveries[i])
		}()
	}
	remove := time.NewTicker(removeEvery)
	defer remove.Stop()
	var late <-chan time.Time
	over := ctx.Done()
	for left := len(which); left > 0; {
		select {
		case e := <-results:
			b.outcomes[e.at] = e.outcome
			left--
		case <-remove.C:
			b.remove(ctx) // no longer than there is time
		case <-over:
			remove.Stop() // what comes now does it
			over, late = nil, time.After(heedWithin)
		case <-late:
			return false
		}
	}
	return true
}

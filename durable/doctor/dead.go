package doctor

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/durable-lambda/durable-lambda/durable/backend"
	"github.com/durable-lambda/durable-lambda/durable/history"
)

// Letter is a dead letter: a message that its queue has given up, or one that cannot be read, in the queues of a hub without
// dead-letter queues.
type Letter struct {
	// ID names the letter by its content, so that it is the same each time; copies of one message have one.
	ID string
	// Queue that gave it up: inbox, wake or activities.
	Queue string
	// Receives counts how often it was received there, this look included, as far as the queue knows.
	Receives int
	// Message, unless Err says why it cannot be read.
	Message *history.Message
	Err     error
	Body    []byte
}

// box is where dead letters are.
type box struct {
	name  string
	queue backend.Queue
	// mixed: the queue holds messages that are alive, too.
	mixed bool
}

// boxes of a hub: its dead-letter queues, or its own queues where nobody else receives from them; and the names of the queues
// of which neither is there to look into.
func boxes(b backend.Backend, exclusive bool) (out []box, unknown []string) {
	for _, q := range []struct {
		name       string
		dead, live backend.Queue
	}{{"inbox", b.Dead.Inbox, b.Inbox}, {"wake", b.Dead.Wake, b.Wake}, {"activities", b.Dead.Activities, b.Activities}} {
		switch {
		case q.dead != nil:
			out = append(out, box{q.name, q.dead, false})
		case exclusive:
			out = append(out, box{q.name, q.live, true})
		default:
			unknown = append(unknown, q.name)
		}
	}
	return out, unknown
}

// ErrNoDeadLetters: the hub has no dead-letter queues, or nobody has said where they are.
var ErrNoDeadLetters = errors.New("this hub's dead-letter queues are not known: set DURABLE_DEAD_INBOX_URL, DURABLE_DEAD_WAKE_URL and " +
	"DURABLE_DEAD_ACTIVITIES_URL to where they are, if it has any, or name its stack")

// Letters lists the dead letters of a hub. To look at a message is to receive it: it is hidden from others until the look is
// over, its count of receives grows, and it is put back at once. A dead-letter queue gives up on nothing, so none is lost
// or counted to death. Where a queue keeps order, at most some of the messages of one instance are shown at a time: those
// behind come when these are gone.
func Letters(ctx context.Context, c Config) ([]Letter, error) {
	var all []Letter
	err := c.eachBox(ctx, func(b box, deliveries []backend.Delivery) error {
		for _, d := range deliveries {
			if l := letter(b, d); !b.mixed || l.Err != nil {
				all = append(all, l)
			}
		}
		return nil
	})
	return all, err
}

// eachBox calls f with what a box holds, and puts back all that f has not acknowledged.
func (c Config) eachBox(ctx context.Context, f func(box, []backend.Delivery) error) error {
	all, _ := boxes(c.Store.Backend(), c.Exclusive)
	if len(all) == 0 {
		return ErrNoDeadLetters
	}
	for _, b := range all {
		deliveries, err := look(ctx, b.queue, c.Wait)
		if err == nil {
			err = f(b, deliveries)
		}
		if err = errors.Join(err, putBack(ctx, b.queue, deliveries)); err != nil {
			return fmt.Errorf("dead letters of the %s: %w", b.name, err)
		}
	}
	return nil
}

func letter(b box, d backend.Delivery) Letter {
	sum := sha256.Sum256(append([]byte(b.name+"\x00"), d.Body...))
	l := Letter{ID: hex.EncodeToString(sum[:5]), Queue: b.name, Receives: d.Receives, Body: d.Body}
	if l.Err = d.Err; l.Err == nil {
		l.Message, l.Err = history.DecodeMessage(d.Body)
	}
	return l
}

// Redriven is what became of one letter.
type Redriven struct {
	Letter
	// Err is why it is still there.
	Err error
}

// Redrive has the worker take dead letters back, those with one of these ids, or all without any: a lost attempt of an
// activity counts as failed, and its policy says what follows; anything else is sent again, to where it came from. What
// cannot be read stays.
func Redrive(ctx context.Context, c Config, ids []string) ([]Redriven, error) {
	wanted := map[string]bool{}
	for _, id := range ids {
		wanted[id] = true
	}
	all, err := redrive(ctx, c, func(id string) bool { return len(ids) == 0 || wanted[id] })
	for _, r := range all {
		delete(wanted, r.ID)
	}
	for _, id := range slices.Sorted(maps.Keys(wanted)) {
		err = errors.Join(err, fmt.Errorf("there is no dead letter %s (any more)", id))
	}
	return all, err
}

// redrive looks into each queue once, and takes back what is wanted of what it finds there.
func redrive(ctx context.Context, c Config, wanted func(id string) bool) (all []Redriven, err error) {
	err = c.eachBox(ctx, func(b box, deliveries []backend.Delivery) error {
		for _, d := range deliveries {
			l := letter(b, d)
			if b.mixed && l.Err == nil || !wanted(l.ID) {
				continue
			}
			o := c.Worker.Dead(ctx, []backend.Delivery{d})[0]
			r := Redriven{Letter: l, Err: o.Err}
			if o.Ack {
				r.Err = b.queue.Ack(ctx, []backend.Delivery{d})
			}
			all = append(all, r)
		}
		return nil
	})
	return all, err
}

// deadLetters finds them, where the hub's dead-letter queues are known.
func (e *examination) deadLetters(ctx context.Context) error {
	_, e.summary.Unknown = boxes(e.Store.Backend(), e.Exclusive)
	letters, err := Letters(ctx, e.Config)
	if errors.Is(err, ErrNoDeadLetters) {
		return nil
	}
	if err != nil {
		return err
	}
	found := map[string]bool{}
	for _, l := range letters {
		found[l.ID] = l.Err == nil
	}
	// All are taken back when the first one is, because each look into a queue receives all that is there.
	redriven := sync.OnceValues(func() (map[string]error, error) {
		all, err := redrive(ctx, e.Config, func(id string) bool { return found[id] })
		why := map[string]error{}
		for _, r := range all {
			why[r.ID] = errors.Join(why[r.ID], r.Err)
		}
		return why, err
	})
	for _, l := range letters {
		f := Finding{Kind: DeadLetter, Problem: fmt.Sprintf("the dead letter %s of the %s cannot be read: %v", l.ID, l.Queue, l.Err)}
		if l.Err != nil {
			if errors.Is(l.Err, history.ErrNewer) {
				f.Kind = Newer
			}
			e.find(f, nil)
			continue
		}
		f.Instance, f.Since = l.Message.Instance, l.Message.Sent
		f.Problem = fmt.Sprintf("%s is a dead letter of the %s, %s", l.Title(), l.Queue, l.ID)
		f.Action = "send it again"
		if l.Message.Event.Kind == history.TaskScheduled {
			f.Action = "have the attempt fail"
		}
		e.find(f, func() error {
			why, err := redriven()
			return errors.Join(err, why[l.ID]) // what is not there any more was taken back by the sweep
		})
	}
	return nil
}

// look receives all that a queue has ready.
func look(ctx context.Context, q backend.Queue, wait time.Duration) ([]backend.Delivery, error) {
	var all []backend.Delivery
	for {
		batch, err := q.Receive(ctx, backend.MaxBatch, wait)
		if err != nil || len(batch) == 0 {
			return all, err
		}
		all = append(all, batch...)
	}
}

// putBack makes deliveries ready again; those that were acknowledged are not there any more.
func putBack(ctx context.Context, q backend.Queue, deliveries []backend.Delivery) error {
	var errs []error
	for _, d := range deliveries {
		errs = append(errs, q.Defer(context.WithoutCancel(ctx), d, 0))
	}
	return errors.Join(errs...)
}

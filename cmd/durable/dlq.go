package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"strconv"
	"syscall"
	"time"

	"github.com/durable-lambda/durable-lambda/durable/doctor"
)

type dlqCommand struct {
	List    dlqList    `cmd:"" help:"List dead letters."`
	Show    dlqShow    `cmd:"" help:"Print dead letters in full, as JSON."`
	Redrive dlqRedrive `cmd:"" help:"Take dead letters back, as the sweep does every minute: a lost attempt of an activity counts as failed, anything else is sent again."`
}

func (dlqCommand) Help() string {
	return "To look at a message is to receive it. For that moment nobody else gets it, and in a queue of SQS its count of receives grows; it is put back at once, " +
		"and a dead-letter queue gives up on nothing, so none is lost. A local server has no dead-letter queues: it keeps what it cannot read " +
		"in its queues, and that is what is listed."
}

// onHub runs a command on an open hub.
func (f hubFlags) onHub(do func(context.Context, doctor.Config, *terminal) error) error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	c, done, err := f.open(ctx)
	if err != nil {
		return err
	}
	return errors.Join(do(ctx, c, newTerminal(os.Stdout)), done())
}

type dlqList struct {
	hubFlags `embed:""`
}

// Run lists dead letters.
func (l *dlqList) Run() error {
	return l.onHub(func(ctx context.Context, c doctor.Config, t *terminal) error {
		letters, err := doctor.Letters(ctx, c)
		if err != nil {
			return err
		}
		for _, l := range letters {
			t.letter(l, c.Store.Now())
		}
		t.line(0, span{plain, count(len(letters), "dead letter")})
		return nil
	})
}

// letter prints one: its id, its queue, what it is and for whom, how often it was received, and why it is here, if known.
func (t *terminal) letter(l doctor.Letter, now time.Time) {
	spans := []span{{bold, l.ID}, {faint, " " + l.Queue}}
	if l.Err != nil {
		t.line(2, append(spans, span{red, " cannot be read"}, span{plain, ", " + count(l.Receives, "receive") + ": " + l.Err.Error()})...)
		return
	}
	m := l.Message
	spans = append(spans, span{plain, " " + l.Title() + " for "}, span{bold, m.Instance}, span{plain, ", " + count(l.Receives, "receive")})
	if m.Attempt > 0 {
		spans = append(spans, span{plain, ", attempt " + strconv.Itoa(int(m.Attempt))})
	}
	if m.Redrives > 0 {
		spans = append(spans, span{plain, ", came back " + count(int(m.Redrives), "time")})
	}
	if !m.Sent.IsZero() {
		spans = append(spans, span{faint, ", sent " + ago(now.Sub(m.Sent)) + " ago"})
	}
	t.line(2, spans...)
}

type dlqShow struct {
	hubFlags `embed:""`
	IDs      []string `arg:"" name:"id" help:"Ids as listed."`
}

// Run prints dead letters.
func (s *dlqShow) Run() error {
	return s.onHub(func(ctx context.Context, c doctor.Config, _ *terminal) error {
		letters, err := doctor.Letters(ctx, c)
		if err != nil {
			return err
		}
		out := json.NewEncoder(os.Stdout)
		out.SetIndent("", "  ")
		for _, id := range s.IDs {
			found := false
			for _, l := range letters {
				if l.ID == id && !found { // copies are the same
					found = true
					err = errors.Join(err, out.Encode(l))
				}
			}
			if !found {
				err = errors.Join(err, fmt.Errorf("there is no dead letter %s (any more)", id))
			}
		}
		return err
	})
}

type dlqRedrive struct {
	hubFlags `embed:""`
	IDs      []string `arg:"" optional:"" name:"id" help:"Ids as listed."`
	All      bool     `help:"All dead letters."`
}

// Run takes dead letters back.
func (r *dlqRedrive) Run() error {
	if len(r.IDs) > 0 == r.All {
		return errors.New("name the ids of dead letters, as dlq list shows them, or --all")
	}
	return r.onHub(func(ctx context.Context, c doctor.Config, t *terminal) error {
		done, err := doctor.Redrive(ctx, c, r.IDs)
		left := 0
		for _, d := range done {
			if d.Err != nil {
				left++
				t.line(2, span{red, "✗ "}, span{bold, d.ID}, span{plain, " stays: " + d.Err.Error()})
				continue
			}
			t.line(2, span{green, "✓ "}, span{bold, d.ID}, span{plain, " " + d.Title() + " for "}, span{bold, d.Message.Instance}, span{plain, " is taken back"})
		}
		t.line(0, span{plain, fmt.Sprintf("%s taken back, %d left", count(len(done)-left, "dead letter"), left)})
		if err == nil && left > 0 {
			err = findingsLeft
		}
		return err
	})
}

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return strconv.Itoa(n) + " " + what + "s"
}

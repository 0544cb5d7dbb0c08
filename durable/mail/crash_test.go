package mail_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/durable-lambda/durable-lambda/durable/backend"
	"github.com/durable-lambda/durable-lambda/durable/mail"
	"github.com/durable-lambda/durable-lambda/durable/mail/mailtest"
)

// crash is what a step of a process panics with when the process is to end there.
type crash struct{}

// steps of one Send, at whose beginning and end a process can die: the claim, the mailer, the mark.
const (
	beforeClaim = iota
	afterClaim
	beforeMailer
	afterMailer
	beforeMark
	afterMark
	steps
)

var stepNames = [steps]string{"before the claim", "after the claim", "before the mailer", "after the mailer accepted", "before the mark", "after the mark"}

// process runs one Send in a process that dies at a step, and reports whether it did.
func process(t *testing.T, table backend.Table, box *mailtest.Recorder, mode mail.Mode, now time.Time, dies int) (err error, died bool) {
	t.Helper()
	at := func(step int) {
		if step == dies {
			panic(crash{})
		}
	}
	mailer := &mailtest.Recorder{
		Before: func(context.Context, string, mail.Mail) error { at(beforeMailer); return nil },
		After: func(ctx context.Context, key string, m mail.Mail) error {
			if err := box.Send(ctx, key, m); err != nil {
				t.Fatal(err)
			}
			at(afterMailer)
			return nil
		},
	}
	step := func(claim, mark int) func(backend.Item) error {
		return func(item backend.Item) error {
			if item.Sequence.Number%2 == 1 {
				at(claim)
			} else {
				at(mark)
			}
			return nil
		}
	}
	on := &faulty{Table: table, before: step(beforeClaim, beforeMark), after: step(afterClaim, afterMark)}
	ledger := mail.NewLedger(on, mailer, mail.LedgerOptions{Lease: lease, Mode: mode, Now: func() time.Time { return now }})
	defer func() {
		switch r := recover().(type) {
		case nil:
		case crash:
			died = true
		default:
			panic(r)
		}
	}()
	return ledger.Send(t.Context(), "key", mailtest.Sample("Hello")), false
}

// A process dies at every step of sending, and the activity is delivered again until it is done: the mail is sent as often as
// the mode says, and never differently.
func TestLedgerWhenTheProcessDiesAtEachStep(t *testing.T) {
	t.Parallel()
	for _, mode := range []mail.Mode{mail.AtLeastOnce, mail.AtMostOnce} {
		for dies := range steps {
			t.Run(fmt.Sprintf("%s/%s", mode, stepNames[dies]), func(t *testing.T) {
				t.Parallel()
				table, box, now := newTable(), &mailtest.Recorder{}, start
				if _, died := process(t, table, box, mode, now, dies); !died {
					t.Fatal("the process did not die")
				}
				now = now.Add(lease) // which is shorter than the visibility of an activity's message
				var err error
				for range 3 { // the last ones are deliveries of what is done already
					if err, _ = process(t, table, box, mode, now, steps); err != nil && !errors.Is(err, mail.ErrUnconfirmed) {
						t.Fatalf("Send = %v", err)
					}
				}
				unknowable := dies >= afterClaim && dies <= beforeMark
				accepted := dies >= afterMailer
				want := 1
				switch {
				case unknowable && mode == mail.AtLeastOnce && accepted:
					want = 2 // the documented window
				case unknowable && mode == mail.AtMostOnce && !accepted:
					want = 0
				}
				if got := len(box.Sent()); got != want {
					t.Errorf("%d mails were accepted, want %d", got, want)
				}
				if gaveUp := errors.Is(err, mail.ErrUnconfirmed); gaveUp != (unknowable && mode == mail.AtMostOnce) {
					t.Errorf("Send = %v", err)
				}
			})
		}
	}
}

// Two processes die one after the other, at any two steps: what each mode promises holds all the same.
func TestLedgerWhenProcessesDieAgainAndAgain(t *testing.T) {
	t.Parallel()
	for _, mode := range []mail.Mode{mail.AtLeastOnce, mail.AtMostOnce} {
		for first := range steps {
			for second := range steps {
				table, box, now := newTable(), &mailtest.Recorder{}, start
				for _, dies := range []int{first, second, steps} {
					_, _ = process(t, table, box, mode, now, dies)
					now = now.Add(lease)
				}
				got := len(box.Sent())
				if mode == mail.AtLeastOnce && got < 1 || mode == mail.AtMostOnce && got > 1 {
					t.Errorf("%s, dying %s and %s: %d mails were accepted", mode, stepNames[first], stepNames[second], got)
				}
			}
		}
	}
}

func TestParseMode(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]mail.Mode{"": mail.AtLeastOnce, "at-least-once": mail.AtLeastOnce, "at-most-once": mail.AtMostOnce} {
		if got, err := mail.ParseMode(text); got != want || err != nil {
			t.Errorf("ParseMode(%q) = %q, %v; want %q", text, got, err, want)
		}
	}
	if _, err := mail.ParseMode("AtMostOnce"); err == nil || err.Error() != `the mode "AtMostOnce" is unknown: it is at-least-once or at-most-once` {
		t.Errorf("ParseMode = %v", err)
	}
}

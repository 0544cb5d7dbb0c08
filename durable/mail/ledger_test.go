package mail_test

import (
	"bytes"
	"context"
	"errors"
	"testing"
	"time"

	"github.com/durable-lambda/durable-lambda/durable/backend"
	"github.com/durable-lambda/durable-lambda/durable/mail"
	"github.com/durable-lambda/durable-lambda/durable/mail/mailtest"
)

const lease = time.Minute

var (
	errLost   = errors.New("answer lost")
	errBroken = errors.New("broken")
)

// bench is a ledger over a recorder, with a clock that stands still and a table that can be made to fail.
type bench struct {
	table    *faulty
	recorder *mailtest.Recorder
	ledger   *mail.Ledger
	now      time.Time
}

func newBench(mode mail.Mode) *bench {
	b := &bench{table: &faulty{Table: newTable()}, recorder: &mailtest.Recorder{}, now: start}
	b.ledger = mail.NewLedger(b.table, b.recorder, mail.LedgerOptions{
		Lease: lease, Mode: mode, Now: func() time.Time { return b.now },
	})
	return b
}

// die makes the mailer's process end after the mail went out: nothing can be noted any more.
func (b *bench) die(t *testing.T) {
	t.Helper()
	b.table.before = func(item backend.Item) error {
		if item.Sequence.Number > 1 {
			return errBroken
		}
		return nil
	}
	if err := b.send(t); err != nil {
		t.Fatalf("Send = %v; want nil, because the mail is out", err)
	}
	b.table.before = nil
}

func (b *bench) send(t *testing.T) error {
	t.Helper()
	return b.ledger.Send(t.Context(), "key", mailtest.Sample("Hello"))
}

func (b *bench) want(t *testing.T, mails int) {
	t.Helper()
	if got := len(b.recorder.Sent()); got != mails {
		t.Errorf("%d mails went out; want %d", got, mails)
	}
}

func wantError(t *testing.T, got, want error) {
	t.Helper()
	if !errors.Is(got, want) {
		t.Errorf("Send = %v; want %v", got, want)
	}
}

func TestLedgerConformance(t *testing.T) {
	t.Parallel()
	for _, mode := range []mail.Mode{"", mail.AtLeastOnce, mail.AtMostOnce} {
		t.Run(string(mode), func(t *testing.T) {
			t.Parallel()
			mailtest.Conformance(t, func(*testing.T) mailtest.Harness {
				b := newBench(mode)
				return mailtest.Harness{Mailer: b.ledger, Once: true, Subjects: func(*testing.T) []string { return b.recorder.Subjects() }}
			})
		})
	}
}

func TestRecorderConformance(t *testing.T) {
	t.Parallel()
	mailtest.Conformance(t, func(*testing.T) mailtest.Harness {
		var r mailtest.Recorder
		return mailtest.Harness{Mailer: &r, Subjects: func(*testing.T) []string { return r.Subjects() }}
	})
}

func TestLedgerKeepsAwayFromAYoungClaim(t *testing.T) {
	t.Parallel()
	b := newBench(mail.AtLeastOnce)
	b.recorder.Before = func(ctx context.Context, _ string, _ mail.Mail) error {
		b.recorder.Before = nil
		wantError(t, b.send(t), mail.ErrBusy)
		return nil
	}
	wantError(t, b.send(t), nil)
	wantError(t, b.send(t), nil)
	b.want(t, 1)
}

func TestLedgerTakesOverWhenASenderDied(t *testing.T) {
	t.Parallel()
	b := newBench(mail.AtLeastOnce)
	b.die(t)
	b.now = start.Add(lease - 1)
	wantError(t, b.send(t), mail.ErrBusy)
	b.want(t, 1)
	b.now = start.Add(lease)
	wantError(t, b.send(t), nil)
	wantError(t, b.send(t), nil)
	b.want(t, 2) // the documented window
}

func TestLedgerLetsOneTakeOver(t *testing.T) {
	t.Parallel()
	b := newBench(mail.AtLeastOnce)
	b.die(t)
	b.now = start.Add(lease)
	b.table.before = func(item backend.Item) error {
		if item.Sequence.Number == 2 { // the put that takes over: another does so just before
			b.table.before = nil
			wantError(t, b.send(t), nil)
		}
		return nil
	}
	wantError(t, b.send(t), nil)
	b.want(t, 2)
}

func TestLedgerDoesNotTakeOverFromASenderThatFinishes(t *testing.T) {
	t.Parallel()
	b := newBench(mail.AtLeastOnce)
	var claim backend.Item
	b.table.after = func(item backend.Item) error {
		if item.Sequence.Number == 1 {
			claim = item
		}
		return nil
	}
	b.die(t)
	b.now = start.Add(lease)
	b.table.before = func(item backend.Item) error {
		if item.Owner == claim.Owner || item.Sequence.Number == 1 {
			return nil
		}
		b.table.before = nil // the sender was not dead, only late: its mark comes just before the put that takes over
		claim.Sequence.Number++
		claim.Value = bytes.Replace(claim.Value, []byte(`"claimed"`), []byte(`"sent"`), 1)
		return b.table.Put(t.Context(), claim, backend.Owned(claim.Owner))
	}
	wantError(t, b.send(t), nil)
	b.want(t, 1)
}

func TestLedgerAtMostOnceGivesUpWhenASenderDied(t *testing.T) {
	t.Parallel()
	b := newBench(mail.AtMostOnce)
	b.die(t)
	wantError(t, b.send(t), mail.ErrBusy)
	b.now = start.Add(lease)
	wantError(t, b.send(t), mail.ErrUnconfirmed)
	b.want(t, 1)
}

func TestLedgerSendsAgainAtOnceWhenTheMailerFailed(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		failure error
		mode    mail.Mode
	}{
		"not sent":                   {mail.ErrNotSent, mail.AtLeastOnce},
		"not sent, at most once":     {mail.ErrNotSent, mail.AtMostOnce},
		"unknown":                    {errBroken, mail.AtLeastOnce},
		"invalid to the mailer only": {mail.ErrInvalid, mail.AtMostOnce},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(c.mode)
			b.recorder.Before = func(context.Context, string, mail.Mail) error { return c.failure }
			wantError(t, b.send(t), c.failure)
			b.recorder.Before = nil
			wantError(t, b.send(t), nil)
			b.want(t, 1)
		})
	}
}

func TestLedgerAtMostOnceNeverSendsAgainWhenTheMailersAnswerWasLost(t *testing.T) {
	t.Parallel()
	b := newBench(mail.AtMostOnce)
	b.recorder.After = func(context.Context, string, mail.Mail) error { return errLost }
	err := b.send(t)
	wantError(t, err, errLost)
	wantError(t, err, mail.ErrUnconfirmed)
	b.now = start.Add(24 * time.Hour)
	wantError(t, b.send(t), mail.ErrUnconfirmed)
	b.want(t, 1)
}

func TestLedgerDoesNotWaitForItsOwnClaim(t *testing.T) {
	t.Parallel()
	b := newBench(mail.AtLeastOnce)
	b.table.after = func(item backend.Item) error {
		b.table.after = nil
		return errLost
	}
	wantError(t, b.send(t), nil)
	b.want(t, 1)
}

func TestLedgerSendsNothingWithoutAClaim(t *testing.T) {
	t.Parallel()
	b := newBench(mail.AtLeastOnce)
	b.table.before = func(backend.Item) error { return errBroken }
	wantError(t, b.send(t), errBroken)
	b.want(t, 0)
}

func TestLedgerNotesWhatHappenedWhenTheCallerGaveUp(t *testing.T) {
	t.Parallel()
	b := newBench(mail.AtMostOnce)
	ctx, cancel := context.WithCancel(t.Context())
	b.recorder.After = func(context.Context, string, mail.Mail) error { cancel(); return nil }
	wantError(t, b.ledger.Send(ctx, "key", mailtest.Sample("Hello")), nil)
	b.now = start.Add(lease)
	wantError(t, b.send(t), nil)
	b.want(t, 1)
}

func TestLedgerDoesNotSpoilTheMarkOfWhoTookOver(t *testing.T) {
	t.Parallel()
	b := newBench(mail.AtLeastOnce)
	b.recorder.After = func(context.Context, string, mail.Mail) error {
		b.recorder.After = nil
		b.now = start.Add(lease) // this attempt stood still, and another took over
		wantError(t, b.send(t), nil)
		return errBroken
	}
	wantError(t, b.send(t), errBroken)
	wantError(t, b.send(t), nil)
	b.want(t, 2)
}

func TestLedgerAndMailboxShareATable(t *testing.T) {
	t.Parallel()
	table := newTable()
	box := mail.NewMailbox(table, mail.MailboxOptions{})
	ledger := mail.NewLedger(table, box, mail.LedgerOptions{})
	for range 2 {
		wantError(t, ledger.Send(t.Context(), "key", mailtest.Sample("Hello")), nil)
	}
	if got := subjects(t, box, mail.Query{}); len(got) != 1 {
		t.Errorf("the mailbox holds %q; want one mail", got)
	}
}

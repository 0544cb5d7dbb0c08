package mail

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"time"

	"github.com/durable-lambda/durable-lambda/durable/backend"
)

// Ledger sends through a mailer that would send a repeated mail again, and sees to it that each key is sent once. It
// claims a row for the key, hands the mail to the mailer, and marks the row as sent:
//
//   - Found sent: nothing to do, Send returns nil.
//   - Found claimed for less than the lease: another attempt may be running. Send returns ErrBusy; try again later.
//   - Found claimed for longer: whoever claimed it died, and nobody can know whether before or after the mail went out.
//     The ledger takes the claim over and sends; with AtMostOnce it returns ErrUnconfirmed instead.
//   - An attempt that failed with ErrNotSent, or with ErrInvalid because the mailer refused the mail, gives its claim back in
//     either mode, and the next attempt need not wait.
//   - An attempt that failed in any other way gives its claim back too; with AtMostOnce the key stays unconfirmed.
//
// However often an activity is delivered again, its mail is sent once, but for one window: the process died, or the mailer's
// answer was lost, between the mailer's acceptance and the mark; or an attempt stood still for longer than the lease and
// ignored the end of its context. No ledger beside a mailer can close that window, because the mail and the mark are in two
// systems. LedgerOptions.Mode says on which side to err: AtLeastOnce, the default, may send such a mail twice, AtMostOnce may
// lose it.
type Ledger struct {
	table  backend.Table
	mailer Mailer
	opts   LedgerOptions
}

var _ Mailer = (*Ledger)(nil)

// LedgerOptions configures a Ledger. Its zero value works.
type LedgerOptions struct {
	// Lease is how long a claim keeps others away. Half of it is the mailer's time for one mail. 0 is one minute. It must
	// be shorter than the time over which the caller retries, or a mail whose sender died is given up as busy.
	Lease time.Duration
	// Mode says what becomes of a mail of which nobody can know whether it went out.
	Mode Mode
	// Keep is how long the record of a key is kept; after that the key is forgotten. 0 is 90 days.
	Keep time.Duration
	// Now is the clock. Nil is time.Now.
	Now func() time.Time
}

// NewLedger returns the ledger that is kept in table for mailer.
func NewLedger(table backend.Table, mailer Mailer, o LedgerOptions) *Ledger {
	if o.Lease <= 0 {
		o.Lease = time.Minute
	}
	if o.Keep <= 0 {
		o.Keep = 90 * 24 * time.Hour
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	return &Ledger{table: table, mailer: mailer, opts: o}
}

// ledgerState is how far the sending of a key has come.
type ledgerState string

const (
	claimed     ledgerState = "claimed"
	released    ledgerState = "released"
	sent        ledgerState = "sent"
	unconfirmed ledgerState = "unconfirmed"
)

type ledgerEntry struct {
	Key   string      `json:"key"`
	State ledgerState `json:"state"`
	At    time.Time   `json:"at"`
}

// claim is the right to send a key: the row's owner and its version.
type claim struct {
	key   string
	nonce string
	seq   backend.Sequence
}

// Send sends m unless it was sent under this key before. Errors wrap ErrInvalid, ErrBusy or ErrUnconfirmed where those
// apply, or are the table's or the mailer's.
func (l *Ledger) Send(ctx context.Context, key string, m Mail) error {
	if err := errors.Join(CheckKey(key), m.Check()); err != nil {
		return err
	}
	c, done, err := l.claim(ctx, key)
	if done || err != nil {
		return err
	}
	sending, cancel := context.WithTimeout(ctx, l.opts.Lease/2)
	err = l.mailer.Send(sending, key, m)
	cancel()

	// What happened must be noted even if the caller has given up meanwhile.
	noting, cancel := context.WithTimeout(context.WithoutCancel(ctx), l.opts.Lease/2)
	defer cancel()
	switch {
	case err == nil:
		// The mail is out, so the answer is nil even if that could not be noted.
		if l.note(noting, c, sent) != nil {
			_ = l.note(noting, c, sent)
		}
		return nil
	case errors.Is(err, ErrNotSent), errors.Is(err, ErrInvalid), l.opts.Mode != AtMostOnce:
		return errors.Join(err, l.note(noting, c, released))
	default:
		return errors.Join(fmt.Errorf("%w: %w", ErrUnconfirmed, err), l.note(noting, c, unconfirmed))
	}
}

// claim takes the row of key, or reports that there is nothing left to do.
func (l *Ledger) claim(ctx context.Context, key string) (c claim, done bool, err error) {
	c = claim{key: key, nonce: rand.Text(), seq: backend.Sequence{Number: 1}}
	cond := backend.Absent()
	for {
		err := l.put(ctx, c, claimed, cond)
		var taken *backend.ConditionError
		if err != nil && !errors.As(err, &taken) {
			// It may have worked. Asking again is cheaper than to be kept away by a claim of one's own.
			err = l.put(ctx, c, claimed, cond)
		}
		switch {
		case err == nil:
			return c, false, nil
		case !errors.As(err, &taken):
			return c, false, fmt.Errorf("claim mail: %w", err)
		case taken.Found == nil:
			c.seq, cond = backend.Sequence{Number: 1}, backend.Absent()
			continue
		case taken.Found.Owner == c.nonce:
			return c, false, nil
		}
		var found ledgerEntry
		if err := decode(taken.Found.Value, &found); err != nil {
			return c, false, fmt.Errorf("the mail ledger's entry for %q: %w", key, err)
		}
		if done, err := l.judge(found); done || err != nil {
			return c, done, err
		}
		c.seq = backend.Sequence{Number: taken.Found.Sequence.Number + 1}
		cond = backend.OwnedAt(taken.Found.Owner, taken.Found.Sequence)
	}
}

// judge says whether the mail of an entry is done with, must be left alone (an error), or may be claimed.
func (l *Ledger) judge(found ledgerEntry) (done bool, err error) {
	switch free := found.At.Add(l.opts.Lease); {
	case found.State == sent:
		return true, nil
	case found.State == released:
		return false, nil
	case found.State == unconfirmed:
		return false, fmt.Errorf("%w: %s was tried at %s", ErrUnconfirmed, found.Key, found.At.Format(time.RFC3339))
	case found.State != claimed:
		return false, fmt.Errorf("the mail ledger's entry for %q: %w: state %q", found.Key, errNewer, found.State)
	case l.opts.Now().Before(free):
		return false, fmt.Errorf("%w: claimed at %s, try again after %s",
			ErrBusy, found.At.Format(time.RFC3339), free.Format(time.RFC3339))
	case l.opts.Mode == AtMostOnce:
		return false, fmt.Errorf("%w: %s was claimed at %s by a sender that died", ErrUnconfirmed, found.Key, found.At.Format(time.RFC3339))
	}
	return false, nil
}

func (l *Ledger) note(ctx context.Context, c claim, state ledgerState) error {
	c.seq.Number++
	if err := l.put(ctx, c, state, backend.Owned(c.nonce)); err != nil {
		return fmt.Errorf("note that the mail is %s: %w", state, err)
	}
	return nil
}

func (l *Ledger) put(ctx context.Context, c claim, state ledgerState, cond backend.Condition) error {
	now := l.opts.Now().UTC()
	value, err := encode(ledgerEntry{Key: c.key, State: state, At: now})
	if err != nil {
		return err
	}
	return l.table.Put(ctx, backend.Item{
		Key:      backend.Key{Partition: partitionPrefix + hash(c.key), Sort: ledgerSort},
		Owner:    c.nonce,
		Sequence: c.seq,
		Value:    value,
		Expires:  now.Add(l.opts.Keep),
	}, cond)
}

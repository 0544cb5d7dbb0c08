package mail

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"strings"
	"time"

	"github.com/durable-lambda/durable-lambda/durable/backend"
)

// Rows, of the mailbox and of the ledger. Keys are hashed because they may be longer than a table's keys.
//
//	partition                sort    owner           value
//	mail#<sha-256 of key>    mail    the partition   Stored as JSON; indexed under "mail", newest first
//	mail#<sha-256 of key>    ledger  nonce of claim  ledgerEntry as JSON
const (
	partitionPrefix = "mail#"
	mailSort        = "mail"
	ledgerSort      = "ledger"
	indexPartition  = "mail"
)

const indexPage = 200

// Mailbox is a Mailer that delivers into a table, where List and Handler show the mail. The row of a mail is put only if
// there is none under its key, so the record that it was sent and the mail itself are one row: however often a key is
// sent, and whatever crashes, the mailbox holds that mail once. A Send that returned nil is durable; one that failed may be repeated.
type Mailbox struct {
	table backend.Table
	opts  MailboxOptions
}

var _ Mailer = (*Mailbox)(nil)

// MailboxOptions configures a Mailbox. Its zero value works.
type MailboxOptions struct {
	// From is the sender of mail that names none. Empty is "durable@localhost".
	From string
	// Now is the clock. Nil is time.Now.
	Now func() time.Time
	// Home is the URL of the page that Handler's pages lead back to. Empty shows no link.
	Home string
	// Log receives what Handler could not tell a browser. Nil discards it.
	Log *slog.Logger
}

// NewMailbox returns the mailbox that is kept in table, beside whatever else is.
func NewMailbox(table backend.Table, o MailboxOptions) *Mailbox {
	if o.From == "" {
		o.From = "durable@localhost"
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return &Mailbox{table: table, opts: o}
}

// Stored is a mail in the mailbox.
type Stored struct {
	Mail
	// ID names the mail in this mailbox: a hash of its key.
	ID string `json:"-"`
	// Key is what the mail was sent under.
	Key string `json:"key"`
	// SentAt is when it was first sent.
	SentAt time.Time `json:"sentAt"`
}

// summary is what the index says of a mail, enough to filter and to list it.
type summary struct {
	InstanceID string `json:"instanceId"`
}

// Send puts the mail into the mailbox unless one was sent under this key before, which then stays as it is.
func (b *Mailbox) Send(ctx context.Context, key string, m Mail) error {
	if err := errors.Join(CheckKey(key), m.Check()); err != nil {
		return err
	}
	if m.From == "" {
		m.From = b.opts.From
	}
	stored := Stored{Mail: m, ID: hash(key), Key: key, SentAt: b.opts.Now().UTC()}
	value, err := encode(stored)
	if err != nil {
		return err
	}
	listed, err := encode(summary{InstanceID: m.InstanceID})
	if err != nil {
		return err
	}
	partition := partitionPrefix + stored.ID
	err = b.table.Put(ctx, backend.Item{
		Key:   backend.Key{Partition: partition, Sort: mailSort},
		Owner: partition,
		Value: value,
		Index: &backend.IndexEntry{Partition: indexPartition, Sort: newestFirst(stored), Summary: listed},
	}, backend.Absent())
	if taken := (*backend.ConditionError)(nil); errors.As(err, &taken) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("put mail into the mailbox: %w", err)
	}
	return nil
}

// Get returns the mail with this id. ErrNotFound when there is none.
func (b *Mailbox) Get(ctx context.Context, id string) (Stored, error) {
	if len(id) != 2*sha256.Size {
		return Stored{}, ErrNotFound
	}
	item, err := b.table.Get(ctx, backend.Key{Partition: partitionPrefix + id, Sort: mailSort})
	if err != nil {
		return Stored{}, fmt.Errorf("read mail: %w", err)
	}
	if item == nil {
		return Stored{}, ErrNotFound
	}
	stored := Stored{ID: id}
	if err := decode(item.Value, &stored); err != nil {
		return Stored{}, fmt.Errorf("mail %s: %w", id, err)
	}
	return stored, nil
}

// Query selects mail. Its zero value selects all.
type Query struct {
	// InstanceID, when set, selects the mail about one instance.
	InstanceID string
	// Limit of mails returned; 0 is no limit.
	Limit int
	// Continue is the Continue of the page before.
	Continue string
}

// Page is one answer to a Query.
type Page struct {
	Mails []Stored
	// Continue asks for the next page; empty at the end.
	Continue string
}

// List returns mail, newest first. Like the table's index it is eventually consistent: it may miss what was just sent.
func (b *Mailbox) List(ctx context.Context, q Query) (Page, error) {
	page, from := Page{}, q.Continue
	for {
		entries, err := b.table.Index(ctx, indexPartition, from, "", indexPage)
		if err != nil {
			return Page{}, fmt.Errorf("list mail: %w", err)
		}
		for _, entry := range entries {
			if q.Limit > 0 && len(page.Mails) == q.Limit {
				page.Continue = entry.IndexEntry.Sort
				return page, nil
			}
			if !q.selects(entry.Summary) {
				continue
			}
			stored, err := b.Get(ctx, strings.TrimPrefix(entry.Key.Partition, partitionPrefix))
			if errors.Is(err, ErrNotFound) {
				continue
			}
			if err != nil {
				return Page{}, err
			}
			page.Mails = append(page.Mails, stored)
		}
		if len(entries) < indexPage {
			return page, nil
		}
		from = entries[len(entries)-1].IndexEntry.Sort + "\x00"
	}
}

func (q Query) selects(listed []byte) bool {
	if q.InstanceID == "" {
		return true
	}
	var s summary
	return json.Unmarshal(listed, &s) == nil && s.InstanceID == q.InstanceID
}

func hash(key string) string {
	sum := sha256.Sum256([]byte(key))
	return hex.EncodeToString(sum[:])
}

// newestFirst sorts later mail before earlier mail; the id keeps the places of one instant apart, so that a list can go
// on after any of them.
func newestFirst(s Stored) string {
	return fmt.Sprintf("%019d#%s", math.MaxInt64-s.SentAt.UnixNano(), s.ID)
}

// encode keeps HTML as it is: escaped, a body within its limit could outgrow an item.
func encode(v any) ([]byte, error) {
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return nil, fmt.Errorf("encode mail: %w", err)
	}
	return bytes.TrimSuffix(buf.Bytes(), []byte("\n")), nil
}

// decode reads what encode wrote, and nothing else: what has more was written by a newer version, and is not understood.
func decode(value []byte, v any) error {
	dec := json.NewDecoder(bytes.NewReader(value))
	dec.DisallowUnknownFields()
	err := dec.Decode(v)
	if name, unknown := strings.CutPrefix(fmt.Sprint(err), "json: unknown field "); unknown {
		return fmt.Errorf("%w: field %s", errNewer, name)
	}
	if err == nil && len(bytes.TrimSpace(value[dec.InputOffset():])) > 0 {
		err = errors.New("something follows it")
	}
	if err != nil {
		return fmt.Errorf("it is damaged: %w", err)
	}
	return nil
}

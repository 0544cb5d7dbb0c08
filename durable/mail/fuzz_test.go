package mail_test

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"strings"
	"testing"

	"github.com/durable-lambda/durable-lambda/durable/backend"
	"github.com/durable-lambda/durable-lambda/durable/mail"
	"github.com/durable-lambda/durable-lambda/durable/mail/mailtest"
)

// put writes a row of the mail with this key, as somebody else might have.
func put(t *testing.T, table backend.Table, key, sort string, value []byte) (id string, ok bool) {
	t.Helper()
	sum := sha256.Sum256([]byte(key))
	id = hex.EncodeToString(sum[:])
	err := table.Put(t.Context(), backend.Item{Key: backend.Key{Partition: "mail#" + id, Sort: sort}, Value: value}, backend.Always())
	return id, err == nil
}

// FuzzLedgerEntry: an entry that is not understood sends nothing.
func FuzzLedgerEntry(f *testing.F) {
	f.Add([]byte(`{"key":"key","state":"sent","at":"2026-07-01T12:00:00Z"}`))
	f.Add([]byte(`{"key":"key","state":"claimed","at":"2026-06-01T12:00:00Z"}`))
	f.Add([]byte(`{"key":"key","state":"bounced","at":"2026-06-01T12:00:00Z"}`))
	f.Add([]byte(`{"key":"key","state":"released","at":"2026-06-01T12:00:00Z","via":"pigeon"}`))
	f.Add([]byte(`{"key":"key","state":"released"}{}`))
	f.Add([]byte(`null`))
	f.Add([]byte(``))
	f.Fuzz(func(t *testing.T, value []byte) {
		b := newBench(mail.AtLeastOnce)
		if _, ok := put(t, b.table, "key", "ledger", value); !ok {
			return
		}
		err := b.send(t)
		var entry struct{ Key, State, At any }
		understood := json.Unmarshal(value, &entry) == nil && (entry.State == "sent" || entry.State == "claimed" || entry.State == "released")
		if sent := len(b.recorder.Sent()); sent > 0 && !understood || sent > 1 {
			t.Errorf("%d mails went out for the entry %q (%v)", sent, value, err)
		}
	})
}

// FuzzMailRow: a row of the mailbox is a mail or an error.
func FuzzMailRow(f *testing.F) {
	f.Add([]byte(`{"to":"ada@example.com","from":"x@example.com","subject":"s","text":"t","html":"","instanceId":"i","key":"k","sentAt":"2026-07-01T12:00:00Z"}`))
	f.Add([]byte(`{"to":7}`))
	f.Add([]byte(`{} {}`))
	f.Fuzz(func(t *testing.T, value []byte) {
		table := newTable()
		id, ok := put(t, table, "key", "mail", value)
		if !ok {
			return
		}
		got, err := mail.NewMailbox(table, mail.MailboxOptions{}).Get(t.Context(), id)
		if err != nil {
			return
		}
		var again mail.Stored
		raw, err := json.Marshal(got)
		if err != nil {
			return // a time with a zone that RFC 3339 does not have
		}
		if err := json.Unmarshal(raw, &again); err != nil || again.Subject != got.Subject || again.Text != got.Text || again.Key != got.Key {
			t.Errorf("read as %+v, then as %+v (%v)", got, again, err)
		}
	})
}

func TestWhatANewerVersionWroteIsNotMisread(t *testing.T) {
	t.Parallel()
	for value, want := range map[string]string{
		`{"key":"key","state":"bounced","at":"2026-06-01T12:00:00Z"}`:                `written by a newer version: state "bounced"`,
		`{"key":"key","state":"claimed","at":"2026-06-01T12:00:00Z","via":"pigeon"}`: `written by a newer version: field "via"`,
	} {
		b := newBench(mail.AtLeastOnce)
		put(t, b.table, "key", "ledger", []byte(value))
		if err := b.send(t); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("Send = %v; want %s", err, want)
		}
		b.want(t, 0)
	}
	table := newTable()
	box := mail.NewMailbox(table, mail.MailboxOptions{})
	if err := box.Send(t.Context(), "key", mailtest.Sample("Hello")); err != nil {
		t.Fatal(err)
	}
	id, _ := put(t, table, "key", "mail", []byte(`{"subject":"x","attachments":[]}`))
	if _, err := box.Get(t.Context(), id); err == nil || !strings.Contains(err.Error(), `written by a newer version: field "attachments"`) {
		t.Errorf("Get = %v; want an error that names the field", err)
	}
}

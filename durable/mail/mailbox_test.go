package mail_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/durable-lambda/durable-lambda/durable/backend"
	"github.com/durable-lambda/durable-lambda/durable/backend/memory"
	"github.com/durable-lambda/durable-lambda/durable/mail"
	"github.com/durable-lambda/durable-lambda/durable/mail/mailtest"
)

var start = time.Date(2026, 7, 1, 12, 0, 0, 0, time.UTC)

func newTable() backend.Table { return memory.New(memory.Options{}).Backend().Table }

// faulty is a table whose puts can be made to fail, before or after they take effect.
type faulty struct {
	backend.Table
	before, after func(backend.Item) error
}

func (f *faulty) Put(ctx context.Context, item backend.Item, cond backend.Condition) error {
	if f.before != nil {
		if err := f.before(item); err != nil {
			return err
		}
	}
	err := f.Table.Put(ctx, item, cond)
	if f.after != nil && err == nil {
		err = f.after(item)
	}
	return err
}

// clock ticks by a second each time it is read.
type clock struct{ now time.Time }

func (c *clock) read() time.Time {
	c.now = c.now.Add(time.Second)
	return c.now
}

func subjects(t *testing.T, box *mail.Mailbox, q mail.Query) (got []string) {
	t.Helper()
	page, err := box.List(t.Context(), q)
	if err != nil {
		t.Fatalf("List: %v", err)
	}
	for _, m := range page.Mails {
		got = append(got, m.Subject)
	}
	return got
}

func TestMailboxConformance(t *testing.T) {
	t.Parallel()
	mailtest.Conformance(t, func(*testing.T) mailtest.Harness {
		box := mail.NewMailbox(newTable(), mail.MailboxOptions{})
		return mailtest.Harness{Mailer: box, Once: true, Subjects: func(t *testing.T) []string { return subjects(t, box, mail.Query{}) }}
	})
}

func TestMailboxKeepsTheMail(t *testing.T) {
	t.Parallel()
	table := newTable()
	sent := mailtest.Sample("Hello")
	sent.From = ""
	first := mail.NewMailbox(table, mail.MailboxOptions{From: "shop@example.com", Now: (&clock{start}).read})
	if err := first.Send(t.Context(), "key", sent); err != nil {
		t.Fatalf("Send: %v", err)
	}

	page, err := mail.NewMailbox(table, mail.MailboxOptions{}).List(t.Context(), mail.Query{})
	if err != nil || len(page.Mails) != 1 {
		t.Fatalf("List = %v, %v; want one mail", page, err)
	}
	want := mail.Stored{Mail: sent, ID: page.Mails[0].ID, Key: "key", SentAt: start.Add(time.Second)}
	want.From = "shop@example.com"
	if diff := cmp.Diff(want, page.Mails[0]); diff != "" {
		t.Errorf("the mailbox holds another mail (-want +got):\n%s", diff)
	}
	got, err := first.Get(t.Context(), want.ID)
	if err != nil || got != want {
		t.Errorf("Get = %v, %v; want the same mail", got, err)
	}
	if _, err := first.Get(t.Context(), "no such id"); !errors.Is(err, mail.ErrNotFound) {
		t.Errorf("Get of no such id = %v; want ErrNotFound", err)
	}
}

func TestMailboxListsNewestFirstInPages(t *testing.T) {
	t.Parallel()
	ticking := &clock{start}
	box := mail.NewMailbox(newTable(), mail.MailboxOptions{Now: func() time.Time {
		if now := ticking.read(); now.Second()%2 == 0 { // two mails of each instant
			return now
		}
		return ticking.now.Add(time.Second)
	}})
	const total = 450 // more than two pages of the index
	var want []string
	for i := range total {
		m := mailtest.Sample(fmt.Sprintf("mail %03d", i))
		m.InstanceID = fmt.Sprintf("order-%d", i%3)
		if err := box.Send(t.Context(), m.Subject, m); err != nil {
			t.Fatalf("Send: %v", err)
		}
		want = append(want, m.Subject)
	}
	slices.Reverse(want)

	var got []string
	query, pages := mail.Query{Limit: 100}, 0
	for ; pages == 0 || query.Continue != ""; pages++ {
		page, err := box.List(t.Context(), query)
		if err != nil {
			t.Fatalf("List: %v", err)
		}
		for i, m := range page.Mails {
			if i > 0 && m.SentAt.After(page.Mails[i-1].SentAt) {
				t.Errorf("%s is newer than the one before", m.Subject)
			}
			got = append(got, m.Subject)
		}
		query.Continue = page.Continue
	}
	if pages != 5 {
		t.Errorf("got %d pages; want 5", pages)
	}
	if whole := subjects(t, box, mail.Query{}); !slices.Equal(whole, got) {
		t.Error("the pages together differ from the whole list")
	}
	slices.Sort(got)
	slices.Sort(want)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("the pages hold other mail (-want +got):\n%s", diff)
	}
	if n := len(subjects(t, box, mail.Query{InstanceID: "order-1"})); n != total/3 {
		t.Errorf("got %d mails about order-1; want %d", n, total/3)
	}
}

func TestMailboxHoldsOneMailWhenAnAnswerIsLost(t *testing.T) {
	t.Parallel()
	lost := errors.New("answer lost")
	table := &faulty{Table: newTable(), after: func(backend.Item) error { return lost }}
	box := mail.NewMailbox(table, mail.MailboxOptions{})
	if err := box.Send(t.Context(), "key", mailtest.Sample("Hello")); !errors.Is(err, lost) {
		t.Fatalf("Send = %v; want %v", err, lost)
	}
	table.after = nil
	if err := box.Send(t.Context(), "key", mailtest.Sample("Hello")); err != nil {
		t.Fatalf("Send again = %v; want nil", err)
	}
	if got := subjects(t, box, mail.Query{}); len(got) != 1 {
		t.Errorf("the mailbox holds %q; want one mail", got)
	}
}

func TestMailboxHoldsTheLargestMail(t *testing.T) {
	t.Parallel()
	box := mail.NewMailbox(newTable(), mail.MailboxOptions{})
	largest := mail.Mail{
		To:      strings.Repeat("ü", 100) + " <ada@example.com>",
		Subject: strings.Repeat("\"", mail.MaxSubject), HTML: strings.Repeat("\"", mail.MaxBody),
		InstanceID: strings.Repeat("\"", mail.MaxID),
	}
	if err := box.Send(t.Context(), strings.Repeat("\x00", mail.MaxKey), largest); err != nil {
		t.Errorf("Send = %v; want nil", err)
	}
}

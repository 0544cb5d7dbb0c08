package ses_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/durable-lambda/durable-lambda/durable/backend/memory"
	"github.com/durable-lambda/durable-lambda/durable/mail"
	"github.com/durable-lambda/durable-lambda/durable/mail/mailtest"
	"github.com/durable-lambda/durable-lambda/durable/mail/ses"
)

func TestConformance(t *testing.T) {
	t.Parallel()
	t.Run("bare", func(t *testing.T) {
		t.Parallel()
		mailtest.Conformance(t, func(*testing.T) mailtest.Harness {
			api := &fakeSES{}
			return mailtest.Harness{Mailer: ses.New(api.client().SendRawEmail, ses.Options{}), Subjects: api.subjects}
		})
	})
	t.Run("behind a ledger", func(t *testing.T) {
		t.Parallel()
		mailtest.Conformance(t, func(*testing.T) mailtest.Harness {
			api := &fakeSES{}
			table := memory.New(memory.Options{}).Backend().Table
			ledger := mail.NewLedger(table, ses.New(api.client().SendRawEmail, ses.Options{}), mail.LedgerOptions{})
			return mailtest.Harness{Mailer: ledger, Subjects: api.subjects, Once: true}
		})
	})
}

func TestSendAsksForOneMail(t *testing.T) {
	t.Parallel()
	api := &fakeSES{}
	mailer := ses.New(api.client().SendRawEmail, ses.Options{
		From: "Größter Shop <shop@example.com>", ConfigurationSet: "orders", Tags: map[string]string{"stage": "prod", "app": "shop"},
	})
	m := mailtest.Sample("Hello")
	m.From, m.InstanceID = "", "order/1"
	if err := mailer.Send(t.Context(), "key", m); err != nil {
		t.Fatalf("Send: %v", err)
	}
	got := api.requests[0]
	delete(got, "RawMessage.Data")
	want := map[string]string{
		"Action": "SendRawEmail", "Version": "2010-12-01", "ConfigurationSetName": "orders",
		"Source": "shop@example.com", "Destinations.member.1": "ada@example.com",
		"Tags.member.1.Name": "app", "Tags.member.1.Value": "shop",
		"Tags.member.2.Name": "stage", "Tags.member.2.Value": "prod",
		"Tags.member.3.Name": ses.InstanceTag, "Tags.member.3.Value": ses.InstanceTagValue("order/1"),
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("SES was asked for something else (-want +got):\n%s", diff)
	}
}

func TestInstanceTagValue(t *testing.T) {
	t.Parallel()
	seen := map[string]string{}
	for id, prefix := range map[string]string{
		"order-1":                       "order-1",
		"order/1":                       "order_1-",
		"order_1":                       "order_1",
		"order:1":                       "order_1-",
		"注文":                            "__-",
		strings.Repeat("a", 256):        strings.Repeat("a", 256),
		strings.Repeat("a", 255) + "é":  strings.Repeat("a", 128) + "-",
		strings.Repeat("注", mail.MaxID): strings.Repeat("_", 128) + "-",
	} {
		got := ses.InstanceTagValue(id)
		if !strings.HasPrefix(got, prefix) || len(got) > 256 {
			t.Errorf("InstanceTagValue(%q) = %q; want it to begin with %q and to have at most 256 characters", id, got, prefix)
		}
		if other, ok := seen[got]; ok {
			t.Errorf("%q and %q have the same tag", id, other)
		}
		seen[got] = id
	}
}

func TestWrongOptionsAreNotTheMailsFault(t *testing.T) {
	t.Parallel()
	for name, o := range map[string]ses.Options{
		"no sender":          {},
		"sender":             {From: "shop"},
		"tag's name":         {From: "shop@example.com", Tags: map[string]string{"a b": "c"}},
		"tag's empty value":  {From: "shop@example.com", Tags: map[string]string{"a": ""}},
		"tag too long":       {From: "shop@example.com", Tags: map[string]string{"a": strings.Repeat("b", 257)}},
		"configuration set":  {From: "shop@example.com", ConfigurationSet: "or ders"},
		"line in the sender": {From: "shop@example.com\r\nBcc: eve@example.com"},
	} {
		api := &fakeSES{}
		m := mailtest.Sample("Hello")
		m.From = ""
		err := ses.New(api.client().SendRawEmail, o).Send(t.Context(), "key", m)
		if !errors.Is(err, mail.ErrNotSent) || errors.Is(err, mail.ErrInvalid) || len(api.requests) != 0 {
			t.Errorf("%s: Send = %v after %d requests; want an error that wraps only ErrNotSent, and none", name, err, len(api.requests))
		}
	}
}

func TestSendRefusesAddressesBeyondASCII(t *testing.T) {
	t.Parallel()
	for _, to := range []string{"jürgen@example.com", "Jürgen <j@bücher.example>"} {
		api := &fakeSES{}
		m := mailtest.Sample("Hello")
		m.To = to
		err := ses.New(api.client().SendRawEmail, ses.Options{}).Send(t.Context(), "key", m)
		if !errors.Is(err, mail.ErrInvalid) || !strings.Contains(err.Error(), "Punycode") || len(api.requests) != 0 {
			t.Errorf("Send to %s = %v; want an error that wraps ErrInvalid and speaks of Punycode", to, err)
		}
	}
}

func TestSendOfAnEndedContextIsNotSent(t *testing.T) {
	t.Parallel()
	api := &fakeSES{}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	err := ses.New(api.client().SendRawEmail, ses.Options{}).Send(ctx, "key", mailtest.Sample("Hello"))
	if !errors.Is(err, mail.ErrNotSent) || !errors.Is(err, context.Canceled) || len(api.requests) != 0 {
		t.Errorf("Send = %v; want ErrNotSent and context.Canceled", err)
	}
}

func TestSendOfAContextThatEndsMeanwhileIsUnknown(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	api := &fakeSES{answer: func(*http.Request) (*http.Response, error) { cancel(); return nil, context.Canceled }}
	err := ses.New(api.client().SendRawEmail, ses.Options{}).Send(ctx, "key", mailtest.Sample("Hello"))
	if errors.Is(err, mail.ErrNotSent) || errors.Is(err, mail.ErrInvalid) || !errors.Is(err, context.Canceled) {
		t.Errorf("Send = %v; want context.Canceled alone", err)
	}
}

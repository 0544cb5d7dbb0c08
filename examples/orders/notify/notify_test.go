package notify_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/durable-lambda/durable-lambda/durable"
	"github.com/durable-lambda/durable-lambda/durable/backend/memory"
	"github.com/durable-lambda/durable-lambda/durable/links"
	"github.com/durable-lambda/durable-lambda/durable/mail"
	"github.com/durable-lambda/durable-lambda/durable/mail/mailtest"
	"github.com/durable-lambda/durable-lambda/examples/orders"
	"github.com/durable-lambda/durable-lambda/examples/orders/notify"
)

func activity(t *testing.T) context.Context {
	return durable.WithActivityInfo(t.Context(), durable.ActivityInfo{Instance: "order-1001", Attempt: 1, Key: "the key"})
}

func status(step orders.Step) orders.StatusMail {
	return orders.StatusMail{
		Status: orders.Status{Step: step, Detail: "by <Bob> & co"}, Order: "1001", Total: "EUR 25.00",
		Customer: orders.Customer{Name: "Ada <Lovelace>", Email: "ada@example.com"},
	}
}

func TestSend(t *testing.T) {
	t.Parallel()
	var recorder mailtest.Recorder
	n := notify.Notifier{Mailer: &recorder, From: "shop@example.com"}
	for _, step := range []orders.Step{
		orders.Received, orders.AwaitingApproval, orders.Approved, orders.Rejected, orders.Shipped, orders.Billed,
		orders.Completed, orders.Refunded, orders.Failed,
	} {
		if _, err := n.Send(activity(t), status(step)); err != nil {
			t.Fatalf("%s: %v", step, err)
		}
		sent := recorder.Sent()
		got := sent[len(sent)-1]
		if got.Key != "the key" || got.To != "ada@example.com" || got.From != "shop@example.com" ||
			got.InstanceID != "order-1001" || got.Subject != "Order 1001: "+string(step) {
			t.Errorf("%s: sent %+v", step, got)
		}
		if strings.Contains(got.Text, "Lovelace>,\n\n\n") {
			t.Errorf("%s: there is no sentence for it:\n%s", step, got.Text)
		}
		if !strings.Contains(got.Text, "by <Bob> & co") || !strings.Contains(got.HTML, "by &lt;Bob&gt; &amp; co") || strings.Contains(got.HTML, "<Lovelace>") {
			t.Errorf("%s: text or HTML is wrong:\n%s\n%s", step, got.Text, got.HTML)
		}
	}
}

func TestAMailPromisesNoMoneyBackThatWasNotTaken(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		refunded  bool
		says, not string
	}{
		"charged":     {true, "your money is given back", "not charged"},
		"not charged": {false, "Your card was not charged", "refunded"},
	} {
		var recorder mailtest.Recorder
		s := status(orders.Refunded)
		s.Refunded = c.refunded
		if _, err := (notify.Notifier{Mailer: &recorder}).Send(activity(t), s); err != nil {
			t.Fatal(err)
		}
		m := recorder.Sent()[0]
		if m.Subject != "Order 1001: failed and refunded" {
			t.Errorf("%s: the subject is %q", name, m.Subject)
		}
		for _, body := range []string{m.Text, m.HTML} {
			if !strings.Contains(body, c.says) || strings.Contains(body, c.not) {
				t.Errorf("%s: want %q and not %q:\n%s", name, c.says, c.not, body)
			}
		}
	}
}

func TestWhatCanNeverBeSentIsPermanent(t *testing.T) {
	t.Parallel()
	down := errors.New("down")
	for name, c := range map[string]struct {
		err       error
		permanent bool
	}{
		"invalid":     {mail.ErrInvalid, true},
		"unconfirmed": {mail.ErrUnconfirmed, true},
		"busy":        {mail.ErrBusy, false},
		"down":        {down, false},
	} {
		recorder := mailtest.Recorder{Before: func(context.Context, string, mail.Mail) error { return c.err }}
		handler := notify.Notifier{Mailer: &recorder}.Handlers()[0]
		_, failure := handler.Do(activity(t), []byte(`{"step":"billed","order":"1","customer":{"email":"ada@example.com"}}`))
		if failure == nil || failure.Permanent != c.permanent {
			t.Errorf("%s: the activity's failure is %+v; want permanent %t", name, failure, c.permanent)
		}
	}
}

func FuzzWhatTheDoorAcceptsCanBeMailed(f *testing.F) {
	f.Add("1001", "Ada", "ada@example.com")
	f.Add("1", "=?utf-8?q?=0A?=", `"a b"@example.com`)
	f.Fuzz(func(t *testing.T, id, name, email string) {
		order := orders.Order{
			ID: id, Customer: orders.Customer{Name: name, Email: email}, Currency: "EUR",
			Items:   []orders.Item{{SKU: "A", Quantity: 1, UnitPrice: 1}},
			ShipTo:  orders.Address{Street: "1 Main St", City: "Berlin", Country: "DE"},
			Payment: orders.Card{Token: "tok_visa"},
		}
		if order.Check() != nil {
			return
		}
		n := notify.Notifier{Mailer: &mailtest.Recorder{}}
		if _, err := n.Send(activity(t), orders.StatusMail{Order: order.ID, Customer: order.Customer}); err != nil {
			t.Errorf("an order for %q, %q cannot be mailed about: %v", name, email, err)
		}
	})
}

// running is a client whose instances have ended, or run.
type running struct {
	durable.Client
	status durable.Status
}

func (r running) Get(_ context.Context, id string, _ ...durable.GetOption) (durable.Instance, error) {
	return durable.Instance{ID: id, Incarnation: "1", Status: r.status}, nil
}

func TestTheApproverHasTwoButtons(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		approver string
		status   durable.Status
		until    time.Duration
		want     int
	}{
		"asked":             {"boss@example.com", durable.Running, time.Hour, 2},
		"nobody to ask":     {"", durable.Running, time.Hour, 1},
		"ended meanwhile":   {"boss@example.com", durable.Terminated, time.Hour, 1},
		"too late":          {"boss@example.com", durable.Running, -time.Hour, 1},
		"of another status": {"boss@example.com", durable.Running, 0, 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ring := links.NewRing(time.Now())
			l, err := links.New(links.Config{Keys: func(context.Context) (links.Ring, error) { return ring, nil },
				Address: func(context.Context) (string, error) { return "https://shop.example.com", nil },
				Table:   memory.New(memory.Options{}).Backend().Table, Client: running{status: c.status}})
			if err != nil {
				t.Fatal(err)
			}
			s := status(orders.AwaitingApproval)
			if s.Until = time.Now().Add(c.until); c.until == 0 {
				s.Step = orders.Received
			}
			var recorder mailtest.Recorder
			n := notify.Notifier{Mailer: &recorder, Approver: c.approver}
			for range 2 { // two attempts of one call
				if _, err := n.Send(links.With(activity(t), l), s); err != nil {
					t.Fatal(err)
				}
			}
			sent := recorder.Sent()
			if len(sent) != 2*c.want {
				t.Fatalf("%d mails in two attempts, want %d in each", len(sent), c.want)
			}
			if c.want == 1 {
				return
			}
			asked := sent[1]
			if asked.To != "boss@example.com" || asked.Subject != "Approve order 1001?" || asked.Key == sent[0].Key || asked.Key != sent[3].Key ||
				strings.Count(asked.Text, "https://shop.example.com/links/") != 2 || strings.Count(asked.HTML, `href="https://shop.example.com/links/`) != 2 || strings.Contains(asked.HTML, "<Lovelace>") {
				t.Errorf("the mail is %+v", asked)
			}
		})
	}
}

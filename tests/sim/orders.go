package sim

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"

	"github.com/durable-lambda/durable-lambda/durable"
	"github.com/durable-lambda/durable-lambda/durable/backend"
	"github.com/durable-lambda/durable-lambda/durable/history"
	"github.com/durable-lambda/durable-lambda/durable/mail"
	"github.com/durable-lambda/durable-lambda/examples/orders"
	"github.com/durable-lambda/durable-lambda/examples/orders/fulfilment"
	"github.com/durable-lambda/durable-lambda/examples/orders/notify"
	"github.com/durable-lambda/durable-lambda/examples/orders/shop"
)

// orderHandlers are the example's bodies over the actor's view of the table.
func (a *actor) orderHandlers() []durable.Handler {
	t := a.ports().Table
	bodies := shop.Embedded(t).Handlers()
	bodies = append(bodies, notify.Notifier{Mailer: mail.NewMailbox(t, mail.MailboxOptions{Now: a.now})}.Handlers()...)
	for i := range bodies {
		do := bodies[i].Do
		bodies[i].Do = func(ctx context.Context, input []byte) ([]byte, *history.Failure) {
			a.ran(ctx)
			return do(ctx, input)
		}
	}
	return append(bodies, orders.ProcessOrder.Bind(fulfilment.ProcessOrder))
}

func orderInput(r *rand.Rand, instance string) any {
	return orders.Input{Order: orders.Order{
		ID: strings.TrimPrefix(instance, "order-"), Customer: orders.Customer{Name: "Ada", Email: "ada@example.com"}, Currency: "EUR",
		Items:   []orders.Item{{SKU: pick(r, "BOOK-1", "BOOK-1", "BOOK-2", "SOLD-OUT-1"), Quantity: 2, UnitPrice: pick[int64](r, 1250, 250_000)}},
		ShipTo:  orders.Address{Street: "1 Main St", City: "Berlin", Postcode: "10115", Country: pick(r, "DE", "DE", "ZZ")},
		Payment: orders.Card{Token: pick(r, "tok_visa", "tok_flaky", "tok_declined")},
	}}
}

func approval(r *rand.Rand) (string, any) {
	return "approval", orders.Decision{Approved: chance(r, 0.7), By: "Grace"}
}

// wantOrder: what was charged, held and shipped stays so exactly when the order completed, and each status was mailed once.
func wantOrder(w *World, l *life) error {
	// An activity's last attempt may have met a table that does not answer.
	if l.end.Kind == history.ExecutionFailed && l.end.Failure.Kind == "" && !strings.Contains(l.end.Failure.Message, "sim: ") {
		return fmt.Errorf("it failed of no kind: %s", l.end.Failure.Message)
	}
	var in orders.Input
	if err := json.Unmarshal(l.start.Data.Bytes, &in); err != nil {
		return err
	}
	mails := 0
	for _, item := range w.memory.Items() {
		if strings.HasPrefix(item.Partition, "shop#") && strings.HasSuffix(item.Partition, "#"+string(in.Order.Reference())) {
			if err := wantRecord(l, item); err != nil {
				return err
			}
		}
		if strings.HasPrefix(item.Partition, "mail#") && item.Sort == "mail" && strings.Contains(string(item.Value), l.instance) {
			mails++
		}
	}
	want := 0
	for _, o := range l.ops {
		if o.command.Kind == history.TaskScheduled && o.command.Name == orders.SendStatus.Name() {
			want++
		}
	}
	if mails != want {
		return fmt.Errorf("%d mails were sent, want %d", mails, want)
	}
	return nil
}

func wantRecord(l *life, item backend.Item) error {
	var e struct{ State string }
	if err := json.Unmarshal(item.Value, &e); err != nil {
		return err
	}
	completed := l.end.Kind == history.ExecutionCompleted
	if completed && e.State != "done" || !completed && e.State == "done" {
		return fmt.Errorf("%s is %s, and the order is %s", item.Partition, e.State, l.end.Kind)
	}
	return nil
}

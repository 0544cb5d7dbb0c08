package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/durable-lambda/durable-lambda/examples/orders"
)

func (r *smokeRun) order(ctx context.Context, d *deployment) (string, error) {
	begin := time.Now()
	o := newOrder("first", 1250)
	if err := r.place(ctx, d, o); err != nil {
		return "", err
	}
	accepted := time.Since(begin)
	d.first = o.InstanceID()
	done, err := d.door.completed(ctx, r.pace, d.first)
	return fmt.Sprintf("accepted after %s; %s", seconds(accepted), done.CustomStatus.Detail), err
}

// place sends an order to the API, and checks that the answer leads back there.
func (r *smokeRun) place(ctx context.Context, d *deployment, o orders.Order) error {
	var links struct{ StatusQueryGetURI string }
	if err := d.door.send(ctx, http.MethodPost, "/orders", o, &links); err != nil {
		return err
	}
	// An emulator has no name of its own for each API, so what its events say leads nowhere.
	if !r.local() && !strings.HasPrefix(links.StatusQueryGetURI, d.door.url+instancePath(o.InstanceID())) {
		return fmt.Errorf("the answer links to %s, which is not the instance at %s", links.StatusQueryGetURI, d.door.url)
	}
	return nil
}

func (r *smokeRun) approval(ctx context.Context, d *deployment) (string, error) {
	begin := time.Now()
	o := newOrder("large", 250_000)
	if err := r.place(ctx, d, o); err != nil {
		return "", err
	}
	_, err := d.door.until(ctx, r.pace, o.InstanceID(), "it waits for approval", func(s status) bool {
		return s.CustomStatus.Step == string(orders.AwaitingApproval)
	})
	if err != nil {
		return "", err
	}
	waiting := time.Since(begin)
	path := instancePath(o.InstanceID()) + "/raiseEvent/" + orders.Approval.Name()
	if err := d.door.send(ctx, http.MethodPost, path, orders.Decision{Approved: true, By: "the smoke test"}, nil); err != nil {
		return "", err
	}
	_, err = d.door.completed(ctx, r.pace, o.InstanceID())
	return fmt.Sprintf("waited for it after %s, completed %s after it", seconds(waiting), seconds(time.Since(begin)-waiting)), err
}

func (r *smokeRun) queued(ctx context.Context, d *deployment) (string, error) {
	o := newOrder("queued", 1250)
	body, err := json.Marshal(o)
	if err != nil {
		return "", err
	}
	url := d.outputs["OrdersQueueUrl"]
	if _, err := r.queues.SendMessage(ctx, &sqs.SendMessageInput{QueueUrl: &url, MessageBody: aws.String(string(body))}); err != nil {
		return "", err
	}
	_, err = d.door.completed(ctx, r.pace, o.InstanceID())
	return "", err
}

// newOrder is an order of one item for the customer whose mails arrive.
func newOrder(id string, unitPrice int64) orders.Order {
	return orders.Order{
		ID: id, Customer: orders.Customer{Name: "Ada", Email: customer}, Currency: "EUR",
		Items:   []orders.Item{{SKU: "BOOK-1", Quantity: 2, UnitPrice: unitPrice}},
		ShipTo:  orders.Address{Street: "1 Main St", City: "Berlin", Postcode: "10115", Country: "DE"},
		Payment: orders.Card{Token: "tok_visa"},
	}
}

func orderJSON(id string, unitPrice int64) (string, error) {
	b, err := json.Marshal(newOrder(id, unitPrice))
	return string(b), err
}

package orders_test

import (
	"context"
	"encoding/json"
	"errors"
	"testing"
	"time"

	"github.com/durable-lambda/durable-lambda/durable"
	"github.com/durable-lambda/durable-lambda/examples/orders"
)

// fakeClient keeps what was started and runs nothing.
type fakeClient struct {
	durable.Client
	instances map[string]durable.Instance
	err       error
}

func (c *fakeClient) Start(_ context.Context, req durable.StartRequest) (durable.InstanceRef, error) {
	if c.err != nil {
		return durable.InstanceRef{}, c.err
	}
	old, taken := c.instances[req.ID]
	if taken && (req.Reuse == durable.ReuseNever || !old.Status.Ended()) {
		return durable.InstanceRef{}, durable.ErrExists
	}
	c.instances[req.ID] = durable.Instance{ID: req.ID, Name: req.Name, Input: req.Input, Status: durable.Pending}
	return durable.InstanceRef{ID: req.ID}, nil
}

func (c *fakeClient) Get(_ context.Context, id string, _ ...durable.GetOption) (durable.Instance, error) {
	found, ok := c.instances[id]
	if !ok {
		return durable.Instance{}, durable.ErrNotFound
	}
	return found, nil
}

func TestPlace(t *testing.T) {
	t.Parallel()
	client := &fakeClient{instances: map[string]durable.Instance{}}
	order := parse(t, sample)
	place := func(o orders.Order, window time.Duration) (string, error) {
		return orders.Place(t.Context(), client, o, window)
	}

	id, err := place(order, 0)
	if err != nil || id != "order-1001" {
		t.Fatalf("Place = %s, %v; want order-1001", id, err)
	}
	var in orders.Input
	if err := json.Unmarshal(client.instances[id].Input, &in); err != nil || time.Duration(in.ApprovalWindow) != 72*time.Hour {
		t.Errorf("the window is %v, %v; want 72 h", time.Duration(in.ApprovalWindow), err)
	}

	ended := client.instances[id]
	ended.Status = durable.Failed
	client.instances[id] = ended
	if id, err := place(order, time.Hour); err != nil || id != "order-1001" {
		t.Errorf("the same order after its end, under another window: %s, %v; want order-1001", id, err)
	}
	if client.instances[id].Status != durable.Failed {
		t.Error("the same order was started again")
	}

	other := parse(t, sample)
	other.Items[0].Quantity++
	if _, err := place(other, 0); !errors.Is(err, orders.ErrTaken) {
		t.Errorf("another order: %v; want ErrTaken", err)
	}

	foreign := client.instances[id]
	foreign.Name = "Hello"
	client.instances[id] = foreign
	if _, err := place(order, 0); !errors.Is(err, orders.ErrTaken) {
		t.Errorf("an instance of another orchestration: %v; want ErrTaken", err)
	}
}

func TestPlaceChecks(t *testing.T) {
	t.Parallel()
	client := &fakeClient{instances: map[string]durable.Instance{}}
	wrong := (*orders.FieldError)(nil)
	if _, err := orders.Place(t.Context(), client, orders.Order{}, 0); !errors.As(err, &wrong) || len(client.instances) != 0 {
		t.Errorf("Place = %v, started %v; want a *FieldError and nothing", err, client.instances)
	}
	client.err = errors.New("down")
	if _, err := orders.Place(t.Context(), client, parse(t, sample), 0); !errors.Is(err, client.err) {
		t.Errorf("Place = %v; want the client's error", err)
	}
}

package shop_test

import (
	"context"
	"errors"
	"sync"
	"testing"

	"github.com/durable-lambda/durable-lambda/durable"
	"github.com/durable-lambda/durable-lambda/durable/backend"
	"github.com/durable-lambda/durable-lambda/durable/backend/memory"
	"github.com/durable-lambda/durable-lambda/examples/orders"
	"github.com/durable-lambda/durable-lambda/examples/orders/shop"
)

func newTable() backend.Table { return memory.New(memory.Options{}).Backend().Table }

// port is one of the shop's ports with what is special about it taken away.
type port struct {
	do   func(ctx context.Context, key string, ref orders.Reference) (string, error)
	undo func(ctx context.Context, ref orders.Reference) (orders.Reversal, error)
}

func ports(s shop.Shop) map[string]port {
	return map[string]port{
		"inventory": {func(ctx context.Context, key string, ref orders.Reference) (string, error) {
			hold, err := s.Inventory.Reserve(ctx, key, orders.Reservation{Reference: ref, Items: []orders.Item{{SKU: "BOOK-1"}}})
			return hold.ID, err
		}, s.Inventory.Release},
		"carrier": {func(ctx context.Context, key string, ref orders.Reference) (string, error) {
			parcel, err := s.Carrier.Ship(ctx, key, orders.Shipment{Reference: ref, To: orders.Address{Country: "DE"}})
			return parcel.Tracking, err
		}, s.Carrier.Recall},
		"payments": {func(ctx context.Context, key string, ref orders.Reference) (string, error) {
			charge, err := s.Payments.Charge(ctx, key, orders.Payment{Reference: ref, Token: "tok_visa"})
			return charge.ID, err
		}, s.Payments.Refund},
	}
}

// everyPort runs test for each port, over a table that a second shop opens as after a restart.
func everyPort(t *testing.T, test func(t *testing.T, first, restarted port)) {
	for name := range ports(shop.Embedded(newTable())) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			table := newTable()
			test(t, ports(shop.Embedded(table))[name], ports(shop.Embedded(table))[name])
		})
	}
}

func TestTheSameKeyIsTheSameAnswer(t *testing.T) {
	t.Parallel()
	everyPort(t, func(t *testing.T, first, restarted port) {
		a, err := first.do(t.Context(), "key", "order-1")
		if err != nil || a == "" {
			t.Fatalf("do = %q, %v", a, err)
		}
		if b, err := restarted.do(t.Context(), "key", "order-1"); err != nil || b != a {
			t.Errorf("do again = %q, %v; want %q", b, err, a)
		}
		if _, err := restarted.do(t.Context(), "another key", "order-1"); !errors.Is(err, orders.Conflict) {
			t.Errorf("do under another key = %v; want Conflict", err)
		}
		if c, err := restarted.do(t.Context(), "key 2", "order-2"); err != nil || c == a {
			t.Errorf("do for another reference = %q, %v; want another answer", c, err)
		}
	})
}

func TestUndoneOnce(t *testing.T) {
	t.Parallel()
	everyPort(t, func(t *testing.T, first, restarted port) {
		if _, err := first.do(t.Context(), "key", "order-1"); err != nil {
			t.Fatal(err)
		}
		for range 2 {
			if r, err := restarted.undo(t.Context(), "order-1"); err != nil || !r.Reversed {
				t.Errorf("undo = %v, %v; want reversed", r, err)
			}
		}
		if _, err := first.do(t.Context(), "key", "order-1"); !errors.Is(err, orders.Cancelled) {
			t.Errorf("do after undo = %v; want Cancelled", err)
		}
	})
}

func TestALateDoIsRefused(t *testing.T) {
	t.Parallel()
	everyPort(t, func(t *testing.T, first, restarted port) {
		if r, err := first.undo(t.Context(), "order-1"); err != nil || r.Reversed {
			t.Errorf("undo of nothing = %v, %v; want not reversed", r, err)
		}
		if _, err := restarted.do(t.Context(), "key", "order-1"); !errors.Is(err, orders.Cancelled) {
			t.Errorf("late do = %v; want Cancelled", err)
		}
		if r, err := first.undo(t.Context(), "order-1"); err != nil || r.Reversed {
			t.Errorf("undo again = %v, %v; want not reversed", r, err)
		}
	})
}

func TestDoneOnceByMany(t *testing.T) {
	t.Parallel()
	everyPort(t, func(t *testing.T, first, restarted port) {
		var wg sync.WaitGroup
		answers := make([]string, 8)
		for i := range answers {
			wg.Go(func() {
				var err error
				if answers[i], err = first.do(t.Context(), "key", "order-1"); err != nil {
					t.Errorf("do = %v", err)
				}
			})
		}
		wg.Wait()
		for _, a := range answers {
			if a != answers[0] {
				t.Errorf("answers differ: %q", answers)
			}
		}
	})
}

func TestWhatFailsOnPurpose(t *testing.T) {
	t.Parallel()
	s := shop.Embedded(newTable())
	for range 5 {
		_, err := s.Inventory.Reserve(t.Context(), "k", orders.Reservation{
			Reference: "order-1", Items: []orders.Item{{SKU: "BOOK-1"}, {SKU: "SOLD-OUT-7", Quantity: 1}},
		})
		wantKind(t, err, orders.OutOfStock)
		_, err = s.Payments.Charge(t.Context(), "k", orders.Payment{Reference: "order-1", Token: "tok_declined"})
		wantKind(t, err, orders.Declined)
		_, err = s.Carrier.Ship(t.Context(), "k", orders.Shipment{Reference: "order-1", To: orders.Address{Country: "ZZ"}})
		wantKind(t, err, orders.CarrierTimeout)
	}
	for name, undo := range map[string]func(context.Context, orders.Reference) (orders.Reversal, error){
		"release": s.Inventory.Release, "refund": s.Payments.Refund, "recall": s.Carrier.Recall,
	} {
		if r, err := undo(t.Context(), "order-1"); err != nil || r.Reversed {
			t.Errorf("%s = %v, %v; want not reversed", name, r, err)
		}
	}
}

func wantKind(t *testing.T, err error, kind durable.ErrorKind) {
	t.Helper()
	if !errors.Is(err, kind) {
		t.Errorf("got %v; want an error of kind %s", err, kind)
	}
}

func TestFlakyFailsTwicePerKeyOverRestarts(t *testing.T) {
	t.Parallel()
	table := newTable()
	for _, ref := range []orders.Reference{"order-1", "order-2"} {
		var got []bool
		for range 4 {
			charge, err := shop.NewPayments(table).Charge(t.Context(), "key of "+string(ref), orders.Payment{Reference: ref, Token: "tok_flaky"})
			if err != nil {
				wantKind(t, err, orders.PaymentUnavailable)
			}
			got = append(got, charge.ID != "")
		}
		if want := [4]bool{false, false, true, true}; [4]bool(got) != want {
			t.Errorf("%s: attempts that worked: %v; want %v", ref, got, want)
		}
	}
}

// lossy loses the answers of puts.
type lossy struct{ backend.Table }

func (l lossy) Put(ctx context.Context, item backend.Item, cond backend.Condition) error {
	return errors.Join(l.Table.Put(ctx, item, cond), errors.New("answer lost"))
}

func TestALostAnswerChargesOnce(t *testing.T) {
	t.Parallel()
	table := newTable()
	pay := orders.Payment{Reference: "order-1", Token: "tok_visa"}
	if _, err := shop.NewPayments(lossy{table}).Charge(t.Context(), "key", pay); err == nil {
		t.Fatal("the answer was not lost")
	}
	if charge, err := shop.NewPayments(table).Charge(t.Context(), "key", pay); err != nil || charge.ID == "" {
		t.Errorf("Charge again = %v, %v; want the charge", charge, err)
	}
	if r, err := shop.NewPayments(table).Refund(t.Context(), "order-1"); err != nil || !r.Reversed {
		t.Errorf("Refund = %v, %v; want reversed", r, err)
	}
}

// overtaken lets something else happen just before a put.
type overtaken struct {
	backend.Table
	by func()
}

func (o *overtaken) Put(ctx context.Context, item backend.Item, cond backend.Condition) error {
	if by := o.by; by != nil {
		o.by = nil
		by()
	}
	return o.Table.Put(ctx, item, cond)
}

func TestACancellationThatComesBetweenWins(t *testing.T) {
	t.Parallel()
	for name, tries := range map[string]int{"first try": 0, "third try": 2} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			table := &overtaken{Table: newTable()}
			payments := shop.NewPayments(table)
			pay := orders.Payment{Reference: "order-1", Token: "tok_flaky"}
			for range tries {
				_, err := payments.Charge(t.Context(), "key", pay)
				wantKind(t, err, orders.PaymentUnavailable)
			}
			table.by = func() {
				if r, err := payments.Refund(t.Context(), "order-1"); err != nil || r.Reversed {
					t.Errorf("Refund = %v, %v; want nothing to reverse", r, err)
				}
			}
			_, err := payments.Charge(t.Context(), "key", pay)
			wantKind(t, err, orders.Cancelled)
			if errors.Is(err, orders.PaymentUnavailable) {
				t.Errorf("Charge = %v; want no word of the try that was overtaken", err)
			}
		})
	}
}

func TestHandlersPassTheIdempotencyKey(t *testing.T) {
	t.Parallel()
	table := newTable()
	handlers := shop.Embedded(table).Handlers()
	names := map[string]bool{}
	for _, h := range handlers {
		names[h.Name] = true
		if h.Name != orders.ChargeCard.Name() {
			continue
		}
		ctx := durable.WithActivityInfo(t.Context(), durable.ActivityInfo{Key: "the key"})
		if _, failure := h.Do(ctx, []byte(`{"reference":"order-1","token":"tok_visa"}`)); failure != nil {
			t.Fatal(failure.Message)
		}
	}
	if len(names) != 6 {
		t.Errorf("bound %v; want six activities", names)
	}
	if _, err := shop.NewPayments(table).Charge(t.Context(), "the key", orders.Payment{Reference: "order-1"}); err != nil {
		t.Errorf("Charge under the same key = %v; want nil", err)
	}
}

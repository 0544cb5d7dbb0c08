package orders_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/durable-lambda/durable-lambda/durable"
	"github.com/durable-lambda/durable-lambda/examples/orders"
)

const sample = `{"id":"1001","customer":{"name":"Ada","email":"ada@example.com"},"currency":"EUR",
 "items":[{"sku":"BOOK-1","quantity":2,"unitPrice":1250}],
 "shipTo":{"street":"1 Main St","city":"Berlin","postcode":"10115","country":"DE"},"payment":{"token":"tok_visa"}}`

func parse(t *testing.T, body string) orders.Order {
	t.Helper()
	order, err := orders.Parse([]byte(body))
	if err != nil {
		t.Fatalf("Parse: %v", err)
	}
	return order
}

func TestParse(t *testing.T) {
	t.Parallel()
	want := orders.Order{
		ID: "1001", Customer: orders.Customer{Name: "Ada", Email: "ada@example.com"}, Currency: "EUR",
		Items:   []orders.Item{{SKU: "BOOK-1", Quantity: 2, UnitPrice: 1250}},
		ShipTo:  orders.Address{Street: "1 Main St", City: "Berlin", Postcode: "10115", Country: "DE"},
		Payment: orders.Card{Token: "tok_visa"},
	}
	got := parse(t, sample)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("Parse (-want +got):\n%s", diff)
	}
	if got.InstanceID() != "order-1001" || got.Total() != 2500 || got.NeedsApproval() {
		t.Errorf("instance %s, total %d, needs approval %t", got.InstanceID(), got.Total(), got.NeedsApproval())
	}
}

// mistake is what is replaced in the sample, and the error that this is.
type mistake struct{ old, new, field, text string }

func wantMistakes(t *testing.T, mistakes map[string]mistake) {
	t.Helper()
	for name, m := range mistakes {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			wantFieldError(t, strings.Replace(sample, m.old, m.new, 1), m.field, m.text)
		})
	}
}

func TestParseNamesWhatIsWrong(t *testing.T) {
	t.Parallel()
	wantMistakes(t, map[string]mistake{
		"no id":             {`"id":"1001",`, ``, "id", "is missing"},
		"id with a slash":   {`"1001"`, `"a/b"`, "id", `contains '/'`},
		"id with a space":   {`"1001"`, `"a b"`, "id", `contains ' '`},
		"id in umlauts":     {`"1001"`, `"größe"`, "id", `contains 'ö'`},
		"long id":           {`1001`, strings.Repeat("1", 65), "id", "has 65 bytes; at most 64 are allowed"},
		"number as id":      {`"1001"`, `1001`, "id", "must be a string, not a number"},
		"no name":           {`"Ada"`, `" "`, "customer.name", "is missing"},
		"CR LF in name":     {`Ada`, `Ada\r\nBcc: eve@example.com`, "customer.name", `contains '\r'`},
		"long name":         {`Ada`, strings.Repeat("ä", 201), "customer.name", "has 201 characters"},
		"no email":          {`"ada@example.com"`, `""`, "customer.email", "is missing"},
		"malformed email":   {`ada@example.com`, `ada`, "customer.email", "must be an address"},
		"email with name":   {`ada@example.com`, `Ada <ada@example.com>`, "customer.email", "must be an address"},
		"LF in email":       {`ada@example.com`, `ada@example.com\n`, "customer.email", `contains '\n'`},
		"unknown currency":  {`EUR`, `EUX`, "currency", `got "EUX"`},
		"currency in lower": {`EUR`, `eur`, "currency", `got "eur"`},
		"part of the table": {`EUR`, `R F`, "currency", `got "R F"`},
	})
}

func TestParseNamesWhatIsWrongBelow(t *testing.T) {
	t.Parallel()
	wantMistakes(t, map[string]mistake{
		"no items":           {`[{"sku":"BOOK-1","quantity":2,"unitPrice":1250}]`, `[]`, "items", "is empty"},
		"items is an object": {`[{"sku":"BOOK-1","quantity":2,"unitPrice":1250}]`, `{}`, "items", "must be an array, not an object"},
		"no sku":             {`BOOK-1`, ``, "items[0].sku", "is missing"},
		"sku with a space":   {`BOOK-1`, `BOOK 1`, "items[0].sku", `contains ' '`},
		"quantity 0":         {`"quantity":2`, `"quantity":0`, "items[0].quantity", "must be from 1 to 10000; got 0"},
		"negative quantity":  {`"quantity":2`, `"quantity":-1`, "items[0].quantity", "must be from 1"},
		"too many":           {`"quantity":2`, `"quantity":10001`, "items[0].quantity", "must be from 1"},
		"half a piece":       {`"quantity":2`, `"quantity":0.5`, "items[0].quantity", "must be a whole number, not 0.5"},
		"huge quantity":      {`"quantity":2`, `"quantity":1e99`, "items[0].quantity", "must be a whole number, not 1e99"},
		"too many digits":    {`"quantity":2`, `"quantity":99999999999999999999`, "items[0].quantity", "must be a whole number of at most 18 digits, not 99999"},
		"quantity in words":  {`"quantity":2`, `"quantity":"two"`, "items[0].quantity", "must be a whole number, not a string"},
		"in the second item": {`"unitPrice":1250}`, `"unitPrice":1250},{"sku":"A","quantity":true}`, "items[1].quantity", "must be a whole number, not a boolean"},
		"item is a number":   {`{"sku":"BOOK-1","quantity":2,"unitPrice":1250}`, `{} , 5`, "items[1]", "must be an object, not a number"},
		"free of charge":     {`1250`, `0`, "items[0].unitPrice", "must be from 1"},
		"price of a planet":  {`1250`, `1000000000001`, "items[0].unitPrice", "must be from 1"},
		"no street":          {`1 Main St`, ``, "shipTo.street", "is missing"},
		"no city":            {`Berlin`, ``, "shipTo.city", "is missing"},
		"country by name":    {`"DE"`, `"Germany"`, "shipTo.country", `got "Germany"`},
		"country in lower":   {`"DE"`, `"de"`, "shipTo.country", `got "de"`},
		"no token":           {`tok_visa`, ``, "payment.token", "is missing"},
		"LF in token":        {`tok_visa`, `tok\n`, "payment.token", `contains '\n'`},
	})
	t.Run("too many items", func(t *testing.T) {
		t.Parallel()
		order := parse(t, sample)
		order.Items = slices.Repeat(order.Items, orders.MaxItems+1)
		body, _ := json.Marshal(order)
		wantFieldError(t, string(body), "items", "has 101 items")
	})
}

func TestParseIsStrict(t *testing.T) {
	t.Parallel()
	wantMistakes(t, map[string]mistake{
		"unknown field":    {`"id"`, `"coupon":1,"id"`, "", `unknown field "coupon"`},
		"field twice":      {`"id"`, `"ID":"1","id"`, "id", "is there twice"},
		"deep field twice": {`"sku"`, `"ſku":"A","sku"`, "items[0].sku", "is there twice"},
		"something after":  {`tok_visa"}}`, `tok_visa"}} {}`, "", "there is something after the order"},
		"garbage after":    {`tok_visa"}}`, `tok_visa"}} x`, "", "there is something after the order"},
		"cut short":        {`tok_visa"}}`, `tok_visa"}`, "", "the body is not valid JSON"},
		"no JSON":          {`{"id"`, `id`, "", "the body is not valid JSON"},
	})
	for name, body := range map[string]string{"empty": "", "blank": " \n", "null": "null", "array": "[]", "string": `"x"`} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			wantFieldError(t, body, map[bool]string{true: "id"}[name == "null"], "")
		})
	}
}

func wantFieldError(t *testing.T, body, field, text string) {
	t.Helper()
	_, err := orders.Parse([]byte(body))
	var wrong *orders.FieldError
	if !errors.As(err, &wrong) {
		t.Fatalf("Parse(%s) = %v; want a *FieldError", body, err)
	}
	if wrong.Field != field || !strings.Contains(wrong.Problem, text) {
		t.Errorf("Parse names the field %q, problem %q; want %q, %q", wrong.Field, wrong.Problem, field, text)
	}
	if !strings.HasPrefix(err.Error(), field) {
		t.Errorf("the error %q does not begin with the field", err)
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(sample))
	f.Add([]byte(`{"id":"1","id":"2"}`))
	f.Add([]byte(strings.Repeat("[", 20000)))
	f.Fuzz(func(t *testing.T, body []byte) {
		order, err := orders.Parse(body)
		if err != nil {
			if wrong := (*orders.FieldError)(nil); !errors.As(err, &wrong) {
				t.Fatalf("Parse = %v; want a *FieldError", err)
			}
			return
		}
		if order.Total() <= 0 || strings.ContainsAny(order.InstanceID(), "/\\#?\r\n") {
			t.Errorf("Parse accepted %+v", order)
		}
		again, err := json.Marshal(order)
		if err != nil {
			t.Fatal(err)
		}
		if second, err := orders.Parse(again); err != nil || !second.Equal(order) {
			t.Errorf("written and read again, the order is %+v, %v; want %+v", second, err, order)
		}
	})
}

func TestNeedsApproval(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		currency string
		minor    int64
		want     bool
		text     string
	}{
		{"EUR", 100_000, false, "EUR 1000.00"},
		{"EUR", 100_001, true, "EUR 1000.01"},
		{"JPY", 1000, false, "JPY 1000"},
		{"JPY", 1001, true, "JPY 1001"},
		{"KWD", 1_000_000, false, "KWD 1000.000"},
		{"KWD", 1_000_001, true, "KWD 1000.001"},
		{"USD", 5, false, "USD 0.05"},
	} {
		order := orders.Order{Currency: c.currency, Items: []orders.Item{{Quantity: 1, UnitPrice: c.minor}}}
		if got := order.NeedsApproval(); got != c.want {
			t.Errorf("NeedsApproval of %d %s = %t; want %t", c.minor, c.currency, got, c.want)
		}
		if got := orders.FormatAmount(c.minor, c.currency); got != c.text {
			t.Errorf("FormatAmount = %s; want %s", got, c.text)
		}
	}
}

func TestTotalAtTheLimits(t *testing.T) {
	t.Parallel()
	order := parse(t, sample)
	order.Items = slices.Repeat([]orders.Item{{SKU: "A", Quantity: orders.MaxQuantity, UnitPrice: orders.MaxUnitPrice}}, orders.MaxItems)
	if err := order.Check(); err != nil {
		t.Fatal(err)
	}
	if got, want := order.Total(), int64(1_000_000_000_000_000_000); got != want {
		t.Errorf("Total = %d; want %d", got, want)
	}
}

func TestInputIsReadable(t *testing.T) {
	t.Parallel()
	in := orders.Input{Order: parse(t, sample), ApprovalWindow: orders.Window(72 * time.Hour)}
	data, err := json.Marshal(in)
	if err != nil || !strings.HasSuffix(string(data), `"approvalWindow":"72h0m0s"}`) {
		t.Errorf("Marshal = %s, %v", data, err)
	}
	got, err := orders.ProcessOrder.DecodeInput(data)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(in, got); diff != "" {
		t.Errorf("DecodeInput (-want +got):\n%s", diff)
	}
}

func TestInputNeedsAnOrder(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ data, text string }{
		"a bare order":                {sample, `the input needs an "order"`},
		"no members":                  {`{}`, `the input needs an "order"`},
		"null":                        {`null`, `the input needs an "order"`},
		"a null order":                {`{"order":null}`, `the input needs an "order"`},
		"a number":                    {`7`, "cannot unmarshal number"},
		"items of a kind":             {`{"order":{"items":{}}}`, "of type"},
		"a window of ages":            {`{"order":{},"approvalWindow":"ages"}`, `invalid duration "ages"`},
		"a bare order, encoded twice": {`"{\"id\":\"1001\"}"`, `the input needs an "order"`},
	} {
		if _, err := orders.ProcessOrder.CheckInput([]byte(c.data)); err == nil || !strings.Contains(err.Error(), c.text) {
			t.Errorf("%s: CheckInput = %v; want an error with %q", name, err, c.text)
		}
	}
	for name, data := range map[string]string{
		"an order":               `{"order":` + sample + `}`,
		"and what is unknown":    `{"order":` + sample + `,"note":"x"}`,
		"in capitals":            `{"ORDER":` + sample + `}`,
		"encoded twice":          string(quote(t, `{"order":`+sample+`}`)),
		"an order that is wrong": `{"order":{}}`, // Check says what is wrong with it
	} {
		if _, err := orders.ProcessOrder.CheckInput([]byte(data)); err != nil {
			t.Errorf("%s: CheckInput = %v; want nil", name, err)
		}
	}
}

func quote(t *testing.T, s string) []byte {
	t.Helper()
	b, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestDecision(t *testing.T) {
	t.Parallel()
	for data, want := range map[string]struct {
		decision orders.Decision
		ok       bool
	}{
		`{"approved":true,"by":"Bob","comment":"fine"}`: {orders.Decision{Approved: true, By: "Bob", Comment: "fine"}, true},
		`{"approved":false}`:                            {orders.Decision{}, true},
		`{"approve":true}`:                              {},
		`{}`:                                            {},
		`{"approved":"true"}`:                           {},
		`true`:                                          {},
	} {
		var got orders.Decision
		if err := json.Unmarshal([]byte(data), &got); (err == nil) != want.ok || got != want.decision {
			t.Errorf("%s: %+v, %v; want %+v, ok %t", data, got, err, want.decision, want.ok)
		}
	}
}

func TestKindsSurviveWrapping(t *testing.T) {
	t.Parallel()
	if err := fmt.Errorf("the bank refuses: %w", orders.Declined); !errors.Is(err, durable.ErrorKind("CardDeclined")) {
		t.Errorf("%v is no CardDeclined", err)
	}
}

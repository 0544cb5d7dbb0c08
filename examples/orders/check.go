package orders

import (
	"fmt"
	"math"
	"net/mail"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Limits of an order.
const (
	MaxID        = 64     // bytes of an order's id
	MaxItems     = 100    // items of one order
	MaxQuantity  = 10_000 // pieces of one item
	MaxUnitPrice = 1_000_000_000_000
	MaxText      = 200 // characters of a name, street or city
	MaxEmail     = 254 // bytes: what RFC 5321 lets a path hold
	MaxToken     = 200 // bytes of a payment token
)

// Within these limits the total of an order cannot overflow: otherwise this does not compile.
const _ = uint64(math.MaxInt64 - MaxItems*MaxQuantity*MaxUnitPrice)

// FieldError says which field of an order is wrong.
type FieldError struct {
	// Field is the path of the field as it is written in JSON, such as "items[2].quantity". Empty is the whole order.
	Field   string
	Problem string
}

func (e *FieldError) Error() string {
	if e.Field == "" {
		return e.Problem
	}
	return e.Field + " " + e.Problem
}

func wrong(field, format string, args ...any) error {
	return &FieldError{Field: field, Problem: fmt.Sprintf(format, args...)}
}

// Check refuses an order that cannot be processed. The error is a *FieldError that names the first field that is wrong.
func (o Order) Check() error {
	if err := checkID(o.ID); err != nil {
		return err
	}
	if err := o.Customer.check(); err != nil {
		return err
	}
	if _, ok := decimals(o.Currency); !ok {
		return wrong("currency", "must be a currency code of ISO 4217, such as EUR; got %q", short(o.Currency))
	}
	switch {
	case len(o.Items) == 0:
		return wrong("items", "is empty; an order has at least one item")
	case len(o.Items) > MaxItems:
		return wrong("items", "has %d items; at most %d are allowed", len(o.Items), MaxItems)
	}
	for i, item := range o.Items {
		if err := item.check(fmt.Sprintf("items[%d].", i)); err != nil {
			return err
		}
	}
	if err := o.ShipTo.check(); err != nil {
		return err
	}
	return checkCode("payment.token", o.Payment.Token, MaxToken)
}

// checkID keeps ids usable in instance ids, URLs and mail subjects.
func checkID(id string) error {
	switch {
	case id == "":
		return wrong("id", "is missing")
	case len(id) > MaxID:
		return wrong("id", "has %d bytes; at most %d are allowed", len(id), MaxID)
	}
	for _, r := range id {
		letter := 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9'
		if !letter && !strings.ContainsRune("-_.", r) {
			return wrong("id", "contains %q; letters and digits of ASCII and - _ . are allowed", r)
		}
	}
	return nil
}

func (c Customer) check() error {
	if err := checkText("customer.name", c.Name, true, MaxText); err != nil {
		return err
	}
	const field = "customer.email"
	if err := checkText(field, c.Email, true, MaxEmail); err != nil {
		return err
	}
	parsed, err := mail.ParseAddress(c.Email)
	if err != nil || parsed.Address != c.Email {
		return wrong(field, "must be an address such as ada@example.com; got %q", short(c.Email))
	}
	if len(c.Email) > MaxEmail || strings.LastIndexByte(c.Email, '@') > 64 {
		return wrong(field, "is too long: at most %d bytes are allowed, and 64 before the @", MaxEmail)
	}
	return nil
}

func (i Item) check(path string) error {
	if err := checkCode(path+"sku", i.SKU, MaxID); err != nil {
		return err
	}
	if i.Quantity < 1 || i.Quantity > MaxQuantity {
		return wrong(path+"quantity", "must be from 1 to %d; got %d", MaxQuantity, i.Quantity)
	}
	if i.UnitPrice < 1 || i.UnitPrice > MaxUnitPrice {
		return wrong(path+"unitPrice", "must be from 1 to %d minor units; got %d", int64(MaxUnitPrice), i.UnitPrice)
	}
	return nil
}

func (a Address) check() error {
	if err := checkText("shipTo.street", a.Street, true, MaxText); err != nil {
		return err
	}
	if err := checkText("shipTo.city", a.City, true, MaxText); err != nil {
		return err
	}
	// Some countries have no postcodes.
	if err := checkText("shipTo.postcode", a.Postcode, false, 20); err != nil {
		return err
	}
	if len(a.Country) != 2 || strings.Trim(a.Country, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") != "" {
		return wrong("shipTo.country", "must be a country code of ISO 3166, such as DE; got %q", short(a.Country))
	}
	return nil
}

// checkText checks a line that a person wrote.
func checkText(field, s string, required bool, limit int) error {
	if required && strings.TrimSpace(s) == "" {
		return wrong(field, "is missing")
	}
	if !utf8.ValidString(s) {
		return wrong(field, "is not valid UTF-8")
	}
	for _, r := range s {
		if unicode.IsControl(r) || r == '\u2028' || r == '\u2029' {
			return wrong(field, "contains %q; line breaks and control characters are not allowed", r)
		}
	}
	if n := utf8.RuneCountInString(s); n > limit {
		return wrong(field, "has %d characters; at most %d are allowed", n, limit)
	}
	return nil
}

// checkCode checks a word that a machine made.
func checkCode(field, s string, limit int) error {
	switch {
	case s == "":
		return wrong(field, "is missing")
	case len(s) > limit:
		return wrong(field, "has %d bytes; at most %d are allowed", len(s), limit)
	}
	for _, r := range s {
		if r <= ' ' || r > '~' {
			return wrong(field, "contains %q; printable ASCII without spaces is allowed", r)
		}
	}
	return nil
}

func short(s string) string {
	const limit = 40
	if utf8.RuneCountInString(s) <= limit {
		return s
	}
	return string([]rune(s)[:limit]) + "…"
}

package client

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/durable-lambda/durable-lambda/durable"
	"github.com/durable-lambda/durable-lambda/durable/history"
	"github.com/durable-lambda/durable-lambda/durable/store"
)

// defaultPage is how many instances List returns when nobody says.
const defaultPage = 100

// List returns instances, newest first. A Continue that no page of this query returned is ErrInvalid.
func (c *Client) List(ctx context.Context, q durable.Query) (durable.Page, error) {
	rows, next, err := c.list(ctx, q)
	if err != nil {
		return durable.Page{}, err
	}
	page := durable.Page{Continue: next}
	for _, row := range rows {
		in, there, err := c.view(ctx, row, !q.NoInput)
		if err != nil {
			return durable.Page{}, err
		}
		if !there {
			continue
		}
		page.Instances = append(page.Instances, in)
	}
	return page, nil
}

// list reads the rows of a page.
func (c *Client) list(ctx context.Context, q durable.Query) ([]*history.Row, string, error) {
	sel := store.Selection{From: q.From, To: q.To, Limit: q.Limit}
	if sel.Limit <= 0 {
		sel.Limit = defaultPage
	}
	place, _, _ := strings.Cut(q.Continue, ".")
	if q.Continue != "" && q.Continue != token(&q, place) {
		return nil, "", badContinue(q.Continue)
	}
	sel.After = place
	if len(q.Statuses) > 0 {
		ended := func(s durable.Status) bool { return s.Ended() }
		sel.OpenOnly = !slices.ContainsFunc(q.Statuses, ended)
		sel.ClosedOnly = !slices.ContainsFunc(q.Statuses, func(s durable.Status) bool { return !ended(s) })
	}
	sel.Name = func(orchestration, instance string) bool {
		return strings.HasPrefix(instance, q.IDPrefix) && (len(q.Names) == 0 || slices.Contains(q.Names, orchestration))
	}
	text := strings.ToLower(q.Text)
	sel.Row = func(row *history.Row) bool { return selects(&q, text, row) }
	rows, next, err := c.store.List(ctx, sel)
	if errors.Is(err, store.ErrPlace) {
		return nil, "", badContinue(q.Continue)
	}
	if err != nil || next == "" {
		return rows, "", err
	}
	return rows, token(&q, next), nil
}

func badContinue(s string) error {
	return fmt.Errorf("list: %w: %q is not what a page of this query returned to go on with", durable.ErrInvalid, s)
}

// token is where a query goes on. A sum keeps it from being taken for another query's; it is no secret, because whoever may
// list may list from anywhere.
func token(q *durable.Query, place string) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%q %q %d %d %q %q %q %q %q", place, q.IDPrefix, q.From.UnixMilli(), q.To.UnixMilli(),
		q.Statuses, q.Names, q.Tags, q.CustomStatus, q.Text)) // fmt prints maps in the order of their keys
	return place + "." + hex.EncodeToString(sum[:8])
}

// selects reports whether a query wants a row. Text is what it looks for, in lower case.
func selects(q *durable.Query, text string, row *history.Row) bool {
	if len(q.Statuses) > 0 && !slices.Contains(q.Statuses, statuses[row.Status]) {
		return false
	}
	var tags map[string]string
	if row.Start.Start != nil {
		tags = row.Start.Start.Tags
	}
	for k, v := range q.Tags {
		if got, ok := tags[k]; !ok || got != v {
			return false
		}
	}
	custom := plain(row.Custom.Bytes)
	if !strings.Contains(custom, q.CustomStatus) {
		return false
	}
	has := func(s string) bool { return strings.Contains(strings.ToLower(s), text) }
	if text == "" || has(row.Instance) || has(row.Start.Name) || has(custom) {
		return true
	}
	for k, v := range tags {
		if has(k) || has(v) {
			return true
		}
	}
	return false
}

// plain is a JSON string's text, or the JSON of anything else.
func plain(data []byte) string {
	var s string
	if json.Unmarshal(data, &s) == nil {
		return s
	}
	return string(data)
}

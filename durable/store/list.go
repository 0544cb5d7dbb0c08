package store

import (
	"context"
	"errors"
	"regexp"
	"slices"
	"time"

	"github.com/durable-lambda/durable-lambda/durable/backend"
	"github.com/durable-lambda/durable-lambda/durable/history"
)

// Selection says which rows List returns. Zero fields select everything.
type Selection struct {
	// OpenOnly and ClosedOnly narrow the index that is read.
	OpenOnly, ClosedOnly bool
	// From and To bound the time of creation, both inclusive.
	From, To time.Time
	// Name is asked before the row is read, Row after.
	Name func(orchestration, instance string) bool
	Row  func(*history.Row) bool
	// Limit of rows; must be positive.
	Limit int
	// After is the next of the page before, or empty.
	After string
}

// ErrPlace: Selection.After is no place that List returned.
var ErrPlace = errors.New("store: this is no place in a list")

// place is what indexSort makes of a time and an incarnation.
var place = regexp.MustCompile(`^[0-9]{13}#[0-9A-HJKMNP-TV-Z]{26}$`)

// Place is where a row is in a list: what comes after it is listed after that.
func Place(row *history.Row) string { return indexSort(row.Start.At, row.Incarnation) }

// listScan bounds how many index entries one call of List looks at.
const listScan = 2000

// List returns rows, newest first, and where to go on; an empty place means there are no more. The index only hints:
// every row is read again, and may have changed since it was listed. An instance keeps its place for life, whether it is open or
// closed. ErrPlace.
func (s *Store) List(ctx context.Context, sel Selection) (rows []*history.Row, next string, err error) {
	if sel.After != "" && !place.MatchString(sel.After) {
		return nil, "", ErrPlace
	}
	cursors := s.cursors(sel)
	seen := map[string]bool{}
	for range listScan {
		entry, err := nextEntry(ctx, s.b.Table, cursors)
		if err != nil || entry == nil {
			return rows, "", err
		}
		next = entry.IndexEntry.Sort
		id := instanceOf(entry.Key)
		if seen[id] || sel.Name != nil && !sel.Name(string(entry.Summary), id) {
			continue
		}
		row, err := s.Row(ctx, id)
		if err == nil && row != nil {
			row, err = s.Begun(ctx, row)
		}
		if err != nil {
			return nil, "", err
		}
		if row == nil || row.Purged || indexSort(row.Start.At, row.Incarnation) != next || sel.Row != nil && !sel.Row(row) {
			continue // gone, replaced by a newer life that is listed elsewhere, or not wanted
		}
		seen[id] = true
		if rows = append(rows, row); len(rows) == sel.Limit {
			break
		}
	}
	return rows, next, nil
}

// cursor walks one partition of the index.
type cursor struct {
	partition, from, to string
	page                []backend.Indexed
	done                bool
	// closed walks where the instances go from here when they end.
	closed *cursor
}

// refill reads the next page.
func (c *cursor) refill(ctx context.Context, t backend.Table) error {
	page, err := t.Index(ctx, c.partition, c.from, c.to, cursorPage)
	if err != nil {
		return err
	}
	c.page, c.done = page, len(page) < cursorPage
	if len(page) > 0 {
		c.from = page[len(page)-1].IndexEntry.Sort + "\x00"
	}
	return nil
}

const cursorPage = 100

func (s *Store) cursors(sel Selection) []*cursor {
	from, to := "", ""
	if !sel.To.IsZero() {
		from = indexSort(sel.To, "")
	}
	if !sel.From.IsZero() {
		to = indexSort(sel.From, "") + "~" // after every incarnation of that time
	}
	if sel.After >= from && sel.After != "" {
		from = sel.After + "\x00"
	}
	var out []*cursor
	for shard := range shards {
		open := &cursor{partition: indexPartition(false, shard), from: from, to: to}
		closed := &cursor{partition: indexPartition(true, shard), from: from, to: to}
		switch {
		case sel.ClosedOnly:
			out = append(out, closed)
		case sel.OpenOnly:
			out = append(out, open)
		default:
			open.closed = closed
			out = append(out, open, closed)
		}
	}
	return out
}

// nextEntry takes the first entry of all cursors; nil when there is none left.
func nextEntry(ctx context.Context, t backend.Table, cursors []*cursor) (*backend.Indexed, error) {
	for _, c := range cursors {
		if len(c.page) > 0 || c.done {
			continue
		}
		from, first := c.from, c.page == nil
		if err := c.refill(ctx, t); err != nil {
			return nil, err
		}
		if c.closed != nil && !first { // what has ended since those were read is in neither page
			c.closed.page, c.closed.done, c.closed.from = nil, false, from
		}
	}
	open := slices.DeleteFunc(slices.Clone(cursors), func(c *cursor) bool { return len(c.page) == 0 })
	if len(open) == 0 {
		return nil, nil
	}
	first := slices.MinFunc(open, func(a, b *cursor) int {
		if a.page[0].IndexEntry.Sort < b.page[0].IndexEntry.Sort {
			return -1
		}
		return 1
	})
	entry := first.page[0]
	first.page = first.page[1:]
	return &entry, nil
}

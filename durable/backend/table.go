package backend

import (
	"context"
	"time"
)

// Key names an item: items of one partition are ordered by the bytes of Sort. Neither part may be empty.
type Key struct{ Partition, Sort string }

// Sequence orders the versions of an item: by Generation, then by Number.
type Sequence struct{ Generation, Number uint64 }

// Less reports whether s is before t.
func (s Sequence) Less(t Sequence) bool {
	return s.Generation < t.Generation || s.Generation == t.Generation && s.Number < t.Number
}

// Item is one entry of a table. Adapters compare Owner and Sequence and never look into Value.
type Item struct {
	Key
	// Owner says whose item this is: the nonce of the put that made it, or the incarnation it belongs to.
	Owner string
	// Sequence is the item's version under its owner.
	Sequence Sequence
	Value    []byte
	// Expires is when the item may vanish by itself, to the second; zero is never. An expired item may still be seen for days.
	Expires time.Time
	// Index, when set, lists the item in the table's one secondary index.
	Index *IndexEntry
}

// IndexEntry is what the index knows of an item: where it is listed, and a summary that is returned without reading the item.
// Entries of one index partition are ordered by the bytes of Sort, then by the item's key.
type IndexEntry struct {
	Partition, Sort string
	Summary         []byte
}

// Indexed is one answer of Table.Index.
type Indexed struct {
	Key // of the item
	IndexEntry
}

// Table is an ordered key-value store with conditional puts.
//
// Every method is atomic for one item. When a mutating method returns nil its effect is durable: it survives the loss of
// the process and of whatever was not synced. When it returns an error other than *ConditionError the effect is unknown:
// it may have happened, and it may never be retried under the assumption that it did not.
//
// Get and Query are strongly consistent: they see every mutation that returned before they were called. Index is
// eventually consistent: its answers are hints. Values passed in are copied or consumed before the call returns; values
// handed out belong to the caller.
type Table interface {
	// Get returns the item, or nil when there is none.
	Get(ctx context.Context, key Key) (*Item, error)
	// Put stores item whole if cond holds. A condition that does not hold is a *ConditionError with the item found.
	Put(ctx context.Context, item Item, cond Condition) error
	// Delete removes the item; deleting what is not there is no error.
	Delete(ctx context.Context, key Key) error
	// Query returns, in order, up to limit items of one partition with from <= Sort < to. An empty to has no upper end.
	// Fewer than limit items means there are no more. Limit must be positive.
	Query(ctx context.Context, partition, from, to string, limit int) ([]Item, error)
	// Index returns, in order, up to limit index entries of one index partition with from <= Sort < to, as Query does.
	Index(ctx context.Context, partition, from, to string, limit int) ([]Indexed, error)
}

// Condition guards a Put. The zero Condition always holds.
type Condition struct {
	kind  conditionKind
	owner string
	seq   Sequence
}

type conditionKind uint8

const (
	always conditionKind = iota
	absent
	owned
	ownedBefore
	ownedAt
)

// Always holds whatever is there.
func Always() Condition { return Condition{} }

// Absent holds when there is no item under the key.
func Absent() Condition { return Condition{kind: absent} }

// Owned holds when there is an item and its owner is owner.
func Owned(owner string) Condition { return Condition{kind: owned, owner: owner} }

// OwnedBefore holds when there is an item of owner whose sequence is less than seq.
func OwnedBefore(owner string, seq Sequence) Condition {
	return Condition{kind: ownedBefore, owner: owner, seq: seq}
}

// OwnedAt holds when there is an item of owner whose sequence is exactly seq.
func OwnedAt(owner string, seq Sequence) Condition {
	return Condition{kind: ownedAt, owner: owner, seq: seq}
}

// Holds reports whether the condition holds for the item found, nil for none. It is the definition that adapters
// which cannot push the condition down evaluate themselves.
func (c Condition) Holds(found *Item) bool {
	switch c.kind {
	case always:
		return true
	case absent:
		return found == nil
	}
	if found == nil || found.Owner != c.owner {
		return false
	}
	switch c.kind {
	case ownedBefore:
		return found.Sequence.Less(c.seq)
	case ownedAt:
		return found.Sequence == c.seq
	}
	return true
}

// Switch hands the condition to the one of its functions that is meant; adapters use it to translate the condition into
// their engine's language.
func (c Condition) Switch(onAlways, onAbsent func(), onOwned func(owner string), onBefore, onAt func(owner string, seq Sequence)) {
	switch c.kind {
	case always:
		onAlways()
	case absent:
		onAbsent()
	case owned:
		onOwned(c.owner)
	case ownedBefore:
		onBefore(c.owner, c.seq)
	case ownedAt:
		onAt(c.owner, c.seq)
	}
}

// ConditionError says that a Put's condition did not hold.
type ConditionError struct {
	// Found is the item that is there, whole; nil when there is none.
	Found *Item
}

func (e *ConditionError) Error() string {
	if e.Found == nil {
		return "backend: condition failed: there is no such item"
	}
	return "backend: condition failed: the item is owned by " + e.Found.Owner
}

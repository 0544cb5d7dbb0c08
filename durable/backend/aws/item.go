package aws

import (
	"fmt"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/durable-lambda/durable-lambda/durable/backend"
)

// What the template that makes the table has to name. The types of the keys are S.
const (
	PartitionAttribute      = "pk"
	SortAttribute           = "sk"
	ExpiryAttribute         = "ttl"
	IndexName               = "listed"
	IndexPartitionAttribute = "ipk"
	IndexSortAttribute      = "isk"
	IndexSummaryAttribute   = "summary" // the index includes it
)

const (
	ownerAttribute      = "owner"
	generationAttribute = "gen"
	numberAttribute     = "num"
	valueAttribute      = "value"
)

type attributes = map[string]types.AttributeValue

func text(s string) types.AttributeValue { return &types.AttributeValueMemberS{Value: s} }
func number(n uint64) types.AttributeValue {
	return &types.AttributeValueMemberN{Value: strconv.FormatUint(n, 10)}
}

// binary stores nil as empty: the SDK writes nil as null.
func binary(b []byte) types.AttributeValue {
	if b == nil {
		b = []byte{}
	}
	return &types.AttributeValueMemberB{Value: b}
}

func encodeKey(key backend.Key) attributes {
	return attributes{PartitionAttribute: text(key.Partition), SortAttribute: text(key.Sort)}
}

func encodeItem(item backend.Item) attributes {
	a := encodeKey(item.Key)
	a[ownerAttribute] = text(item.Owner)
	a[generationAttribute] = number(item.Sequence.Generation)
	a[numberAttribute] = number(item.Sequence.Number)
	a[valueAttribute] = binary(item.Value)
	if !item.Expires.IsZero() {
		a[ExpiryAttribute] = &types.AttributeValueMemberN{Value: strconv.FormatInt(item.Expires.Unix(), 10)}
	}
	if item.Index != nil {
		a[IndexPartitionAttribute] = text(item.Index.Partition)
		a[IndexSortAttribute] = text(indexSort(item.Index.Sort, item.Key))
		a[IndexSummaryAttribute] = binary(item.Index.Summary)
	}
	return a
}

// decodeItem returns nil for no attributes: there is no item.
func decodeItem(a attributes) (*backend.Item, error) {
	if len(a) == 0 {
		return nil, nil
	}
	d := decoder{attributes: a}
	item := &backend.Item{
		Key:      d.key(),
		Owner:    d.text(ownerAttribute),
		Sequence: backend.Sequence{Generation: d.number(generationAttribute), Number: d.number(numberAttribute)},
		Value:    d.binary(valueAttribute),
	}
	if a[ExpiryAttribute] != nil {
		item.Expires = time.Unix(d.integer(ExpiryAttribute), 0).UTC()
	}
	if a[IndexPartitionAttribute] != nil {
		entry := d.entry()
		item.Index = &entry
	}
	return item, d.err
}

// decodeIndexed is for what a query of the index returns.
func decodeIndexed(a attributes) (backend.Indexed, error) {
	d := decoder{attributes: a}
	return backend.Indexed{Key: d.key(), IndexEntry: d.entry()}, d.err
}

// decoder reads attributes and keeps the first error.
type decoder struct {
	attributes attributes
	err        error
}

func (d *decoder) key() backend.Key {
	return backend.Key{Partition: d.text(PartitionAttribute), Sort: d.text(SortAttribute)}
}

func (d *decoder) entry() backend.IndexEntry {
	sort, ok := sortOf(d.text(IndexSortAttribute))
	d.require(ok, IndexSortAttribute)
	return backend.IndexEntry{Partition: d.text(IndexPartitionAttribute), Sort: sort, Summary: d.binary(IndexSummaryAttribute)}
}

func (d *decoder) text(name string) string {
	v, ok := d.attributes[name].(*types.AttributeValueMemberS)
	if !d.require(ok, name) {
		return ""
	}
	return v.Value
}

func (d *decoder) binary(name string) []byte {
	v, ok := d.attributes[name].(*types.AttributeValueMemberB)
	if !d.require(ok, name) {
		return nil
	}
	return v.Value
}

func (d *decoder) number(name string) uint64 {
	n, err := strconv.ParseUint(d.digits(name), 10, 64)
	d.require(err == nil, name)
	return n
}

func (d *decoder) integer(name string) int64 {
	n, err := strconv.ParseInt(d.digits(name), 10, 64)
	d.require(err == nil, name)
	return n
}

func (d *decoder) digits(name string) string {
	v, ok := d.attributes[name].(*types.AttributeValueMemberN)
	if !d.require(ok, name) {
		return ""
	}
	return v.Value
}

func (d *decoder) require(ok bool, name string) bool {
	if !ok && d.err == nil {
		d.err = fmt.Errorf("attribute %s: %w", name, errMalformed)
	}
	return ok
}

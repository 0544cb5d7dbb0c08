package backend

import (
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"
)

// ErrInvalid is wrapped by what the Check functions return: the call breaks a limit of the ports, had no effect, and
// fails again however often it is repeated.
var ErrInvalid = errors.New("not allowed")

// Limits that follow from those of an item or come from S3.
const (
	MaxItemExtras = 12 << 10       // bytes of an item's owner and index summary together, so that a full item fits DynamoDB's 400 KB
	MaxBlobKey    = 1024           // bytes of a blob's key; S3's limit
	MaxIndexSort  = MaxSortKey - 2 // bytes of an index entry's sort key, a NUL counted twice
)

// CheckKey refuses a key with a part that is empty, too long, or no UTF-8, which DynamoDB's strings are.
func CheckKey(key Key) error {
	if err := checkText("partition key", key.Partition, MaxPartitionKey); err != nil {
		return err
	}
	return checkText("sort key", key.Sort, MaxSortKey)
}

// CheckItem refuses what no table stores: keys of the item or of its index entry that are no keys, an owner that is no UTF-8,
// and an item that is too large.
func CheckItem(item Item) error {
	if err := CheckKey(item.Key); err != nil {
		return err
	}
	if len(item.Value) > MaxItemValue {
		return tooLong("item value", len(item.Value), MaxItemValue)
	}
	extras := len(item.Owner)
	if item.Index != nil {
		if err := checkIndex(item.Index); err != nil {
			return fmt.Errorf("index: %w", err)
		}
		extras += len(item.Index.Summary)
	}
	if extras > MaxItemExtras {
		return tooLong("item's owner and index summary", extras, MaxItemExtras)
	}
	return checkUTF8("owner", item.Owner)
}

// checkIndex counts what a GSI needs to tell entries apart: its sort key ends with two bytes and the item's own, and where
// those do not fit they may be cut, but not before. A NUL takes two bytes.
func checkIndex(e *IndexEntry) error {
	if err := CheckKey(Key{e.Partition, e.Sort}); err != nil {
		return err
	}
	if n := len(e.Sort) + strings.Count(e.Sort, "\x00"); n > MaxIndexSort {
		return tooLong("sort key, counting NUL twice,", n, MaxIndexSort)
	}
	return nil
}

// CheckQuery refuses a Query or Index of no partition or without a positive limit.
func CheckQuery(partition string, limit int) error {
	if limit <= 0 {
		return fmt.Errorf("limit of %d: %w: it must be positive", limit, ErrInvalid)
	}
	return checkText("partition key", partition, MaxPartitionKey)
}

// CheckMessage refuses what no queue carries, and on an ordered queue also a delay and a message without a group: SQS
// FIFO has no delay of single messages, and demands a group.
func CheckMessage(m Message, ordered bool) error {
	if err := checkID("message id", m.ID); err != nil {
		return err
	}
	if err := checkID("message group", m.Group); err != nil {
		return err
	}
	switch {
	case len(m.Body) > MaxMessageBody:
		return tooLong("message body", len(m.Body), MaxMessageBody)
	case m.Delay < 0 || m.Delay > MaxDelay:
		return fmt.Errorf("delay of %v: %w: it must be between 0 and %v", m.Delay, ErrInvalid, MaxDelay)
	case ordered && m.Delay > 0:
		return fmt.Errorf("delay of %v: %w on a queue that keeps order", m.Delay, ErrInvalid)
	case ordered && m.Group == "":
		return fmt.Errorf("message without a group: %w on a queue that keeps order", ErrInvalid)
	}
	return nil
}

// CheckReceive refuses a Receive of fewer than one message or of more than MaxBatch.
func CheckReceive(max int) error {
	if max < 1 || max > MaxBatch {
		return fmt.Errorf("batch of %d messages: %w: it must be between 1 and %d", max, ErrInvalid, MaxBatch)
	}
	return nil
}

// CheckDefer refuses a visibility below zero or above MaxVisibility.
func CheckDefer(d time.Duration) error {
	if d < 0 || d > MaxVisibility {
		return fmt.Errorf("visibility of %v: %w: it must be between 0 and %v", d, ErrInvalid, MaxVisibility)
	}
	return nil
}

// CheckBlobKey refuses a blob key that is empty, too long or not UTF-8.
func CheckBlobKey(key string) error { return checkText("blob key", key, MaxBlobKey) }

// CheckList refuses a List without a positive limit, and a prefix or a key to go on after that is too long or not UTF-8.
func CheckList(prefix, after string, limit int) error {
	if limit <= 0 {
		return fmt.Errorf("limit of %d: %w: it must be positive", limit, ErrInvalid)
	}
	for _, key := range []string{prefix, after} {
		if key == "" {
			continue
		}
		if err := CheckBlobKey(key); err != nil {
			return err
		}
	}
	return nil
}

func checkText(what, s string, most int) error {
	if s == "" {
		return fmt.Errorf("empty %s: %w", what, ErrInvalid)
	}
	if len(s) > most {
		return tooLong(what, len(s), most)
	}
	return checkUTF8(what, s)
}

func checkUTF8(what, s string) error {
	if !utf8.ValidString(s) {
		return fmt.Errorf("%s %q: %w: it must be UTF-8", what, s, ErrInvalid)
	}
	return nil
}

// checkID leaves out the space: it is printable, and SQS refuses it.
func checkID(what, id string) error {
	if len(id) > MaxIDLength {
		return tooLong(what, len(id), MaxIDLength)
	}
	for i := range len(id) {
		if id[i] <= ' ' || id[i] > '~' {
			return fmt.Errorf("%s %q: %w: it must be printable ASCII without spaces", what, id, ErrInvalid)
		}
	}
	return nil
}

func tooLong(what string, got, most int) error {
	return fmt.Errorf("%s of %d bytes: %w: at most %d", what, got, ErrInvalid, most)
}

package store

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash/fnv"
	"strconv"
	"strings"
	"time"

	"github.com/oklog/ulid/v2"

	"github.com/durable-lambda/durable-lambda/durable/backend"
	"github.com/durable-lambda/durable-lambda/durable/history"
)

// shards is how many partitions due rows and the index are spread over: part of the format.
const shards = 4

const (
	instancePrefix = "i#"
	rowSort        = "row"
	duePrefix      = "due#"
)

func instancePartition(id string) string { return instancePrefix + id }

func rowKey(id string) backend.Key {
	return backend.Key{Partition: instancePartition(id), Sort: rowSort}
}

// segmentSort orders the segments of an incarnation by generation and number.
func segmentSort(incarnation string, generation, number uint64) string {
	return fmt.Sprintf("h#%s#%08x#%08x", incarnation, generation, number)
}

// foldSort is just before the first segment of its generation, so that one query finds both.
func foldSort(incarnation string, generation uint64) string {
	return fmt.Sprintf("h#%s#%08x!fold", incarnation, generation)
}

// foldOf is the sort key of the folds of a segment's generation, or of itself.
func foldOf(sort string) string {
	const name = len("h#") + ulid.EncodedSize + len("#00000000")
	return sort[:min(name, len(sort))] + "!fold"
}

func foldKey(id, incarnation string, generation uint64) backend.Key {
	return backend.Key{Partition: instancePartition(id), Sort: foldSort(incarnation, generation)}
}

func segmentKey(id, incarnation string, generation, number uint64) backend.Key {
	return backend.Key{Partition: instancePartition(id), Sort: segmentSort(incarnation, generation, number)}
}

func shardOf(id string) int {
	h := fnv.New32a()
	h.Write([]byte(id))
	return int(h.Sum32() % shards)
}

// dueKey orders due rows by their time. The hash stands for an identity of any length.
func dueKey(m *history.Message, due time.Time) backend.Key {
	return backend.Key{
		Partition: duePrefix + strconv.Itoa(shardOf(m.Instance)),
		Sort:      fmt.Sprintf("%013d#%s", millis(due), m.ID),
	}
}

// foldName is the last part of a fold's name: generation, and the segments that it begins with and ends before.
const foldName = "fold-%08x-%08x-%08x"

// foldBlob names what segments from up to, and without, to are folded into.
func foldBlob(id, incarnation string, generation, from, to uint64) string {
	return hash(id) + "/" + incarnation + "/" + fmt.Sprintf(foldName, generation, from, to)
}

// blobKey names a payload by its content, below the incarnation that owns it.
func blobKey(id, incarnation string, data []byte) string {
	sum := sha256.Sum256(data)
	return hash(id) + "/" + incarnation + "/" + hex.EncodeToString(sum[:])
}

// hash maps anything to 32 characters that every queue and blob store takes.
func hash(parts ...string) string {
	b := make([]byte, 0, 256)
	for _, p := range parts {
		b = append(append(strconv.AppendInt(b, int64(len(p)), 10), ':'), p...)
	}
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:16])
}

// Group is the message group of an instance.
func Group(id string) string { return hash(id) }

// startGroup is the message group of a start: its tenant's, or its orchestration's.
func startGroup(m *history.Message) string {
	if s := m.Event.Start; s != nil && s.Tags[history.TenantTag] != "" {
		return hash("starts", "tenant", s.Tags[history.TenantTag])
	}
	return hash("starts", "orchestration", m.Event.Name)
}

// OperationID is the identity of an operation: of its messages, of its outcome, and of its idempotency key.
func OperationID(instance, incarnation string, generation uint64, op string, epoch uint32) string {
	return hash("op", instance, incarnation, strconv.FormatUint(generation, 10), op, strconv.FormatUint(uint64(epoch), 10))
}

// NoticeID is the identity of what the world is told about an event, by its place in a segment.
func NoticeID(instance, incarnation string, generation, number uint64, at int) string {
	return hash("notice", instance, incarnation, strconv.FormatUint(generation, 10), strconv.FormatUint(number, 10), strconv.Itoa(at))
}

// WatchID is the identity of a message that looks after an attempt of an activity, or reports its failure.
func WatchID(m *history.Message) string {
	return hash("watch", AttemptID(m), strconv.FormatUint(uint64(m.Attempt), 10))
}

// StartID is the identity of a start.
func StartID(instance, incarnation string) string { return hash("start", instance, incarnation) }

// CallID is the identity of what a client sends, given the id of its call.
func CallID(instance, incarnation, call string) string {
	return hash("call", instance, incarnation, call)
}

// queueID is what queues deduplicate a message by: its identity, or another each time that it comes back from a dead-letter
// queue, because a queue may still remember the one before and drop it.
func queueID(m *history.Message) string {
	if m.Redrives == 0 {
		return m.ID
	}
	return m.ID + "#redrive-" + strconv.FormatUint(uint64(m.Redrives), 10)
}

// indexPartition lists open or closed instances of one shard.
func indexPartition(closed bool, shard int) string {
	if closed {
		return "closed#" + strconv.Itoa(shard)
	}
	return "open#" + strconv.Itoa(shard)
}

// maxMillis is the latest time that fits the 13 digits of a key, in the year 2286.
const maxMillis = 9_999_999_999_999

// millis is a time as keys have it: one that has no place in a key is at the end of its side.
func millis(t time.Time) int64 { return min(max(t.UnixMilli(), 0), maxMillis) }

// indexSort puts the newest first: the time counts down.
func indexSort(created time.Time, incarnation string) string {
	return fmt.Sprintf("%013d#%s", maxMillis-millis(created), incarnation)
}

func instanceOf(k backend.Key) string { return strings.TrimPrefix(k.Partition, instancePrefix) }

package history

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Limits of what an instance may hold. Those of Durable Functions are named as such.
const (
	MaxInstanceID   = 256       // characters; Durable Functions' storage providers allow about as many
	MaxName         = 256       // bytes of the name of an orchestration, activity, event or step; our choice: names are in every event
	MaxCustomStatus = 16 << 10  // bytes of JSON; Durable Functions' limit (16 KB, as its documentation of custom status says)
	MaxPayload      = 10 << 20  // bytes of JSON of one input, result, output or event, unless a hub is set up otherwise; our choice: several must fit a function of 256 MB at a time
	MaxHeartbeat    = 16 << 10  // bytes of JSON of a heartbeat's details; our choice, that of a custom status
	InlinePayload   = 16 << 10  // bytes up to which a payload stays in the history; larger ones become blobs. Our choice by price: a put into S3 costs as much as 8 write units of DynamoDB, of 1 KB each
	MaxReason       = 4 << 10   // bytes of a reason; our choice
	MaxMessage      = 4 << 10   // bytes of an error's text; longer ones are cut. Our choice
	MaxTags         = 4 << 10   // bytes of the tags and the trace context of an instance; our choice: they are in every row, and in what queries return
	MaxFailure      = 16 << 10  // bytes of a failure with its causes; of those that are too many only the kinds are kept. Our choice: it is in the row
	MaxStack        = 4 << 10   // bytes of a panic's stack in the history; our choice
	MaxProperties   = 4 << 10   // bytes of the properties of an error, names and values; our choice
	PropertyCount   = 32        // properties of an error; our choice
	MaxCarried      = 250       // events that go over to the next generation; our choice: with 64 KiB of them they fit DynamoDB's item of 400 KB
	SegmentCommands = 1000      // commands of one segment; our choice: so many sends, in batches of 10, take a second or two
	MaxInFlight     = 1000      // activities of one instance that are under way at once; the others wait in the history. Our choice: one instance leaves room for others in the queue
	SegmentBytes    = 256 << 10 // bytes of one segment's commands, roughly; with its messages it fits DynamoDB's item of 400 KB
	TurnActions     = 100_000   // things that the code asks for in one turn; Durable Functions' maxOrchestrationActions
	HistoryEvents   = 1_000_000 // events of one generation, from half of which on there is a warning
	HistoryBytes    = 256 << 20 // bytes of one generation's events, without what is in blobs; on Lambda an eighth of the function's memory
	SpinTurns       = 1000      // turns within a minute that nothing but the instance itself has caused
)

// CheckInstanceID refuses what cannot be the id of an instance, by Durable Functions' rules.
func CheckInstanceID(id string) error {
	switch {
	case id == "":
		return fmt.Errorf("the instance id is empty")
	case !utf8.ValidString(id):
		return fmt.Errorf("the instance id is not valid UTF-8")
	case utf8.RuneCountInString(id) > MaxInstanceID:
		return fmt.Errorf("the instance id has %d characters; at most %d are allowed", utf8.RuneCountInString(id), MaxInstanceID)
	case id == "." || id == "..":
		return fmt.Errorf("the instance id %q means a folder in a URL and cannot be asked for", id)
	case strings.HasPrefix(id, "@"):
		return fmt.Errorf("the instance id %q starts with @, which is kept for entities", id)
	}
	for _, r := range id {
		if strings.ContainsRune(`/\#?`, r) || unicode.IsControl(r) {
			return fmt.Errorf("the instance id %q contains %q; / \\ # ? and control characters are not allowed", id, r)
		}
	}
	return nil
}

// CheckTags refuses tags that are too many, with what else is kept beside them.
func CheckTags(tags map[string]string, beside ...string) error {
	n := 0
	for k, v := range tags {
		n += len(k) + len(v)
	}
	for _, s := range beside {
		n += len(s)
	}
	if n > MaxTags {
		return fmt.Errorf("the tags have %d bytes, at most %d are allowed", n, MaxTags)
	}
	return nil
}

// CheckProperties refuses properties of an error that are too many, or too long.
func CheckProperties(properties map[string]string) error {
	n := 0
	for k, v := range properties {
		n += len(k) + len(v)
	}
	if n > MaxProperties || len(properties) > PropertyCount {
		return fmt.Errorf("an error has %d properties of %d bytes, at most %d of %d bytes are allowed", len(properties), n, PropertyCount, MaxProperties)
	}
	return nil
}

// CheckName refuses what cannot be the name of an orchestration, activity, event or step.
func CheckName(what, name string) error {
	switch {
	case name == "":
		return fmt.Errorf("the %s has no name", what)
	case !utf8.ValidString(name):
		return fmt.Errorf("the name of the %s is not valid UTF-8", what)
	case len(name) > MaxName:
		return fmt.Errorf("the name of the %s has %d bytes; at most %d are allowed", what, len(name), MaxName)
	}
	for _, r := range name {
		if unicode.IsControl(r) {
			return fmt.Errorf("the name of the %s contains the control character %q", what, r)
		}
	}
	return nil
}

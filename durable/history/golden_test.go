package history_test

import (
	"encoding/hex"
	"flag"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/durable-lambda/durable-lambda/durable/history"
)

var update = flag.Bool("update", false, "write the golden files")

var noon = time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC)

// The samples use every field of the format. They never change: what they became is in testdata, as it is in the tables
// of everybody who runs this program.
func sampleSegment() *history.Segment {
	return &history.Segment{
		Time: noon, More: true, Released: true, Releases: 7, Name: "ProcessOrder", Version: 3,
		Events: []history.Event{
			sampleStart(),
			{Kind: history.TaskScheduled, Op: "2.0.1", Epoch: 1, Name: "ChargeCard", Data: history.Payload{Bytes: []byte(`{"total":12}`)},
				Policy: &history.Policy{Attempts: 5, Initial: time.Second, Factor: 1.5, Cap: time.Minute, Timeout: 90 * time.Second,
					NonRetryable: []string{"Declined", ""}, Queue: "images",
					Deadline: 2 * time.Hour, Heartbeat: 30 * time.Second, AtMostOnce: true, Async: true, Jitter: 0.25}},
			{Kind: history.TimerCreated, Op: "10", At: noon.Add(72 * time.Hour)},
			{Kind: history.TaskFailed, Op: "1", Attempt: 2, Failure: &history.Failure{Kind: "Declined", Message: "the bank said no",
				Activity: "ChargeCard", Attempt: 2, Permanent: true, Causes: []history.Failure{{Kind: "A", Causes: []history.Failure{{}}}, {Kind: "B"}},
				Instance: "child", Stack: "  f\n    f.go:1", Properties: map[string]string{"code": "51", "": "x", "empty": ""}}},
			{Kind: history.EventRaised, Name: "Approval", Data: history.Payload{Blob: "aa/01/ff", Size: 70_000}, MessageID: "m1"},
			{Kind: history.ExecutionSuspended, Reason: "the code panicked", Build: "build 7"},
			{Kind: history.SubOrchestrationCreated, Op: "3", Name: "Ship", Version: 2, Close: history.Terminate,
				Target: &history.Target{Instance: "order-42:3", Incarnation: "01JGJ9GA00BBBBBBBBBBBBBBBB"}},
			{Kind: history.ExecutionTerminated, MessageID: "m2", Recursive: true},
			{Kind: history.ExecutionRewound, MessageID: "m3", Rewound: &history.Rewound{From: 300}},
			{Kind: history.ExecutionReset, Op: "2.0.1", MessageID: "m4", Data: history.Payload{Bytes: []byte(`{"total":13}`)}, Edit: history.EditInput,
				Rewound: &history.Rewound{From: 2}},
		},
	}
}

func sampleStart() history.Event {
	return history.Event{Kind: history.ExecutionStarted, Name: "ProcessOrder", Version: 3, At: noon,
		Data: history.Payload{Bytes: []byte(`"order-42"`)},
		Start: &history.Start{TraceParent: "00-1-2-01", TraceState: "a=b", Tags: map[string]string{"team": "blue", "": "x", "über": ""},
			Carried: []string{"m2", ""}, Known: []history.Known{{ID: "m3", At: noon, Last: true}, {}}, Custom: []byte(`1`), Due: noon.Add(time.Hour), Spun: 3, SpunSince: noon.Add(2 * time.Hour),
			Parent: &history.Parent{Instance: "p", Incarnation: "00", Generation: 1, Op: "3", Epoch: 2}}}
}

func sampleMessage() *history.Message {
	return &history.Message{ID: "0123456789abcdef", Instance: "order-42", Incarnation: "01JGJ9GA00AAAAAAAAAAAAAAAA", Generation: 2,
		Event: sampleStart(), Attempt: 4, Sent: noon, Waiting: noon.Add(time.Second),
		Replaces: &history.Version{Incarnation: "01JGJ9G000AAAAAAAAAAAAAAAA", Generation: 1, Number: 9}, Number: 300, Redrives: 5,
		Pending: noon.Add(2 * time.Second)}
}

func sampleRow() *history.Row {
	return &history.Row{Instance: "order-42", Start: sampleStart(), Status: history.StatusFailed,
		Custom: history.Payload{Bytes: []byte(`"billing"`)}, End: &history.Event{Kind: history.ExecutionFailed,
			Failure: &history.Failure{Message: "no stock"}}, SuspendReason: "a person said so", Updated: noon.Add(time.Hour), Purged: true}
}

// A red test here means that the stored format has changed: histories that exist could not be read any more, or would be
// read differently. It takes a new format version, and -update only for what is new.
func TestGolden(t *testing.T) {
	each(t, func(t *testing.T, c codec) {
		file := filepath.Join("testdata", c.name+".hex")
		encoded := c.encode(c.sample)
		if *update {
			if err := os.WriteFile(file, []byte(lines(hex.EncodeToString(encoded))), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		stored, err := hex.DecodeString(strings.Join(strings.Fields(string(text)), ""))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(lines(hex.EncodeToString(stored)), lines(hex.EncodeToString(encoded))); diff != "" {
			t.Errorf("the format has changed, -stored +written:\n%s", diff)
		}
		got, err := c.decode(stored)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(c.sample, got); diff != "" {
			t.Errorf("the stored %s is read differently, -want +got:\n%s", c.name, diff)
		}
	})
}

// lines breaks hexadecimal after every 32 bytes.
func lines(s string) string {
	var b strings.Builder
	for len(s) > 64 {
		b.WriteString(s[:64] + "\n")
		s = s[64:]
	}
	return b.String() + s + "\n"
}

// A field that no sample uses could be forgotten by the codec, and nobody would see it.
func TestSamplesUseEveryField(t *testing.T) {
	t.Parallel()
	used := map[string]bool{ // not in the value: of the item, reserved, or without anything else
		"Segment.Nonce": true, "Segment.Engine": true, "Segment.Tombstone": true,
		"Row.Incarnation": true, "Row.Generation": true, "Row.Number": true,
	}
	all := map[string]bool{}
	for _, c := range codecs() {
		walk(reflect.ValueOf(c.sample), used, all)
	}
	for field := range all {
		if !used[field] {
			t.Errorf("no sample has a %s", field)
		}
	}
}

// walk notes all fields of the structures below v, and those that are not zero.
func walk(v reflect.Value, used, all map[string]bool) {
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() {
			walk(v.Elem(), used, all)
		}
	case reflect.Slice:
		for i := range v.Len() {
			walk(v.Index(i), used, all)
		}
	case reflect.Struct:
		if v.Type() == reflect.TypeFor[time.Time]() {
			return
		}
		for i := range v.NumField() {
			name := v.Type().Name() + "." + v.Type().Field(i).Name
			all[name], used[name] = true, used[name] || !v.Field(i).IsZero()
			walk(v.Field(i), used, all)
		}
	}
}

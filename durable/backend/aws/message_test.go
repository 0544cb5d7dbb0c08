package aws_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/durable-lambda/durable-lambda/durable/backend"
	"github.com/durable-lambda/durable-lambda/durable/backend/aws"
)

func TestMessagesAsTheyAreSent(t *testing.T) {
	t.Parallel()
	m := backend.Message{ID: "id", Group: "g", Body: []byte{0xff, 0xfe}, Delay: 1001 * time.Millisecond}
	want := aws.Entry{
		ID: "0", Body: "//4=", Group: "g", Delay: 2,
		Attributes: map[string]string{"id": "id", "group": "g"},
	}
	if diff := cmp.Diff([][]aws.Entry{{want}}, aws.Batches([]backend.Message{m}, false)); diff != "" {
		t.Errorf("on a standard queue (-want +got):\n%s", diff)
	}
	m.Delay = 0
	want = aws.Entry{ID: "0", Body: "//4=", Group: "g", Dedup: "id"}
	if diff := cmp.Diff([][]aws.Entry{{want}}, aws.Batches([]backend.Message{m}, true)); diff != "" {
		t.Errorf("on the inbox (-want +got):\n%s", diff)
	}
	want = aws.Entry{ID: "0", Body: "="}
	if diff := cmp.Diff([][]aws.Entry{{want}}, aws.Batches(make([]backend.Message, 1), false)); diff != "" {
		t.Errorf("an empty message (-want +got):\n%s", diff)
	}
}

func TestUnnamedMessagesAreNeverDuplicates(t *testing.T) {
	t.Parallel()
	batch := aws.Batches([]backend.Message{{Group: "g"}, {Group: "g"}}, true)[0]
	if batch[0].Dedup == "" || batch[0].Dedup == batch[1].Dedup {
		t.Errorf("got deduplication ids %q and %q", batch[0].Dedup, batch[1].Dedup)
	}
	system := map[string]string{"MessageDeduplicationId": batch[0].Dedup, "MessageGroupId": batch[0].Group}
	if got := aws.DeliveryOf(batch[0].Body, "r", system, batch[0].Attributes); got.ID != "" || got.Group != "g" {
		t.Errorf("came back with id %q and group %q", got.ID, got.Group)
	}
}

func TestBatchesKeepToTheLimitsOfOneCall(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		size, count int
		want        []int
	}{
		"none":     {0, 0, nil},
		"ten":      {100, 10, []int{10}},
		"eleven":   {100, 11, []int{10, 1}},
		"by bytes": {backend.MaxMessageBody, 9, []int{4, 4, 1}}, // 253 KiB each in base64, of 1 MiB
	} {
		var messages []backend.Message
		for i := range c.count {
			messages = append(messages, backend.Message{ID: fmt.Sprint(i), Group: strings.Repeat("g", 128), Body: make([]byte, c.size)})
		}
		var got []int
		next := 0
		for _, batch := range aws.Batches(messages, false) {
			got = append(got, len(batch))
			bytes := 0
			for _, e := range batch {
				if e.ID != fmt.Sprint(next) {
					t.Errorf("%s: entry %s where %d was expected", name, e.ID, next)
				}
				next++
				bytes += len(e.Body)
			}
			if bytes > 1<<20 {
				t.Errorf("%s: a batch of %d bytes", name, bytes)
			}
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

func TestDeliveryOf(t *testing.T) {
	t.Parallel()
	system := map[string]string{"ApproximateReceiveCount": "3", "MessageGroupId": "fair", "MessageDeduplicationId": "dedup"}
	for name, c := range map[string]struct {
		body       string
		attributes map[string]string
		want       backend.Delivery
	}{
		"inbox": {"Ym9keQ==", nil, backend.Delivery{
			Message: backend.Message{ID: "dedup", Group: "fair", Body: []byte("body")}}},
		"standard": {"Ym9keQ==", map[string]string{"id": "i", "group": "g"}, backend.Delivery{
			Message: backend.Message{ID: "i", Group: "g", Body: []byte("body")}}},
		"foreign":            {`{"order": 1}`, nil, backend.Delivery{Message: backend.Message{ID: "dedup", Group: "fair", Body: []byte(`{"order": 1}`)}}},
		"foreign line ends":  {"Ym9k\neQ==", nil, backend.Delivery{Message: backend.Message{ID: "dedup", Group: "fair", Body: []byte("Ym9k\neQ==")}}},
		"foreign no padding": {"Ym9keQ", nil, backend.Delivery{Message: backend.Message{ID: "dedup", Group: "fair", Body: []byte("Ym9keQ")}}},
	} {
		c.want.Receipt, c.want.Receives = "r", 3
		if diff := cmp.Diff(c.want, aws.DeliveryOf(c.body, "r", system, c.attributes)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

// FuzzBody delivers text of anybody: it is either what encodeBody wrote, or itself.
func FuzzBody(f *testing.F) {
	for _, s := range []string{"", "=", "AA==", "AB==", "AA=\n=", "text", "\x00\xff"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if got := aws.DeliveryOf(aws.EncodeBody([]byte(s)), "", nil, nil).Body; !bytes.Equal(got, []byte(s)) {
			t.Errorf("%q came back as %q", s, got)
		}
		if got := aws.DeliveryOf(s, "", nil, nil).Body; aws.EncodeBody(got) != s && string(got) != s {
			t.Errorf("%q of somebody else was delivered as %q", s, got)
		}
	})
}

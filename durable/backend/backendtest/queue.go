package backendtest

import (
	"bytes"
	"slices"
	"strings"
	"time"

	"github.com/durable-lambda/durable-lambda/durable/backend"
)

func queueTests() []test {
	var tests []test
	for _, q := range []struct {
		name  string
		queue func(f *fixture) *queue
	}{
		{"Inbox", inbox},
		{"Wake", wake},
		{"Activities", activities},
	} {
		for _, of := range slices.Concat(sendTests(), visibilityTests(), waitTests()) {
			tests = append(tests, test{q.name + " " + of.sentence, func(f *fixture) { of.run(q.queue(f)) }})
		}
		if q.name == "Inbox" {
			continue
		}
		for _, of := range delayTests() {
			tests = append(tests, test{q.name + " " + of.sentence, func(f *fixture) { of.run(q.queue(f)) }})
		}
	}
	for _, of := range slices.Concat(inboxTests(), groupTests(), dedupTests()) {
		tests = append(tests, test{"Inbox " + of.sentence, func(f *fixture) { of.run(inbox(f)) }})
	}
	return tests
}

// queue is a fixture whose test is about one queue.
type queue struct {
	*fixture
	backend.Queue
	visibility time.Duration
	exact      bool // keeps order and locks groups
}

type queueTest struct {
	sentence string
	run      func(q *queue)
}

func inbox(f *fixture) *queue      { return &queue{f, f.Inbox, f.Visibility, f.Ordered} }
func wake(f *fixture) *queue       { return &queue{f, f.Wake, f.Visibility, false} }
func activities(f *fixture) *queue { return &queue{f, f.Activities, f.ActivityVisibility, false} }

// message is one of the group that most tests use.
func message(body string) backend.Message {
	return backend.Message{Group: "g", Body: []byte(body)}
}

func messages(bodies ...string) []backend.Message {
	var out []backend.Message
	for _, body := range bodies {
		out = append(out, message(body))
	}
	return out
}

func (q *queue) send(messages ...backend.Message) {
	q.Helper()
	for i, err := range q.Send(q.ctx, messages) {
		if err != nil {
			q.Fatalf("Send, message %d: %v", i, err)
		}
	}
}

// sendErrors sends and returns one error for each message.
func (q *queue) sendErrors(messages ...backend.Message) []error {
	q.Helper()
	errs := q.Send(q.ctx, messages)
	if errs == nil {
		return make([]error, len(messages))
	}
	if len(errs) != len(messages) {
		q.Fatalf("Send of %d messages returned %d errors, want nil or one for each", len(messages), len(errs))
	}
	return errs
}

// receive receives until it has n messages, and fails with fewer.
func (q *queue) receive(n int) []backend.Delivery {
	q.Helper()
	var got []backend.Delivery
	for len(got) < n {
		more, err := q.Receive(q.ctx, min(n-len(got), backend.MaxBatch), q.Patience)
		q.must(err)
		if len(more) == 0 {
			q.Fatalf("received %d messages %q, want %d", len(got), bodies(got), n)
		}
		got = append(got, more...)
	}
	return got
}

// drain receives and acknowledges until it has n messages, and fails with fewer.
func (q *queue) drain(n int) []backend.Delivery {
	q.Helper()
	var got []backend.Delivery
	for len(got) < n {
		more, err := q.Receive(q.ctx, backend.MaxBatch, q.Patience)
		q.must(err)
		if len(more) == 0 {
			q.Fatalf("received %d messages %q, want %d", len(got), bodies(got), n)
		}
		q.must(q.Ack(q.ctx, more))
		got = append(got, more...)
	}
	return got
}

func (q *queue) wantNone(when string) {
	q.Helper()
	got, err := q.Receive(q.ctx, backend.MaxBatch, q.Patience)
	q.must(err)
	if len(got) > 0 {
		q.Fatalf("%s: received %q, want none", when, bodies(got))
	}
}

func (q *queue) wantBodies(got []backend.Delivery, want ...string) {
	q.Helper()
	q.same("bodies received", bodies(got), want)
}

func (q *queue) deferTo(d backend.Delivery, visibility time.Duration) {
	q.Helper()
	q.must(q.Defer(q.ctx, d, visibility))
}

func bodies(deliveries []backend.Delivery) []string {
	var out []string
	for _, d := range deliveries {
		out = append(out, string(d.Body))
	}
	return out
}

func sendTests() []queueTest {
	return []queueTest{
		{"delivers a message whole", deliversWhole},
		{"delivers bodies of any bytes, an empty one and the largest", deliversAnyBytes},
		{"takes more than ten messages in one Send", sendMany},
		{"takes a Send of no messages", func(q *queue) { q.send(); q.wantNone("after nothing was sent") }},
		{"refuses what breaks a limit alone, and takes the other messages of the Send", sendRefusesAlone},
		{"copies what is sent and what is delivered", queueCopies},
	}
}

func deliversWhole(q *queue) {
	m := backend.Message{ID: "id:!~1", Group: "group/1", Body: []byte("body")}
	q.send(m)
	got := q.receive(1)[0]
	q.same("the message", got.Message, m)
	q.same("Receives", got.Receives, 1)
}

func deliversAnyBytes(q *queue) {
	var every []byte
	for b := range 256 {
		every = append(every, byte(b))
	}
	largest := bytes.Repeat([]byte{0x00, 0xff}, (backend.MaxMessageBody-q.Overhead)/2)
	for _, body := range [][]byte{every, {}, largest} {
		q.send(backend.Message{Group: "g", Body: body})
		if got := q.drain(1)[0].Body; !bytes.Equal(got, body) {
			q.Errorf("a body of %d bytes came back as another one of %d", len(body), len(got))
		}
	}
}

func sendMany(q *queue) {
	want := numbered("m%02d", 25)
	q.send(messages(want...)...)
	got := bodies(q.drain(len(want)))
	if !q.exact {
		slices.Sort(got)
	}
	q.same("bodies received", got, want)
	q.wantNone("after all were acknowledged")
}

func sendRefusesAlone(q *queue) {
	long := strings.Repeat("x", backend.MaxIDLength+1)
	for what, bad := range map[string]backend.Message{
		"a body too large":        {Group: "g", Body: make([]byte, backend.MaxMessageBody+1)},
		"an id too long":          {Group: "g", ID: long},
		"a group too long":        {Group: long},
		"an id with a space":      {Group: "g", ID: "a b"},
		"a group of other script": {Group: "é"},
		"a delay too long":        {Group: "g", Delay: backend.MaxDelay + time.Second},
		"a negative delay":        {Group: "g", Delay: -time.Second},
	} {
		errs := q.sendErrors(message("first"), bad, message("last"))
		q.wantInvalid(what, errs[1])
		if errs[0] != nil || errs[2] != nil {
			q.Errorf("%s: the messages beside it failed: %v, %v", what, errs[0], errs[2])
		}
		got := bodies(q.drain(2))
		slices.Sort(got)
		q.same("bodies received", got, []string{"first", "last"})
	}
	q.wantNone("after the good messages were acknowledged")
}

func queueCopies(q *queue) {
	m := message("body")
	q.send(m)
	m.Body[0] = 'X'
	got := q.receive(1)[0]
	q.same("the body", string(got.Body), "body")
	got.Body[0] = 'X'
	q.deferTo(got, 0)
	q.same("the body delivered again", string(q.receive(1)[0].Body), "body")
}

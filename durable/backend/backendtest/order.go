package backendtest

import (
	"time"

	"github.com/durable-lambda/durable-lambda/durable/backend"
)

func delayTests() []queueTest {
	return []queueTest{
		{"hides a delayed message until it is due, and no other", delayHides},
		{"delivers at once what is sent without a delay", func(q *queue) { q.send(message("m")); q.receive(1) }},
		{"takes the longest delay", delayLongest},
		{"Receive waits for a delay that ends", receiveWaitsForDelay},
	}
}

func delayed(body string, d time.Duration) backend.Message {
	m := message(body)
	m.Delay = d
	return m
}

func delayHides(q *queue) {
	// Wide apart, because a slow queue may take seconds for a call.
	q.send(delayed("late", 6*moment), delayed("early", 2*moment), message("now"))
	q.wantBodies(q.receive(1), "now")
	q.wantNone("before the delay ends")
	q.Advance(2 * moment)
	q.wantBodies(q.receive(1), "early")
	q.Advance(4 * moment)
	q.wantBodies(q.receive(1), "late")
}

func delayLongest(q *queue) {
	q.send(delayed("m", backend.MaxDelay))
	q.wantNone("before the delay ends")
	q.affordable(backend.MaxDelay)
	q.Advance(backend.MaxDelay - time.Second)
	q.wantNone("a second before the delay ends")
	q.Advance(time.Second)
	q.receive(1)
}

func receiveWaitsForDelay(q *queue) {
	if q.Bubble == nil && q.virtual {
		q.Skip("the adapter's clock stands still while Receive waits")
	}
	q.send(delayed("m", moment))
	got, err := q.background(q.ctx)()
	q.must(err)
	q.wantBodies(got, "m")
}

func inboxTests() []queueTest {
	return []queueTest{
		{"refuses a delay", func(q *queue) { q.wantInvalid("Send", q.sendErrors(delayed("m", time.Second))[0]) }},
		{"refuses a message without a group", func(q *queue) {
			q.wantInvalid("Send", q.sendErrors(backend.Message{Body: []byte("m")})[0])
		}},
	}
}

// groupTests are about order and group locks, for an inbox that keeps them.
func groupTests() []queueTest {
	tests := []queueTest{
		{"delivers the messages of a group in the order they were sent", groupOrder},
		{"delivers none of a group while some of it are in flight", groupLock},
		{"delivers other groups while one is locked", groupsApart},
		{"keeps a group locked while one of its messages is deferred", groupDeferred},
		{"delivers a group again from its first message that is not acknowledged", groupAgain},
		{"unlocks a group when its visibility ends", groupVisibility},
	}
	for i, t := range tests {
		tests[i].run = func(q *queue) {
			if !q.exact {
				q.Skip("the inbox promises no order")
			}
			t.run(q)
		}
	}
	return tests
}

func groupOrder(q *queue) {
	want := numbered("m%02d", 14)
	for _, body := range want[:4] {
		q.send(message(body))
	}
	q.send(messages(want[4:]...)...)
	q.wantBodies(q.drain(len(want)), want...)
}

func groupLock(q *queue) {
	q.send(messages("1", "2", "3")...)
	first := q.receive(1)
	q.wantBodies(first, "1")
	q.send(message("4"))
	q.wantNone("while 1 is in flight")
	q.must(q.Ack(q.ctx, first))
	q.wantBodies(q.drain(3), "2", "3", "4")
}

func groupsApart(q *queue) {
	q.send(messages("1", "2")...)
	q.receive(1)
	q.send(backend.Message{Group: "other", Body: []byte("3")})
	q.wantBodies(q.receive(1), "3")
	q.wantNone("while both groups are locked")
}

func groupDeferred(q *queue) {
	q.send(messages("1", "2")...)
	q.deferTo(q.receive(1)[0], moment)
	q.wantNone("while 1 is deferred")
	q.Advance(moment)
	q.wantBodies(q.drain(2), "1", "2")
}

func groupAgain(q *queue) {
	q.send(messages("1", "2", "3", "4")...)
	first, err := q.Receive(q.ctx, 3, q.Patience)
	q.must(err)
	if len(first) < 3 {
		q.Skip("the adapter did not return the group in one batch")
	}
	q.must(q.Ack(q.ctx, first[1:2]))
	q.deferTo(first[2], 0)
	q.wantNone("while 1 is in flight")
	q.deferTo(first[0], 0)
	q.wantBodies(q.drain(3), "1", "3", "4")
}

func groupVisibility(q *queue) {
	q.affordable(q.visibility)
	q.send(messages("1", "2")...)
	q.receive(1)
	q.Advance(q.visibility)
	q.wantBodies(q.drain(2), "1", "2")
}

// dedupTests are for an inbox that remembers ids.
func dedupTests() []queueTest {
	tests := []queueTest{
		{"delivers messages of one id once", dedupOnce},
		{"remembers an id after its message was acknowledged", dedupAfterAck},
		{"forgets an id when the window ends", dedupForgets},
		{"delivers every message without an id", dedupWithout},
	}
	for i, t := range tests {
		tests[i].run = func(q *queue) {
			if q.DedupWindow == 0 {
				q.Skip("the inbox does not deduplicate")
			}
			t.run(q)
		}
	}
	return tests
}

func identified(id, body string) backend.Message {
	return backend.Message{ID: id, Group: "g", Body: []byte(body)}
}

func dedupOnce(q *queue) {
	q.send(identified("a", "1"), identified("a", "again"), identified("b", "2"))
	q.send(identified("b", "again"), identified("c", "3"))
	q.wantBodies(q.drain(3), "1", "2", "3")
	q.wantNone("after all were acknowledged")
}

func dedupAfterAck(q *queue) {
	q.send(identified("a", "1"))
	q.drain(1)
	q.send(identified("a", "again"))
	q.wantNone("within the window")
}

func dedupForgets(q *queue) {
	q.affordable(q.DedupWindow)
	q.send(identified("a", "1"))
	q.drain(1)
	q.Advance(q.DedupWindow)
	q.send(identified("a", "2"))
	q.wantBodies(q.drain(1), "2")
}

func dedupWithout(q *queue) {
	q.send(messages("1", "1", "1")...)
	q.wantBodies(q.drain(3), "1", "1", "1")
}

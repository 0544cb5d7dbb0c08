package doctor_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/durable-lambda/durable-lambda/durable"
	"github.com/durable-lambda/durable-lambda/durable/backend"
	"github.com/durable-lambda/durable-lambda/durable/backend/backendtest"
	"github.com/durable-lambda/durable-lambda/durable/doctor"
	"github.com/durable-lambda/durable-lambda/durable/store"
)

// bury puts a message into a dead-letter queue.
func (h *hub) bury(dead backend.Queue, deliveries ...backend.Delivery) {
	h.t.Helper()
	for _, d := range deliveries {
		for _, err := range dead.Send(h.t.Context(), []backend.Message{d.Message}) {
			if err != nil {
				h.t.Fatal(err)
			}
		}
	}
}

func TestDeadLettersAreListedShownAndTakenBack(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	h.submit("a", "ship")
	h.submit("b", "yes")
	h.run(false)
	h.bury(h.ports.Dead.Activities, h.drop(h.ports.Activities)...)
	if err := yes.Raise(t.Context(), h.client, "b", true); err != nil {
		t.Fatal(err)
	}
	h.bury(h.ports.Dead.Inbox, h.drop(h.ports.Inbox)...)
	h.bury(h.ports.Dead.Wake, backend.Delivery{Message: backend.Message{Group: "g", Body: []byte("hello")}})
	for look := 1; look <= 3; look++ {
		letters, err := doctor.Letters(t.Context(), h.config)
		if err != nil || len(letters) != 3 {
			t.Fatalf("%d letters, %v; want 3", len(letters), err)
		}
		if n := h.dead.Queues().Ready(); n != 3 {
			t.Fatalf("%d letters are ready after a look, want 3", n)
		}
		if letters[0].Receives != look {
			t.Errorf("look %d counts %d receives", look, letters[0].Receives)
		}
	}
	letters, _ := doctor.Letters(t.Context(), h.config)
	if got := letters[0].Title() + ", " + letters[2].Title(); got != "EventRaised Yes, TaskScheduled Ship" {
		t.Errorf("the letters are %s", got)
	}
	raw, err := json.Marshal(letters)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`"queue":"inbox"`, `"kind":"EventRaised"`, `"data":true`, `"instance":"b"`, `"body":"68656c6c6f"`, `"error":"history: unreadable message`} {
		if !bytes.Contains(raw, []byte(want)) {
			t.Errorf("%s has no %s", raw, want)
		}
	}
	h.want(h.examine(nil),
		"dead-letter|b|EventRaised Yes is a dead letter of the inbox, "+letters[0].ID+"|send it again",
		"dead-letter||the dead letter "+letters[1].ID+" of the wake cannot be read: "+letters[1].Err.Error()+"|",
		"dead-letter|a|TaskScheduled Ship is a dead letter of the activities, "+letters[2].ID+"|have the attempt fail")

	done, err := doctor.Redrive(t.Context(), h.config, []string{letters[0].ID, letters[1].ID, "none"})
	if len(done) != 2 || done[0].Err != nil || done[1].Err == nil || err == nil || !strings.Contains(err.Error(), "there is no dead letter none") {
		t.Errorf("got %+v, %v", done, err)
	}
	h.run(false)
	h.is("b", durable.Completed)
	h.is("a", durable.Running)
	if n := h.dead.Queues().Ready(); n != 2 {
		t.Errorf("%d letters are ready, want the other two", n)
	}
	if done, err = doctor.Redrive(t.Context(), h.config, nil); len(done) != 2 || err != nil {
		t.Errorf("got %+v, %v", done, err)
	}
	h.run(false)
	h.is("a", durable.Failed)
	if n := h.dead.Queues().Total(); n != 1 {
		t.Errorf("%d letters are left, want the one that cannot be read", n)
	}
}

func TestAHubWithoutDeadLetterQueuesShowsWhatItCannotRead(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	h.config.Store = store.New(store.Config{Backend: h.memory.Backend(), Now: func() time.Time { return h.now }})
	if _, err := doctor.Letters(t.Context(), h.config); !errors.Is(err, doctor.ErrNoDeadLetters) {
		t.Errorf("got %v, want ErrNoDeadLetters", err)
	}
	h.submit("a", "")
	h.ports.Wake.Send(t.Context(), []backend.Message{{Body: []byte("hello")}})
	h.config.Exclusive = true
	letters, err := doctor.Letters(t.Context(), h.config)
	if err != nil || len(letters) != 1 || letters[0].Err == nil {
		t.Errorf("got %+v, %v, want the one that cannot be read", letters, err)
	}
	if done, err := doctor.Redrive(t.Context(), h.config, nil); err != nil || len(done) != 1 || done[0].Err == nil {
		t.Errorf("got %+v, %v, want it to stay", done, err)
	}
	if n := h.memory.Queues().Ready(); n != 2 {
		t.Errorf("%d messages are ready, want both", n)
	}
}

// A queue is looked into twice, however many letters it has: to find them, and to take them back.
func TestManyDeadLettersAreTakenBackTogether(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	const n = 60
	for i := range n {
		h.submit(fmt.Sprint(i), "ship")
	}
	h.run(false)
	h.bury(h.ports.Dead.Activities, h.drop(h.ports.Activities)...)
	receives := 0
	ports := h.ports
	ports.Dead.Activities = backendtest.Faulty(backend.Backend{Activities: h.ports.Dead.Activities}, func(op string) backendtest.Fault {
		if op == "activities.receive" {
			receives++
		}
		return backendtest.None
	}).Activities
	h.config.Store = store.New(store.Config{Backend: ports, Now: func() time.Time { return h.now }})
	for _, line := range h.examine(repair) {
		if !strings.HasSuffix(line, "|done") {
			t.Errorf("it is not repaired: %s", line)
		}
	}
	if want := 2 * (n/backend.MaxBatch + 1); receives > want {
		t.Errorf("it took %d receives, want %d", receives, want)
	}
	h.run(false)
	for i := range n {
		h.is(fmt.Sprint(i), durable.Failed)
	}
}

// The sweep takes letters back as well: one that has gone between the look and the repair is repaired.
func TestADeadLetterThatIsGoneIsRepaired(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	h.submit("a", "ship")
	h.run(false)
	h.bury(h.ports.Dead.Activities, h.drop(h.ports.Activities)...)
	c := h.config
	c.Repair = true
	looks := 0
	ports := h.ports
	ports.Dead.Wake = backendtest.Faulty(backend.Backend{Wake: h.ports.Dead.Wake}, func(op string) backendtest.Fault {
		if op == "wake.receive" {
			if looks++; looks == 2 { // of the repair
				h.drop(h.ports.Dead.Activities)
			}
		}
		return backendtest.None
	}).Wake
	c.Store = store.New(store.Config{Backend: ports, Now: func() time.Time { return h.now }})
	s, err := doctor.Examine(t.Context(), c, func(f doctor.Finding) {
		if f.Left() {
			t.Errorf("it is left: %+v", f)
		}
	})
	if err != nil || s.Findings != 1 || looks != 2 || s.Unknown != nil {
		t.Errorf("%+v after %d looks, %v", s, looks, err)
	}
}

func TestTheReportSaysWhichDeadLettersWereNotLookedAt(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	ports := h.ports
	for want := range 3 {
		h.config.Store = store.New(store.Config{Backend: ports, Now: func() time.Time { return h.now }})
		s, err := doctor.Examine(t.Context(), h.config, func(doctor.Finding) {})
		if err != nil || len(s.Unknown) != want {
			t.Errorf("%v were not looked at, %v; want %d", s.Unknown, err, want)
		}
		ports.Dead.Wake, ports.Dead.Inbox = nil, map[bool]backend.Queue{true: ports.Dead.Inbox}[want == 0]
	}
}

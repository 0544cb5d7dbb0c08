//go:build clients

package clients_test

import (
	"strings"
	"time"
)

var reads = []scene{
	{name: "the status of a running instance", do: func(s session) {
		before := time.Now().Truncate(time.Second)
		in := s.until(s.listens("mine"), "Running")
		s.same("its id", in["id"], "mine")
		s.same("its name", in["name"], "Listen")
		s.same("its output", in["output"], nil)
		created, err := time.Parse(time.RFC3339, in["created"].(string))
		if err != nil || created.Before(before) || created.After(time.Now()) {
			s.Errorf("it was created at %v, %v; want a time since %v", in["created"], err, before)
		}
	}},
	{name: "the status of a failed instance", do: func(s session) {
		in := s.until(s.start("Brittle", nil), "Failed")
		if output, _ := in["output"].(string); !strings.Contains(output, "it broke") {
			s.Errorf("its output is %v, want the error's text", in["output"])
		}
	}},
	{name: "the status of nobody", do: func(s session) {
		if s.python() {
			s.same("the status", s.do("status", args{"id": "nobody"}), nil)
			return
		}
		s.refused("status", args{"id": "nobody"}, "404")
	}},
	{name: "a status without the input", do: func(s session) {
		s.ended("mine")
		in := s.do("status", args{"id": "mine", "showInput": false}).(map[string]any)
		if s.byLinks {
			s.same("its input", in["input"], nil)
		} else { // which is what these leave unsaid, so the input is there
			s.same("its input", s.decoded(in["input"]), message{"x", 1})
		}
	}},
	// The Node client looks for another member.
	{name: "the history", only: "python", do: func(s session) {
		s.ended("mine")
		in := s.do("status", args{"id": "mine", "history": true, "outputs": true, "showInput": true}).(map[string]any)
		s.same("its events", in["events"], []string{"ExecutionStarted", "TaskCompleted", "ExecutionCompleted"})
	}},
	{name: "waiting for one that completes", do: func(s session) {
		id := s.start("Echo", args{"input": message{"x", 1}})
		got := s.do("wait", args{"id": id, "timeout": 10000, "interval": 20}).(map[string]any)
		s.same("the status", got["status"], 200)
		s.same("the body", got["body"], message{"x", 1})
	}},
	{name: "waiting for one that fails", do: func(s session) {
		id := s.start("Brittle", nil)
		got := s.do("wait", args{"id": id, "timeout": 10000, "interval": 20}).(map[string]any)
		s.same("the status", got["status"], 500)
		body, _ := got["body"].(map[string]any)
		s.same("the instance's status", body["runtimeStatus"], "Failed")
	}},
	{name: "waiting for one that takes longer", do: func(s session) {
		s.listens("mine")
		got := s.do("wait", args{"id": "mine", "timeout": 60, "interval": 20}).(map[string]any)
		s.same("the status", got["status"], 202)
		s.same("Location", got["location"], "https://front.example/runtime/webhooks/durabletask/instances/mine?taskHub=dev")
	}},
	{name: "an entity", do: func(s session) {
		s.refused("entity", args{"name": "counter", "key": "one"}, "501") // not available yet
	}},
}

//go:build clients

package clients_test

import "strings"

var starts = []scene{
	{name: "a start without an id and without input", do: func(s session) {
		id := s.start("Echo", nil)
		in := s.until(id, "Completed")
		s.same("its name", in["name"], "Echo")
		s.same("its output", in["output"], message{})
		if s.python() {
			s.same("its input", in["input"], nil)
		} else {
			s.same("its input", in["input"], "") // the Node client's word for none
		}
	}},
	{name: "a start with an id and input", do: func(s session) {
		m := message{`ä "quoted" & <b>`, 7}
		s.start("Echo", args{"id": "mine", "input": m})
		in := s.until("mine", "Completed")
		s.same("its input", s.decoded(in["input"]), m)
		s.same("its output", in["output"], m)
	}},
	{name: "an id of other characters", do: func(s session) {
		const id = "order ä+1 50%"
		if !s.python() { // the Node client puts ids into URLs as they are, where % begins an encoding
			s.start("Listen", args{"id": "order ä+1"})
			s.do("raise", args{"id": "order ä+1", "event": "Word", "data": message{"hi", 1}})
			s.same("its output", s.until("order ä+1", "Completed")["output"], message{"hi", 1})
			return
		}
		const encoded = "order%20%C3%A4+1%2050%25"
		if got := s.do("start", args{"name": "Listen", "id": encoded}); got != id {
			s.Errorf("the id is %q, want %q", got, id)
		}
		s.do("raise", args{"id": encoded, "event": "Word", "data": message{"hi", 1}})
		s.same("its output", s.until(encoded, "Completed")["output"], message{"hi", 1})
	}},
	// What the Go type takes as it is stays as it is.
	{name: "an input that is a string", do: func(s session) {
		id := s.start("Hello", args{"input": "Ada"})
		want := "Hello, Ada"
		if s.python() {
			want = `Hello, "Ada"`
		}
		s.same("its output", s.until(id, "Completed")["output"], want)
	}},
	{name: "a start of a version", do: func(s session) {
		s.same("the current one", s.until(s.start("Which", nil), "Completed")["output"], 2)
		// 0 is the first, which has no number.
		s.same("the one that is asked for", s.until(s.start("Which", args{"version": "0"}), "Completed")["output"], 1)
	}},
	{name: "an unknown orchestration", do: func(s session) {
		s.refused("start", args{"name": "Nobody"}, "no orchestration", "Nobody", "Echo")
	}},
	{name: "an input of another type", do: func(s session) {
		s.refused("start", args{"name": "Echo", "input": []int{1}}, "object")
	}},
	{name: "an id that is not allowed", do: func(s session) {
		s.refused("start", args{"name": "Echo", "id": "@echo"}, "kept for entities")
	}},
	{name: "an id of a live instance", do: func(s session) {
		s.listens("mine")
		s.refused("start", args{"name": "Echo", "id": "mine"}, "409")
		s.until("mine", "Running")
	}},
	{name: "an id of an instance that has ended", do: func(s session) {
		s.ended("mine")
		s.start("Which", args{"id": "mine"})
		s.same("its output", s.until("mine", "Completed")["output"], 2)
	}},
	{name: "the links of an instance", do: func(s session) {
		s.listens("mine")
		links := s.do("links", args{"id": "mine"}).(map[string]any)
		s.same("their id", links["id"], "mine")
		if code, body := s.follow("GET", links["statusQueryGetUri"], ""); code != 202 || !strings.Contains(body, `"Running"`) {
			s.Errorf("its status is %d %s", code, body)
		}
		for _, step := range []struct{ method, link, status string }{
			{"POST", "suspendPostUri", "Suspended"}, {"POST", "resumePostUri", "Running"}, {"POST", "terminatePostUri", "Terminated"}} {
			link := strings.Replace(links[step.link].(string), "{text}", "why", 1)
			if code, body := s.follow(step.method, link, ""); code != 202 {
				s.Errorf("%s is answered with %d %s", step.link, code, body)
			}
			s.until("mine", step.status)
		}
		if code, body := s.follow("DELETE", links["purgeHistoryDeleteUri"], ""); code != 200 {
			s.Errorf("the purge is answered with %d %s", code, body)
		}
	}},
	{name: "a check-status response", do: func(s session) {
		got := s.do("checkStatus", args{"id": "mine"}).(map[string]any)
		s.same("the status", got["status"], 202)
		s.same("Retry-After", got["retryAfter"], "10")
		s.same("Location", got["location"], "https://front.example/runtime/webhooks/durabletask/instances/mine?taskHub=dev")
		s.same("the links", got["body"], map[string]string{
			"id":                    "mine",
			"statusQueryGetUri":     "https://front.example/runtime/webhooks/durabletask/instances/mine?taskHub=dev",
			"sendEventPostUri":      "https://front.example/runtime/webhooks/durabletask/instances/mine/raiseEvent/{eventName}?taskHub=dev",
			"terminatePostUri":      "https://front.example/runtime/webhooks/durabletask/instances/mine/terminate?reason={text}&taskHub=dev",
			"rewindPostUri":         "https://front.example/runtime/webhooks/durabletask/instances/mine/rewind?reason={text}&taskHub=dev",
			"purgeHistoryDeleteUri": "https://front.example/runtime/webhooks/durabletask/instances/mine?taskHub=dev",
			"restartPostUri":        "https://front.example/runtime/webhooks/durabletask/instances/mine/restart?taskHub=dev",
			"suspendPostUri":        "https://front.example/runtime/webhooks/durabletask/instances/mine/suspend?reason={text}&taskHub=dev",
			"resumePostUri":         "https://front.example/runtime/webhooks/durabletask/instances/mine/resume?reason={text}&taskHub=dev",
		})
	}},
}

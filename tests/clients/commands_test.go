//go:build clients

package clients_test

// reason has what is not to be in a URL as it is; the Node client sends it so.
const reason = "not needed, 100% sure: ä"

var commands = []scene{
	{name: "terminate", do: func(s session) {
		s.listens("mine")
		s.do("terminate", args{"id": "mine", "reason": reason})
		s.same("its output", s.until("mine", "Terminated")["output"], reason)
		s.do("terminate", args{"id": "mine", "reason": "again"}) // 410: both clients say nothing
		s.refused("terminate", args{"id": "nobody", "reason": "x"}, "nobody", "found")
	}},
	{name: "suspend and resume", do: func(s session) {
		s.listens("mine")
		s.refused("resume", args{"id": "mine", "reason": "x"}, "409")
		s.do("suspend", args{"id": "mine", "reason": reason})
		s.until("mine", "Suspended")
		s.refused("suspend", args{"id": "mine", "reason": "x"}, "409")
		s.do("resume", args{"id": "mine", "reason": reason})
		s.until("mine", "Running")
		s.refused("suspend", args{"id": "nobody", "reason": "x"}, "nobody", "found")
		s.refused("resume", args{"id": "nobody", "reason": "x"}, "nobody", "found")
	}},
	{name: "suspend one that has ended", do: func(s session) {
		s.ended("mine")
		s.do("suspend", args{"id": "mine", "reason": "x"}) // 410: both clients say nothing
		s.do("resume", args{"id": "mine", "reason": "x"})
		s.until("mine", "Completed")
	}},
	{name: "rewind", do: func(s session) {
		id := s.start("Brittle", args{"input": message{"x", 1}})
		s.until(id, "Failed")
		s.hub.mended.Store(true)
		s.do("rewind", args{"id": id, "reason": "it is mended"})
		s.same("its output", s.until(id, "Completed")["output"], message{"x", 1})
		s.refused("rewind", args{"id": id, "reason": "x"}, "Completed")
		s.refused("rewind", args{"id": "nobody", "reason": "x"}, "nobody")
	}},
	{name: "restart", only: "python", do: func(s session) {
		s.ended("mine")
		started, _ := s.do("restart", args{"id": "mine", "newID": true}).(map[string]any) // it gives the body of the answer
		id, _ := started["id"].(string)
		if id == "" || id == "mine" {
			s.Fatalf("the new run is %v", started)
		}
		s.same("its output", s.until(id, "Completed")["output"], message{"x", 1})
		started, _ = s.do("restart", args{"id": "mine", "newID": false}).(map[string]any)
		s.same("the id of the other", started["id"], "mine")
		s.until("mine", "Completed")
		s.refused("restart", args{"id": "nobody", "newID": true}, "nobody", "found")
		s.listens("live")
		s.refused("restart", args{"id": "live", "newID": false}, "409")
	}},
	{name: "purge", do: func(s session) {
		s.ended("mine")
		s.same("how many", s.do("purge", args{"id": "mine"}), 1)
		s.same("how many again", s.do("purge", args{"id": "mine"}), 0)
		s.listens("live")
		s.refused("purge", args{"id": "live"}, "412")
		s.until("live", "Running")
	}},
}

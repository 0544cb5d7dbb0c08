//go:build clients

package clients_test

var events = []scene{
	{name: "an event", do: func(s session) {
		s.listens("mine")
		s.do("raise", args{"id": "mine", "event": "Word", "data": message{"ä", 3}})
		s.same("its output", s.until("mine", "Completed")["output"], message{"ä", 3})
	}},
	{name: "an event whose name is written otherwise", do: func(s session) {
		s.listens("mine")
		s.do("raise", args{"id": "mine", "event": "wORD", "data": message{"x", 3}})
		s.same("its output", s.until("mine", "Completed")["output"], message{"x", 3})
	}},
	{name: "an event without data", do: func(s session) {
		s.listens("mine")
		s.do("raise", args{"id": "mine", "event": "Word"})
		s.same("its output", s.until("mine", "Completed")["output"], message{})
	}},
	{name: "an event for nobody", do: func(s session) {
		s.refused("raise", args{"id": "nobody", "event": "Word"}, "nobody", "found")
	}},
	{name: "an event for one that has ended", do: func(s session) {
		s.ended("mine")
		if s.python() {
			s.refused("raise", args{"id": "mine", "event": "Word"}, "gone")
			return
		}
		s.do("raise", args{"id": "mine", "event": "Word"}) // the Node client says nothing
	}},
	{name: "an event for one that is suspended", do: func(s session) {
		s.listens("mine")
		s.do("suspend", args{"id": "mine", "reason": "wait"})
		s.until("mine", "Suspended")
		s.do("raise", args{"id": "mine", "event": "Word", "data": message{"x", 1}})
		s.until("mine", "Suspended")
		s.do("resume", args{"id": "mine", "reason": "go on"})
		s.same("its output", s.until("mine", "Completed")["output"], message{"x", 1})
	}},
}

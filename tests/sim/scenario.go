package sim

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"regexp"
	"time"

	"github.com/durable-lambda/durable-lambda/durable"
	"github.com/durable-lambda/durable-lambda/durable/history"
	"github.com/durable-lambda/durable-lambda/examples/orders"
)

// scenario is a fixed program, and what its client asks for. Nothing goes wrong in it but what a director wants.
type scenario struct {
	name string
	plan func(*Plan)
	// long ones have too many places to crash at each pair of them.
	long bool
	act  func(*stage)
}

// stage collects what the client of a scenario asks for, one after the other.
type stage struct {
	w      *World
	script []*request
}

// outcome is what became of a scenario.
type outcome struct {
	Result
	// ends are how the newest life of each instance ended.
	ends map[string]string
	// places is how many there were.
	places int
}

// run runs the scenario. Nobody but the director and the scheduler's fixed seed decides anything.
func (sc scenario) run(direct director, traced bool, set ...func(*World)) outcome {
	plan := Plan{Seed: 1, Orchestrators: 2, Runners: 1, Budget: 100, Sticky: 1, Persistent: true, Warm: 1 << 20}
	if sc.plan != nil {
		sc.plan(&plan)
	}
	w := newWorld(plan, rand.New(rand.NewPCG(1, 0x5ce)), traced)
	w.direct = direct
	for _, f := range set {
		f(w)
	}
	r := w.run(func() {
		s := &stage{w: w}
		sc.act(s)
		w.spawn("client1", w.client(s.script))
		w.spawnCloser()
	})
	out := outcome{r, map[string]string{}, w.places}
	for _, l := range w.check.order {
		if w.check.parentOf(l) == nil { // what becomes of children may depend on when their parent ends
			out.ends[l.instance] = l.how()
		}
	}
	return out
}

// chosen are the parts of a result that a life's random identity decides, or the time that it takes.
var chosen = regexp.MustCompile(`"ID":"[0-9a-f-]+",?|-[0-9a-f]{12,16}|"(From|To|At|Till)":\d+,?`)

// how a life ended.
func (l *life) how() string {
	switch {
	case l.end == nil:
		return "never"
	case l.end.Kind == history.ExecutionFailed:
		return "Failed " + l.end.Failure.Kind
	}
	return fmt.Sprint(l.end.Kind, " ", chosen.ReplaceAllString(string(l.end.Data.Bytes), ""))
}

// start has an instance started.
func (s *stage) start(id, program string, input any) {
	s.startAt(0, id, program, input)
}

func (s *stage) startAt(at time.Duration, id, program string, input any) {
	data, err := json.Marshal(input)
	if err != nil {
		panic(err)
	}
	t := &task{instance: id, program: programNamed(program), input: data}
	s.w.tasks = append(s.w.tasks, t)
	reuse := durable.ReuseEnded
	if t.program.once {
		reuse = durable.ReuseNever
	}
	s.script = append(s.script, t.start(epoch.Add(at), reuse))
}

// schedule has an instance started whose code begins later.
func (s *stage) schedule(due time.Duration, id, program string, input any) {
	s.start(id, program, input)
	s.w.tasks[len(s.w.tasks)-1].due = epoch.Add(due)
}

func (s *stage) raise(at time.Duration, id, name string, v any) {
	data, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	req := durable.EventRequest{Instance: id, Name: name, Data: data, ID: fmt.Sprint("event-", len(s.script))}
	s.script = append(s.script, raise(req, epoch.Add(at)))
}

func (s *stage) manage(at time.Duration, id string, c durable.Command) {
	s.script = append(s.script, manage(id, c, epoch.Add(at)))
}

func (s *stage) purge(at time.Duration, id string) {
	s.script = append(s.script, purge(id, epoch.Add(at)))
}

// tree is a scenario of one tree.
func tree(name string, plan func(*Plan), root Node) scenario {
	return scenario{name: name, plan: plan, act: func(s *stage) { s.start("i1", "anything", Tree{Root: root}) }}
}

func ask(key string) Node                  { return Node{Do: "call", Key: key} }
func broken(key string, until uint32) Node { return Node{Do: "call", Key: key, Broken: until} }
func leave(key string) Node                { return Node{Do: "leave", Key: key} }
func step(key string) Node                 { return Node{Do: "step", Key: key} }
func sleep(d time.Duration) Node           { return Node{Do: "sleep", For: d} }
func wait(d time.Duration) Node            { return Node{Do: "wait", For: d} }
func nodes(do string, k ...Node) Node      { return Node{Do: do, Kids: k} }

// anOrder is the input of an order.
func anOrder(price int64, country, token string) orders.Input {
	return orders.Input{Order: orders.Order{
		ID: "i1", Customer: orders.Customer{Name: "Ada", Email: "ada@example.com"}, Currency: "EUR",
		Items:   []orders.Item{{SKU: "BOOK-1", Quantity: 2, UnitPrice: price}},
		ShipTo:  orders.Address{Street: "1 Main St", City: "Berlin", Postcode: "10115", Country: country},
		Payment: orders.Card{Token: token},
	}}
}

func order(name string, approve *bool, in orders.Input) scenario {
	return scenario{name: name, long: true, act: func(s *stage) {
		s.start("order-i1", "orders", in)
		if approve != nil {
			s.raise(time.Minute, "order-i1", "approval", orders.Decision{Approved: *approve, By: "Grace"})
		}
	}}
}

// chunked makes every turn take many segments; handedOn has each of them go on elsewhere.
func chunked(p *Plan)  { p.SegmentCommands = 1 }
func handedOn(p *Plan) { p.SegmentCommands, p.HandOn = 1, 1 }
func dueRows(p *Plan)  { p.DirectDelay = 10 * time.Second }

// cold keeps nothing warm, and crowded not for long; fewAtOnce lets two activities go at a time; folded folds after every turn.
func cold(p *Plan)      { p.Warm = 0 }
func crowded(p *Plan)   { p.Warm = 12_000 }
func fewAtOnce(p *Plan) { p.InFlight = 2 }
func folded(p *Plan)    { p.FoldBytes, p.Warm = 1, 12_000 }
func couriers(p *Plan)  { p.Programs = []string{"outside"} }
func crammed(p *Plan) {
	p.FoldBytes, p.Warm, p.InFlight, p.SegmentCommands, p.HandOn = 1, 12_000, 2, 1, 0.5
}

// scenarios are what is crashed everywhere.
var scenarios = []scenario{
	tree("sequence", nil, nodes("seq", ask("a"), ask("b"))),
	tree("retry", nil, Node{Do: "call", Key: "a", Fails: 1}),
	tree("failure", nil, nodes("seq", Node{Do: "call", Key: "a", Fails: 1, Final: true}, ask("b"))),
	tree("fan", nil, Node{Do: "fan", Key: "f", N: 12, Fails: 1}),
	tree("coroutines", nil, nodes("par", nodes("seq", ask("a"), ask("b")), nodes("seq", step("c"), ask("d")))),
	tree("race", nil, nodes("race", ask("a"), sleep(time.Minute))),
	tree("within", nil, nodes("seq", wait(20*time.Second), ask("a"))),
	tree("timers", dueRows, nodes("seq", sleep(time.Second), sleep(3*time.Hour))),
	tree("cancelled timer", dueRows, nodes("seq", nodes("race", ask("a"), sleep(3*time.Hour)), ask("b"))),
	tree("steps", nil, nodes("seq", step("a"), ask("b"), step("c"), Node{Do: "status", Key: "d"})),
	tree("steps in chunks", chunked, nodes("seq", nodes("par", step("a"), step("b"), ask("c")), leave("d"), ask("e"))),
	{name: "steps at most once", act: func(s *stage) { s.start("i1", "once", Plain{N: 1}) }},
	{name: "steps at most once in chunks handed on", long: true, plan: handedOn, act: func(s *stage) { s.start("i1", "once", Plain{N: 2}) }},
	tree("chunks handed on", handedOn, nodes("seq", Node{Do: "fan", Key: "f", N: 3}, leave("a"))),
	tree("unawaited ends", nil, nodes("seq", ask("a"), nodes("par", leave("b"), leave("c")))),
	tree("cold", cold, nodes("seq", ask("a"), step("b"), ask("c"))),
	tree("in flight", fewAtOnce, nodes("seq", Node{Do: "fan", Key: "f", N: 5, Fails: 1}, ask("a"))),
	tree("in flight at the end", fewAtOnce, nodes("par", leave("a"), leave("b"), leave("c"), leave("d"), step("e"))),
	tree("elsewhere", couriers, nodes("seq", Node{Do: "hand", Key: "a", Fails: 1}, ask("b"))),
	tree("folded", folded, nodes("seq", ask("a"), ask("b"), step("c"), ask("d"))),
	tree("all at once", crammed, nodes("seq", Node{Do: "fan", Key: "f", N: 5}, step("a"), leave("b"))),
	{name: "crowded", long: true, plan: crowded, act: func(s *stage) {
		for _, id := range []string{"i1", "i2", "i3"} {
			s.start(id, "anything", Tree{Root: nodes("seq", ask("a"), step("b"), ask("c"))})
		}
	}},
	{name: "suspended in flight", plan: fewAtOnce, act: func(s *stage) {
		s.start("i1", "anything", Tree{Root: nodes("seq", sleep(2*time.Second), Node{Do: "fan", Key: "f", N: 5})})
		s.manage(2*time.Second, "i1", durable.Suspend)
		s.manage(time.Minute, "i1", durable.Resume)
	}},
	tree("a blob", nil, Node{Do: "call", Key: "a", Size: history.InlinePayload + 1}),
	{name: "events", act: func(s *stage) {
		s.start("i1", "events", Plain{N: 2})
		s.raise(0, "i1", "go", 1)
		s.raise(time.Second, "i1", "GO", 2)
	}},
	{name: "rounds", long: true, act: func(s *stage) {
		s.start("i1", "rounds", Rounds{Plain: Plain{N: 3}})
		for i := range 4 {
			s.raise(time.Duration(i)*time.Second, "i1", "go", i)
		}
	}},
	{name: "rounds in which nothing happens", plan: handedOn, act: func(s *stage) {
		s.start("i1", "rounds", Rounds{Plain: Plain{N: 5}, Round: 2})
	}},
	{name: "rounds that spin", plan: func(p *Plan) { p.SpinTurns = 2 }, act: func(s *stage) {
		s.start("i1", "rounds", Rounds{Plain: Plain{N: 5}, Round: 2})
		s.manage(time.Minute, "i1", durable.Resume)
	}},
	{name: "rounds handed on", long: true, plan: handedOn, act: func(s *stage) {
		s.start("i1", "rounds", Rounds{Plain: Plain{N: 2}})
		s.raise(0, "i1", "go", 1)
		s.raise(0, "i1", "go", 2)
	}},
	{name: "a family", long: true, act: func(s *stage) { s.start("i1", "family", Plain{Instance: "i1", N: 1}) }},
	{name: "a family in chunks", long: true, plan: chunked, act: func(s *stage) { s.start("i1", "family", Plain{Instance: "i1", N: 3}) }},
	{name: "a family terminated", long: true, act: func(s *stage) {
		s.start("i1", "family", Plain{Instance: "i1", N: 2})
		s.script = append(s.script, terminate("i1", true, epoch.Add(3*time.Second)))
	}},
	{name: "a child whose id is taken", act: func(s *stage) {
		s.start("i1-f", "anything", Tree{Root: sleep(3 * time.Hour)})
		s.start("i1", "kin", Kin{Key: "f", Does: "own"})
	}},
	{name: "scheduled", act: func(s *stage) {
		s.schedule(time.Minute, "i1", "anything", Tree{Root: ask("a")})
	}},
	{name: "scheduled for long", plan: dueRows, act: func(s *stage) {
		s.schedule(3*time.Hour, "i1", "events", Plain{N: 1})
		s.raise(time.Hour, "i1", "go", 1)
	}},
	{name: "scheduled and suspended", plan: dueRows, act: func(s *stage) {
		s.schedule(time.Hour, "i1", "anything", Tree{Root: ask("a")})
		s.manage(time.Minute, "i1", durable.Suspend)
		s.manage(2*time.Minute, "i1", durable.Resume)
	}},
	{name: "scheduled, and suspended at the time", long: true, act: func(s *stage) {
		s.schedule(time.Minute, "i1", "anything", Tree{Root: ask("a")})
		s.manage(time.Second, "i1", durable.Suspend)
		s.manage(time.Hour, "i1", durable.Resume)
	}},
	{name: "scheduled and terminated", plan: dueRows, act: func(s *stage) {
		s.schedule(time.Hour, "i1", "anything", Tree{Root: ask("a")})
		s.manage(time.Minute, "i1", durable.Terminate)
	}},
	{name: "saga", act: func(s *stage) { s.start("i1", "saga", Plain{N: 2}) }},
	{name: "suspended and resumed", act: func(s *stage) {
		s.start("i1", "anything", Tree{Root: nodes("seq", sleep(2*time.Second), ask("a"))})
		s.manage(time.Second, "i1", durable.Suspend)
		s.manage(time.Minute, "i1", durable.Resume)
	}},
	{name: "terminated", act: func(s *stage) {
		s.start("i1", "anything", Tree{Root: nodes("seq", ask("a"), leave("b"), sleep(3*time.Hour))})
		s.manage(time.Minute, "i1", durable.Terminate)
	}},
	{name: "terminated while suspended", act: func(s *stage) {
		s.start("i1", "anything", Tree{Root: nodes("seq", ask("a"), sleep(3*time.Hour))})
		s.manage(time.Second, "i1", durable.Suspend)
		s.manage(time.Minute, "i1", durable.Terminate)
	}},
	{name: "an id used again", act: func(s *stage) {
		s.start("i1", "anything", Tree{Root: nodes("seq", ask("a"), leave("b"))})
		s.startAt(time.Hour, "i1", "anything", Tree{Root: ask("c"), Nonce: 1})
	}},
	{name: "rewound", long: true, act: func(s *stage) {
		s.start("i1", "frail", Tree{Root: nodes("seq", step("a"), nodes("undo", ask("b"),
			nodes("par", nodes("seq", broken("c", 1), ask("d")), nodes("seq", ask("e"), step("f"), broken("g", 1))), leave("h")))})
		s.manage(time.Hour, "i1", durable.Rewind)
	}},
	{name: "rewound with a child", long: true, act: func(s *stage) {
		s.start("i1", "frail", Tree{Root: nodes("seq", ask("a"), nodes("hasty", nodes("child", ask("b"), broken("c", 2), ask("d")), broken("e", 1)), ask("f"))})
		s.manage(time.Hour, "i1", durable.Rewind)
		s.manage(2*time.Hour, "i1", durable.Rewind)
	}},
	{name: "rewound when a child has completed", long: true, act: func(s *stage) {
		s.start("i1", "frail", Tree{Root: nodes("hasty", broken("a", 1), nodes("child", sleep(10*time.Minute), ask("b")))})
		s.manage(time.Hour, "i1", durable.Rewind)
	}},
	{name: "rewound twice", long: true, plan: func(p *Plan) { p.Unordered = true }, act: func(s *stage) {
		s.start("i1", "frail", Tree{Root: nodes("seq", ask("a"), broken("b", 2), ask("c"))})
		s.manage(time.Hour, "i1", durable.Rewind)
		s.manage(2*time.Hour, "i1", durable.Rewind)
	}},
	{name: "rewound twice, in chunks", long: true, plan: handedOn, act: func(s *stage) {
		s.start("i1", "frail", Tree{Root: nodes("hasty", Node{Do: "beside", For: 3 * time.Hour, Kids: []Node{ask("a"), broken("b", 2)}}, broken("c", 1), ask("d"))})
		s.manage(time.Hour, "i1", durable.Rewind)
		s.manage(2*time.Hour, "i1", durable.Rewind)
	}},
	{name: "purged", long: true, act: func(s *stage) {
		s.start("i1", "anything", Tree{Root: nodes("seq", Node{Do: "call", Key: "a", Size: history.InlinePayload + 1}, leave("b"))})
		s.purge(time.Hour, "i1")
	}},
	{name: "purged and started again", long: true, plan: folded, act: func(s *stage) {
		s.start("i1", "anything", Tree{Root: nodes("seq", Node{Do: "call", Key: "a", Size: history.InlinePayload + 1}, ask("b"))})
		s.purge(time.Hour, "i1")
		s.startAt(2*time.Hour, "i1", "anything", Tree{Root: nodes("seq", ask("c"), step("d")), Nonce: 1})
	}},
	{name: "two instances", long: true, act: func(s *stage) {
		s.start("i1", "anything", Tree{Root: nodes("seq", ask("a"), ask("b"))})
		s.start("i2", "anything", Tree{Root: nodes("par", ask("c"), step("d"))})
	}},
	{name: "a bug and its fix", long: true, plan: func(p *Plan) { p.Deploys = true }, act: func(s *stage) {
		s.start("i1", "buggy", Plain{N: 2})
		s.w.deploys = []time.Time{epoch.Add(time.Minute), epoch.Add(2 * time.Minute)}
		s.manage(3*time.Minute, "i1", durable.Resume)
	}},
	{name: "a bug, and its fix at the end", long: true, plan: func(p *Plan) { p.Deploys = true }, act: func(s *stage) {
		s.start("i1", "buggy", Plain{N: 1})
		s.w.deploys = []time.Time{epoch.Add(9 * time.Hour), epoch.Add(10 * time.Hour)}
		s.raise(8*time.Hour, "i1", "go", 1)
		s.raise(11*time.Hour, "i1", "go", 2)
	}},
	{name: "reset", long: true, act: func(s *stage) { // a step and an activity; it ends at once, with that result
		s.start("i1", "edited", Plain{N: 2, Nonce: 0o50})
		s.reset(time.Hour, durable.ResetRequest{Instance: "i1", Operation: "1", Result: []byte(`"e"`)})
	}},
	{name: "reset while a child runs", long: true, act: func(s *stage) { // two timers, and a child that stays
		s.start("i1", "edited", Plain{N: 3, Nonce: 0o311})
		s.reset(time.Hour, durable.ResetRequest{Instance: "i1", Operation: "0", Result: []byte("null")})
	}},
	madeOf("a scope that is over, and an undoing", nil,
		Node{Do: "within", For: 2 * time.Hour, Kids: []Node{ask(""), sleep(3 * time.Hour), leave("")}},
		Node{Do: "saga", Final: true, Kids: []Node{ask(""), {Do: "check"}, {Do: "first", Kids: []Node{ask(""), sleep(3 * time.Hour)}}}}),
	madeOf("a map and a group", chunked,
		Node{Do: "map", N: 2, M: 2, Kids: []Node{ask(""), {Do: "call", Fails: attempts, Final: true}, step(""), nodes("seq", ask(""), step(""))}},
		nodes("group", nodes("detached", ask("")), Node{Do: "call", Fails: attempts, Final: true}, sleep(3*time.Hour))),
	madeOf("versions, and a child that is waited for in the end", handedOn,
		nodes("cancel", Node{Do: "hear", For: 3 * time.Hour}, ask("")), Node{Do: "tell", N: toItself}, Node{Do: "renew", N: 1},
		Node{Do: "hear", For: 3 * time.Hour}, Node{Do: "child", N: int(durable.WaitForChild), M: 1, Fails: 1, Kids: []Node{sleep(time.Minute), ask("")}}),
	order("an order", nil, anOrder(1250, "DE", "tok_visa")),
	order("an order approved", new(true), anOrder(250_000, "DE", "tok_flaky")),
	order("an order not approved", new(false), anOrder(250_000, "DE", "tok_visa")),
	order("an order refunded", nil, anOrder(1250, "ZZ", "tok_visa")),
}

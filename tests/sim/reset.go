package sim

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"math/rand/v2"
	"strconv"
	"strings"
	"time"

	"github.com/durable-lambda/durable-lambda/durable"
	"github.com/durable-lambda/durable-lambda/durable/client"
	"github.com/durable-lambda/durable-lambda/durable/history"
)

// What a reset does is folded here from the record, independently of the worker and of replay: where it must cut, what stands, and
// what the operation comes to. The program is a chain, each link of which asks with what came of all before it: so a result that is
// edited shows in everything behind it.

var editedOrch = durable.NewOrchestration[Plain, string]("Edited")

// edited is a program that is reset at any of its operations.
var edited = &program{name: "edited", orchestration: "Edited", event: goEvent, want: wantEdited, kin: true, reset: true,
	input: func(r *rand.Rand, instance string) any {
		return Plain{Instance: instance, N: 2 + r.IntN(5), Nonce: r.Uint32()}
	}}

// links are what each part of the chain may be.
var links = [...]string{"step", "sleep", "take", "child", "pair", "call", "call", "call"}

func (p Plain) link(i int) string { return links[p.Nonce>>(3*i)&7] }

// digest names what came so far.
func digest(sum string) string { return fmt.Sprintf("%08x", crc32.ChecksumIEEE([]byte(sum))) }

// linked is what a link asks for.
func linked(key string) Job {
	j := Job{Key: key}
	if key[0] == '0' {
		j.Size = history.InlinePayload
	}
	return j
}

// child is what a child does: one in four stays.
func linkedKin(key string) Kin {
	if strings.ContainsRune("048c", rune(key[1])) {
		return Kin{Key: key, Does: "stay"}
	}
	return Kin{Key: key[:1], Does: "work"}
}

func (w *World) edited(ctx durable.Context, in Plain) (string, error) {
	sum := ""
	for i := range in.N {
		key, v, err := digest(sum), "", error(nil)
		switch in.link(i) {
		case "step":
			v, err = durable.Step(ctx, "link", func(context.Context) (string, error) { return "s" + key, w.inStep(0) })
		case "sleep":
			err = durable.Sleep(ctx, 20*time.Second)
		case "take":
			var n int
			n, err = goOn.Next(ctx).Await()
			v = fmt.Sprint(n)
		case "child":
			v, err = kinOrch.Call(ctx, linkedKin(key))
		case "pair":
			a, b := work.Start(ctx, linked(key+"a")), work.Start(ctx, linked(key+"b"))
			var err2 error
			v, err = a.Await()
			key, err2 = b.Await()
			v, err = v+key, errors.Join(err, err2)
		default:
			v, err = work.Call(ctx, linked(key))
		}
		if err != nil {
			return "", err
		}
		sum += v + ";"
	}
	return sum, nil
}

// edit is a value that a reset has said, and the segment of the reset.
type edit struct {
	data []byte
	at   int
}

// wantEdited: every link asks with what came before it, or as the last reset has it, and the output is all that came.
func wantEdited(w *World, l *life) error {
	var in Plain
	start := l.start.Data.Bytes
	if l.begunWith != nil {
		start = l.begunWith
	}
	if err := json.Unmarshal(start, &in); err != nil {
		return err
	}
	if l.end.Kind == history.ExecutionFailed && w.plan.Loses {
		return nil // the end of a child of before, perhaps
	}
	c := chain{l: l}
	for i := range in.N {
		key := digest(c.sum)
		switch in.link(i) {
		case "step":
			c.came(nil, func(history.Payload) string { return "s" + key })
		case "sleep":
			c.came(nil, nil)
		case "take":
			c.take()
		case "child":
			c.came(linkedKin(key), func(asked history.Payload) string {
				var k Kin
				_ = json.Unmarshal(asked.Bytes, &k)
				if k.Does == "stay" {
					return k.Key
				}
				return Job{Key: k.Key, Size: history.InlinePayload / 2 * len(k.Key)}.result(attempts)
			})
		case "pair":
			c.came(linked(key+"a"), resultOf)
			c.came(linked(key+"b"), resultOf)
		default:
			c.came(linked(key), resultOf)
		}
		c.sum += ";"
	}
	if c.err != nil {
		return c.err
	}
	return l.wantOutput(c.sum)
}

func resultOf(asked history.Payload) string {
	var j Job
	_ = json.Unmarshal(asked.Bytes, &j)
	return j.result(attempts)
}

// chain walks through the operations that stand.
type chain struct {
	l     *life
	path  int
	taken int
	sum   string
	err   error
}

// came adds what came of the next operation, which must have been asked for like that.
func (c *chain) came(asked any, comes func(history.Payload) string) {
	name := strconv.Itoa(c.path)
	c.path++
	o, g := c.l.ops[name], c.l.given[name]
	if o == nil && g != nil {
		c.add(name, g.data)
		return
	}
	if o == nil || o.outcome == nil {
		c.fail("operation %s has not come to anything", name)
		return
	}
	if want, err := json.Marshal(asked); asked != nil && !bytes.Equal(want, o.code) {
		c.fail("operation %s is asked for with %s, want %s (%v)", name, o.code, want, err)
	}
	if o.given || comes == nil {
		if comes != nil {
			c.add(name, o.outcome.Data.Bytes)
		}
		return
	}
	if asked != nil && !bytes.Equal(o.command.Data.Bytes, c.l.asks(name, o)) {
		c.fail("operation %s is asked for with %s, not with what a reset says", name, o.command.Data.Bytes)
	}
	before := len(c.sum)
	c.add(name, o.outcome.Data.Bytes)
	if got, want := c.sum[before:], comes(o.command.Data); got != want {
		c.fail("operation %s came to %.60q, want %.60q", name, got, want)
	}
}

func (c *chain) add(name string, data []byte) {
	var v string
	if err := json.Unmarshal(data, &v); err != nil {
		c.fail("operation %s: %v", name, err)
	}
	c.sum += v
}

// take adds the next event, of all that ever came.
func (c *chain) take() {
	if c.taken == len(c.l.raised) {
		c.fail("there are only %d events", c.taken)
		return
	}
	c.sum += strings.TrimSpace(string(c.l.raised[c.taken].Data.Bytes))
	c.taken++
}

func (c *chain) fail(format string, args ...any) {
	if c.err == nil {
		c.err = fmt.Errorf(format, args...)
	}
}

// resets reports whether a segment is a reset.
func resets(seg *history.Segment) bool {
	return len(seg.Events) > 0 && seg.Events[0].Kind == history.ExecutionReset && seg.Events[0].Rewound != nil
}

// resettable reports whether a reset may follow the end.
func (l *life) resettable() bool { return !l.sealed && l.next == nil && !l.refused() && !l.renewed() }

// asks is what an operation from before a cut is to be asked for again with.
func (l *life) asks(name string, o *op) []byte {
	if e := l.edits[name]; e != nil {
		return e.data
	}
	return o.code
}

// before is the segment that comes before one that begins a turn, in what stands.
func (l *life) before(n int) int {
	for n > 0 && (rewinds(l.segments[n]) || resets(l.segments[n])) {
		from := int(l.segments[n].Events[0].Rewound.From)
		if from == n {
			break
		}
		n = from
	}
	return n - 1
}

// cutOf is where a reset must cut.
func (l *life) cutOf(e *history.Event, n int) (int, error) {
	o, g := l.ops[e.Op], l.given[e.Op]
	switch {
	case e.Op == history.StartOp:
		return 0, nil
	case o == nil && g != nil:
		return l.begins(g.at), nil
	case o == nil:
		return 0, errors.New("there is no such operation")
	case o.outcome == nil && l.end != nil:
		return l.begins(l.ended), nil
	case o.outcome == nil && l.unfinished[n-1]:
		return 0, errors.New("it is in the middle of a turn")
	case o.outcome == nil:
		return n, nil
	}
	cut := l.begins(o.settled)
	for o.command.Kind == history.StepStarted {
		before := l.before(cut)
		if before < 0 || !l.was[before] {
			break
		}
		cut = l.begins(before)
	}
	return cut, nil
}

// reset folds a reset.
func (l *life) reset(seg *history.Segment) error {
	e, n := &seg.Events[0], len(l.segments)-1
	cut, err := l.cutOf(e, n)
	switch {
	case err != nil:
		return err
	case len(seg.Events) != 1 || !seg.More:
		return errors.New("it is not alone, or its turn does not go on")
	case int(e.Rewound.From) != cut:
		return fmt.Errorf("it cuts at segment %d, and the outcome of %s came in at %d", e.Rewound.From, e.Op, cut)
	}
	l.rewinds++
	l.unbegin(cut)
	l.again = map[string]*op{}
	for _, all := range []map[string]*edit{l.given, l.edits} {
		for name, g := range all {
			if g.at >= cut {
				delete(all, name)
			}
		}
	}
	for name, o := range l.ops {
		before := o.asked < cut
		if name == history.StartOp || before && (o.outcome != nil && o.settled < cut || o.command.Kind == history.EventSent) {
			continue
		}
		child := o.command.Kind == history.SubOrchestrationCreated
		o.ending = child && o.outcome == nil && (name == e.Op || !before || l.unwanted(o))
		if o.ending {
			l.parting[n] = append(l.parting[n], o)
		}
		o.anew = child && (o.ending || o.outcome != nil)
		o.gone = true
		delete(l.ops, name)
		switch {
		case !before:
		case name == e.Op && e.Edit == history.EditResult:
			l.ops[name] = &op{command: o.command, code: o.code, asked: o.asked, outcome: e, settled: n, given: true}
		default:
			l.again[name] = o
		}
	}
	switch {
	case e.Edit == history.EditResult && l.ops[e.Op] == nil:
		l.given[e.Op] = &edit{e.Data.Bytes, n}
	case e.Edit == history.EditInput && e.Op == history.StartOp:
		l.begunWith = e.Data.Bytes
	case e.Edit == history.EditInput:
		l.edits[e.Op] = &edit{e.Data.Bytes, n}
	}
	l.end, l.ended, l.suspended, l.byWorker = nil, 0, false, false
	return nil
}

// futile checks a reset that comes to nothing: what has an outcome can be reset.
func (l *life) futile(n int, e *history.Event) error {
	if e.Failure == nil {
		return errors.New("it says not why")
	}
	if o := l.ops[e.Op]; o != nil && o.outcome != nil && o.settled < n && e.Edit != history.EditInput {
		return fmt.Errorf("it could have been done, and was not: %s", e.Failure.Message)
	}
	return nil
}

// unparted names the first child that a reset is to end and that was not told, or never started.
func (l *life) unparted(segment int) string {
	for _, o := range l.parting[segment] {
		if o.parted == 0 || o.sent == 0 {
			return "the end of the child " + o.command.Target.Instance
		}
	}
	return ""
}

// resets makes up who has the instance reset, when and where. It has dice of its own.
func (w *World) resets(id string, p *program, add func(*request)) {
	if !p.reset {
		return
	}
	dice := rand.New(rand.NewPCG(w.plan.Seed, uint64(len(id))<<8|uint64(id[len(id)-1])|1<<33))
	for range 1 + dice.IntN(5) {
		most := pick(dice, time.Second, 30*time.Second, 5*time.Minute, 4*time.Hour, 40*time.Hour)
		add(reset(id, dice, epoch.Add(time.Duration(dice.Int64N(int64(most))))))
	}
}

// reset resets an instance to any operation that its history shows, or to its start.
func reset(id string, dice *rand.Rand, at time.Time) *request {
	return &request{at: at, what: "reset " + id, call: func(ctx context.Context, a *actor, c *client.Client) error {
		all, err := c.History(ctx, id)
		if err != nil {
			return err
		}
		kinds := map[string]history.Kind{history.StartOp: history.ExecutionStarted}
		ops := []string{history.StartOp}
		for _, e := range all {
			switch e.Kind {
			case history.TaskScheduled, history.TimerCreated, history.SubOrchestrationCreated, history.StepCompleted:
				if kinds[e.Op] == 0 {
					ops = append(ops, e.Op)
				}
				kinds[e.Op] = e.Kind
			}
		}
		req := durable.ResetRequest{Instance: id, Operation: pick(dice, ops...), Reason: "somebody knows better"}
		size := pick(dice, 0, 0, 0, history.InlinePayload)
		name := fmt.Sprintf("e%d%s", dice.IntN(1000), strings.Repeat("_", size))
		var result, input any = name, nil
		switch kinds[req.Operation] {
		case history.ExecutionStarted:
			result, input = nil, Plain{Instance: id, N: 2 + dice.IntN(5), Nonce: dice.Uint32()}
		case history.TaskScheduled:
			input = Job{Key: name}
		case history.SubOrchestrationCreated:
			input = Kin{Key: name[:2], Does: "work"}
		case history.TimerCreated:
			result = json.RawMessage("null")
		}
		switch edit := dice.IntN(3); {
		case edit == 0 && result != nil:
			req.Result, err = json.Marshal(result)
		case edit == 1 && input != nil:
			req.Input, err = json.Marshal(input)
		}
		if err != nil {
			return err
		}
		err = c.Reset(ctx, req)
		if err != nil && !errors.Is(err, durable.ErrNotResettable) && !errors.Is(err, durable.ErrNotFound) && !open(err) && !a.dead {
			a.w.fail("%s cannot reset %s to %s: %v", a, id, req.Operation, err)
		}
		return err
	}}
}

// reset resets an instance in a scenario.
func (s *stage) reset(at time.Duration, req durable.ResetRequest) {
	req.ID = fmt.Sprint("reset-", len(s.script))
	s.script = append(s.script, &request{at: epoch.Add(at), what: "reset " + req.Instance, call: func(ctx context.Context, _ *actor, c *client.Client) error {
		return c.Reset(ctx, req)
	}})
}

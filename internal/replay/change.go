package replay

import "github.com/durable-lambda/durable-lambda/durable/history"

// markKey is where the mark of a change is found: it has no number of its own, so that asking for it changes no other.
func markKey(id string) string { return "change " + id }

// Changed reports which side of a change the code is to take: true where it comes to the place for the first time, and marks it,
// and false where the history has passed it without a mark. All places of one id are one side, the one that is asked for first.
func (r *Run) Changed(id string) bool {
	r.alive()
	if took, asked := r.changes[id]; asked {
		return took
	}
	op := r.ops.get(markKey(id))
	took := op != nil && op.event.Version > 0
	if op != nil && !op.asked && op.number > 0 {
		op.asked = true
		r.groups[op.group].marks--
	}
	if op == nil && !r.passed() {
		path := string(r.nextPath())
		r.current.n--
		r.own()
		r.add(&history.Event{Kind: history.ChangeMarked, Op: path, Name: id, Version: 1})
		took = true
	}
	if r.changes == nil {
		r.changes = map[string]bool{}
	}
	r.changes[id] = took
	return took
}

// passed reports whether the code that made the history has been here, as far as the history tells: it has something that was asked
// for behind it.
func (r *Run) passed() bool {
	return r.past() || r.groups[r.group()].unseen > 0 || r.unrun > 0
}

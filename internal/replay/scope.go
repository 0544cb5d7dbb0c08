package replay

import "slices"

// Scope is what some of the code's waits have in common: they are given up together. The nil scope is never over.
type Scope struct {
	cause error
	waits []scoped
	inner []*Scope
}

// scoped is a wait of a scope.
type scoped struct {
	promise *Promise
	drop    func() // says that nobody waits any more; nil: nothing has to be done for it
}

// Err is why the scope is over; nil while it is not.
func (s *Scope) Err() error {
	if s == nil {
		return nil
	}
	return s.cause
}

// Scope makes a scope within another, or within none: it is over at the latest when that one is.
func (r *Run) Scope(parent *Scope) *Scope {
	s := &Scope{cause: parent.Err()}
	if parent != nil && s.cause == nil {
		if len(parent.inner) == cap(parent.inner) { // before it grows: forget those that are over
			parent.inner = slices.DeleteFunc(parent.inner, func(s *Scope) bool { return s.cause != nil })
		}
		parent.inner = append(parent.inner, s)
	}
	return s
}

// Watch has p given up with the scope, unless it is done before: drop is called, and whoever waits for p goes on with the
// scope's cause.
func (r *Run) Watch(s *Scope, p *Promise, drop func()) {
	switch {
	case s == nil || p.done:
	case s.cause != nil:
		r.giveUp(scoped{p, drop}, s.cause)
	default:
		if len(s.waits) == cap(s.waits) {
			s.waits = slices.DeleteFunc(s.waits, func(w scoped) bool { return w.promise.done })
		}
		s.waits = append(s.waits, scoped{p, drop})
	}
}

// EndScope gives up all that the scope, and those in it, still wait for, in the order in which it was asked for, the scope's own
// before that of those in it. A scope ends once. In a panic nothing is given up, since nothing may be asked for: the instance
// is about to be suspended.
func (r *Run) EndScope(s *Scope, cause error) {
	if r.unwinding {
		return
	}
	r.alive()
	if s.cause != nil {
		return
	}
	if panics, _ := stack(); panics {
		return
	}
	r.giveUpAll(s, cause)
}

func (r *Run) giveUpAll(s *Scope, cause error) {
	s.cause = cause
	waits, inner := s.waits, s.inner
	s.waits, s.inner = nil, nil
	for _, w := range waits {
		r.giveUp(w, cause)
	}
	for _, in := range inner {
		if in.cause == nil {
			r.giveUpAll(in, cause)
		}
	}
}

func (r *Run) giveUp(w scoped, cause error) {
	if w.promise.done {
		return
	}
	if w.drop != nil {
		w.drop()
	}
	w.promise.err = cause
	r.complete(w.promise, nil)
}

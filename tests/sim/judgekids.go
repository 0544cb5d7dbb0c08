package sim

import (
	"slices"
	"strings"
)

// inner checks a node by its kids.
func (j *judge) inner(n Node, o *Played, causes []string) {
	for _, kid := range o.Kids {
		if over := o.Over != "" || n.Do == "within" && n.For <= 0; over && n.Do != "detached" && kid.From > 0 && kid.Over == "" {
			j.wrong(n, o, "what is in it goes on, and it was over when it began")
		}
	}
	switch n.Do {
	case "seq", "try", "detached", "later", "saga", "within":
		if n.Do == "detached" {
			causes = nil
		}
		if n.Do == "within" {
			causes = j.timed(n, o, causes)
		}
		err := j.seq(n, o, causes)
		j.sequel(n, o, err)
	case "child":
		j.child(n, o)
	case "group":
		j.group(n, o, causes)
	case "map", "least", "share":
		j.parallel(n, o, causes)
	case "cancel":
		j.canceled(n, o, causes)
	case "first":
		j.first(n, o, causes)
	case "completed":
		j.completed(n, o, causes)
	default:
		var errs []string
		for i, kid := range n.Kids {
			j.node(kid, o.Kids[i], causes)
			errs = append(errs, o.Kids[i].Err)
		}
		if want := union(errs...); o.Err != want {
			j.wrong(n, o, "its parts came to %s", want)
		}
	}
}

// union is the error that joins others.
func union(kinds ...string) string {
	var all []string
	for _, k := range kinds {
		if k != "" {
			all = append(all, strings.Split(k, "+")...)
		}
	}
	slices.Sort(all)
	return strings.Join(slices.Compact(all), "+")
}

// seq checks kids that were done one after the other, and returns the error of the last.
func (j *judge) seq(n Node, o *Played, causes []string) (err string) {
	for i, kid := range n.Kids {
		if i >= len(o.Kids) {
			if err == "" || n.Do == "try" {
				j.wrong(n, o, "it stops after part %d, which has not failed", i)
			}
			j.maybe(kid, nil)
			continue
		}
		if err != "" && n.Do != "try" {
			j.wrong(n, o, "it goes on after part %d, which has failed", i)
		}
		if i > 0 && o.Kids[i].From < o.Kids[i-1].To {
			j.wrong(n, o, "part %d begins before the one before it is over", i)
		}
		j.node(kid, o.Kids[i], causes)
		err = o.Kids[i].Err
	}
	return err
}

// sequel checks what comes of the kids' error.
func (j *judge) sequel(n Node, o *Played, err string) {
	switch n.Do {
	case "try":
		err = ""
	case "within":
		if o.V != "" && o.Err == "" {
			err = ""
		}
	case "saga":
		if err == "" && n.Final {
			err = "saga"
		}
		j.undoes(n, o, err != "")
	case "later":
		call := &Played{V: o.V, Over: o.Over, From: o.From, To: o.To, At: o.At, Till: o.Till}
		if value := short64(n.job().result(attempts)); value == "" || o.V != n.job().result(attempts) {
			call.V, call.Err = "", o.V
		}
		j.leaf(Node{Do: "call", Key: n.Key, Fails: n.Fails, Final: n.Final, Size: n.Size}, call)
		err = union(err, call.Err)
	}
	if o.Err != err {
		j.wrong(n, o, "what is in it came to %q", err)
	}
}

// undoes checks that a saga undoes what it has begun, the last first, when it fails, and else nothing.
func (j *judge) undoes(n Node, o *Played, failed bool) {
	var want, got []string
	for i := range n.Kids {
		j.known[n.undo(i)] = true
		if had := j.asked[n.undo(i)] == 0 && j.spare[n.undo(i)] > 0; failed && i < len(o.Kids) && !had {
			want = slices.Insert(want, 0, n.undo(i))
		}
	}
	for _, key := range j.undone {
		if strings.HasPrefix(key, n.Key+".") {
			got = append(got, key)
		}
	}
	if !slices.Equal(got, want) {
		j.wrong(n, o, "it undoes %v, want %v", got, want)
	}
}

// timed checks a scope with a time-out, and returns why what is in it may have been given up.
func (j *judge) timed(n Node, o *Played, causes []string) []string {
	switch {
	case o.V == "":
		return nil // neither it nor one around it was over when all in it had come to its end
	case o.V == "timeout" && o.Till-o.At >= n.For.Milliseconds():
	case !slices.Contains(causes, o.V):
		j.wrong(n, o, "it was over after %d ms, and not by its time-out of %v", o.Till-o.At, n.For)
	}
	return []string{o.V}
}

func (j *judge) child(n Node, o *Played) {
	times := 1
	if o.Over != "" {
		times = 0
	}
	if o.V != "" {
		j.times(n, o, o.V, times, times)
	} else if o.Over == "" {
		j.wrong(n, o, "it has no id")
	}
	switch {
	case n.Fails > 0 && o.Err == "":
	case o.gaveUp():
	case strings.Contains(o.Err, "terminated"), strings.HasPrefix(o.Err, "child") && n.Final, o.Err == "" && o.Over == "":
	default:
		j.wrong(n, o, "a child comes to no such error")
	}
}

// group checks that the first error is that of the whole, and what gives up the others.
func (j *judge) group(n Node, o *Played, causes []string) {
	if o.V != "" && !slices.Contains(causes, o.V) {
		j.wrong(n, o, "the scope around it is over for %s", o.V)
	}
	outer, first := given(o.V), (*Played)(nil)
	for _, kid := range o.Kids {
		if kid.Err != "" && (first == nil || kid.To < first.To) {
			first = kid
		}
	}
	want := ""
	if first != nil {
		want = first.Err
	}
	if o.Err != want {
		j.wrong(n, o, "the first error in it is %q", want)
	}
	for i, kid := range n.Kids {
		may := outer
		if first != nil && o.Kids[i].To > first.To {
			may = append(slices.Clone(outer), "canceled")
			j.prompt(kid, o.Kids[i], first.Till)
		}
		j.node(kid, o.Kids[i], may)
	}
}

// prompt checks that what only waits has ended with its scope.
func (j *judge) prompt(n Node, o *Played, at int64) {
	if o.Till > at && o.From > 0 && o.At <= at && n.waits() {
		j.wrong(n, o, "its scope was over at %d, and it goes on", at)
	}
}

// waits reports whether all that a node does is to wait for what its scope gives up.
func (n Node) waits() bool {
	switch n.Do {
	case "step", "check", "once", "inline", "detached", "saga":
		return false
	}
	return n.Do == "child" || !slices.ContainsFunc(n.Kids, func(kid Node) bool { return !kid.waits() })
}

// canceled checks a scope that ends with another task.
func (j *judge) canceled(n Node, o *Played, causes []string) {
	until := o.Kids[1]
	may := []string{o.V}
	if o.Kids[0].To < until.To {
		may = causes
	} else {
		j.prompt(n.Kids[0], o.Kids[0], until.Till)
	}
	if o.V != "canceled" && !slices.Contains(causes, o.V) {
		j.wrong(n, o, "its scope was canceled, and is over for %q", o.V)
	}
	j.node(n.Kids[0], o.Kids[0], may)
	j.node(n.Kids[1], until, causes)
	if o.Err != until.Err {
		j.wrong(n, o, "what it waited for came to %q", until.Err)
	}
}

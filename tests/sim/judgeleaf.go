package sim

import (
	"fmt"
	"strings"
)

// keys are what a node may ask for itself.
func (n Node) keys(o *Played) (keys []string) {
	switch n.Do {
	case "all":
		for i := range n.N {
			keys = append(keys, n.one(i).Key)
		}
	case "http":
		for left := range n.N + 1 {
			keys = append(keys, fmt.Sprint(n.Key, ".", left))
		}
	case "changed":
		keys = append(keys, n.Key+".old", n.Key+".new")
	case "retry":
		for i := range n.M {
			keys = append(keys, n.try(i+1).Key)
		}
	case "saga":
		for i := range n.Kids {
			keys = append(keys, n.undo(i))
		}
	case "child":
		if o.V != "" {
			keys = append(keys, o.V)
		}
	case "call", "leave", "step", "check", "once", "tell", "hand", "later":
		keys = append(keys, n.Key)
	}
	return keys
}

// leaf checks what one thing came to.
func (j *judge) leaf(n Node, o *Played) {
	times := 1
	if o.Over != "" {
		times = 0
	}
	for _, key := range n.keys(o) {
		j.times(n, o, key, times, times)
	}
	if o.Over != "" && n.Do != "status" && n.Do != "leave" && n.Do != "id" && o.Err != o.Over && (n.Do != "all" || n.N > 0) {
		j.wrong(n, o, "its scope was over when it began")
	}
	if o.gaveUp() {
		if at, ok := j.settled[n.Key]; ok && at < o.Till && !j.held {
			j.wrong(n, o, "it had its outcome at %d", at)
		}
		if (n.Do == "step" || n.Do == "check" || n.Do == "once" || n.Do == "inline" || n.Do == "tell") && o.Over == "" {
			j.wrong(n, o, "what has begun is not given up")
		}
		return
	}
	waited := o.Till - o.At
	switch n.Do {
	case "call":
		j.result(n, o, short64(n.job().result(attempts)))
	case "step", "check", "once", "inline":
		v := n.Key
		if n.Fails > 0 {
			v = ""
		}
		if n.Do == "once" && o.Err == "failed+unknown" {
			return
		}
		j.result(n, o, v)
	case "hand":
		if o.Err == "" || o.Err == "failed" {
			j.result(n, o, (Job{Key: n.Key, Fails: n.Fails}).result(attempts))
		} else if o.Err != "failed+late" && o.Err != "failed+lost" {
			j.wrong(n, o, "it comes to no such error")
		}
	case "sleep":
		if o.Err != "" || waited < n.For.Milliseconds() {
			j.wrong(n, o, "it slept for %d ms, not %v", waited, n.For)
		}
	case "wait", "hear":
		j.heard(n, o)
	case "id":
		if j.ids[o.V] || o.Err != "" || len(o.V) != 36 {
			j.wrong(n, o, "that id is not new")
		}
		j.ids[o.V] = true
	case "all":
		var values []string
		for i := range n.N {
			values = append(values, n.one(i).result(attempts))
		}
		if len(given(o.Err)) > 0 {
			return // some came before it was given up
		}
		j.result(n, o, strings.Join(values, " "))
	}
}

// result checks a value; without one it is a failure.
func (j *judge) result(n Node, o *Played, want string) {
	failed := ""
	if want == "" || strings.HasSuffix(want, " ") {
		failed = "failed"
	}
	got := strings.TrimSuffix(o.Err, "+late") // of an attempt that failed when its worker had stood still
	if got != failed || (failed == "" || n.Do == "all") && o.V != want {
		j.wrong(n, o, "it is to come to %q, error %q", want, failed)
	}
}

// heard checks an event that was taken: it came, and nobody else took it.
func (j *judge) heard(n Node, o *Played) {
	if o.V == "late" {
		if o.Till-o.At < n.For.Milliseconds() {
			j.wrong(n, o, "it waited for %d ms, not %v", o.Till-o.At, n.For)
		}
		name := map[string]string{"wait": "go", "hear": "tell"}[n.Do]
		j.late[name] = max(j.late[name], o.Till)
		return
	}
	key := "go " + o.V
	if n.Do != "wait" {
		key = "tell " + fmt.Sprintf("%q", o.V)
	}
	if j.events[key]--; j.events[key] < 0 || o.Err != "" {
		j.wrong(n, o, "no such event came that nobody else has taken")
	}
}

// flowed checks events that were taken as they came, up to N or to the end of the scope, which is the last that comes.
func (j *judge) flowed(n Node, o *Played) {
	over := ""
	for i, kid := range o.Kids {
		if over != "" || i == n.N {
			j.wrong(n, o, "it goes on with %+v", *kid)
		}
		if over = kid.Err; over == "" {
			j.heard(n, kid)
		}
	}
	switch {
	case over == "" && len(o.Kids) == n.N && o.Err == "":
	case o.Over != "" && (len(o.Kids) != 1 || o.Err != o.Over):
		j.wrong(n, o, "its scope was over when it began")
	case over == "", o.Err != "" && o.Err != over:
		j.wrong(n, o, "it has %d events, wants %d, and its scope was over for %q", len(o.Kids), n.N, over)
	case o.Err == "" && (over != "timeout" || o.Till-o.At < n.For.Milliseconds()):
		j.wrong(n, o, "it was over for %q after %d ms, not %v", over, o.Till-o.At, n.For)
	case over == "timeout" && n.For > 0 && o.Over == "":
		j.late["tell"] = max(j.late["tell"], o.Till)
	}
}

func (j *judge) retried(n Node, o *Played) {
	want := min(n.N+1, n.M)
	for i, kid := range o.Kids {
		key := n.try(i + 1)
		if kid.gaveUp() {
			j.times(n, o, key.Key, 0, 1)
			if i != len(o.Kids)-1 {
				j.wrong(n, o, "it tries again when its scope is over")
			}
			return
		}
		j.times(n, o, key.Key, 1, 1)
		j.result(Node{Do: "call", Key: key.Key}, kid, key.result(attempts))
		if i > 0 && kid.At-o.Kids[i-1].Till < n.For.Milliseconds() {
			j.wrong(n, o, "it pauses for %d ms, not %v", kid.At-o.Kids[i-1].Till, n.For)
		}
	}
	last := o.Kids[len(o.Kids)-1]
	switch {
	case len(given(o.Err)) > 0 && len(o.Kids) < want && last.Err == "failed": // in a pause
	case len(o.Kids) != want:
		j.wrong(n, o, "it tries %d times, not %d", len(o.Kids), want)
	case o.Err != last.Err:
		j.wrong(n, o, "its last attempt came to %s", last.Err)
	}
}

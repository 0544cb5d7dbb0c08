package sim

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// sooner checks that one who was ready was preferred to others: whoever was ready before it stands behind it.
func (j *judge) sooner(n Node, o *Played, won int, others []int) {
	for _, i := range others {
		kid, best := o.Kids[i], o.Kids[won]
		if kid.To > 0 && kid.To < best.To && (i < won || kid.Till < best.Till) {
			j.wrong(n, o, "part %d came before part %d", i, won)
		}
	}
}

// first checks a race: who wins is not given up, and the others are.
func (j *judge) first(n Node, o *Played, causes []string) {
	if o.V != "" && !slices.Contains(causes, o.V) {
		j.wrong(n, o, "the scope around it is over for %s", o.V)
	}
	won := o.Kids[o.N]
	var all []int
	for i, kid := range n.Kids {
		all = append(all, i)
		may := given(o.V)
		if i != o.N && o.Kids[i].To > won.To {
			may = append(may, "canceled")
			j.prompt(kid, o.Kids[i], won.Till)
		}
		j.node(kid, o.Kids[i], may)
	}
	j.sooner(n, o, o.N, all)
	if o.Err != won.Err {
		j.wrong(n, o, "who won came to %q", won.Err)
	}
}

// completed checks the order in which kids were ready.
func (j *judge) completed(n Node, o *Played, causes []string) {
	var left []int
	for i := range n.Kids {
		left = append(left, i)
	}
	var errs []string
	for _, s := range strings.Fields(o.V) {
		i, _ := strconv.Atoi(s)
		at := slices.Index(left, i)
		if at < 0 {
			j.wrong(n, o, "part %d comes twice", i)
			return
		}
		left = slices.Delete(left, at, at+1)
		j.sooner(n, o, i, left)
		j.node(n.Kids[i], o.Kids[i], causes)
		errs = append(errs, o.Kids[i].Err)
	}
	if want := max(n.N, len(n.Kids)*(1-min(n.N, 1))); len(errs) != want {
		j.wrong(n, o, "%d came, want %d", len(errs), want)
	}
	if o.Err != union(errs...) {
		j.wrong(n, o, "they came to %q", union(errs...))
	}
	for _, i := range left {
		j.maybe(n.Kids[i], o.Kids[i])
	}
}

// parallel checks a map: it is over when enough have succeeded, too many have failed, or all have come to their end.
func (j *judge) parallel(n Node, o *Played, causes []string) {
	if most := n.N; most > 0 && o.N > most {
		j.wrong(n, o, "%d ran at a time, and %d may", o.N, most)
	}
	if len(o.V) != len(n.Kids) {
		j.wrong(n, o, "it has %d results", len(o.V))
		return
	}
	good, bad, decided := 0, 0, 0
	for i, kid := range o.Kids {
		if o.V[i] == 'd' {
			decided = max(decided, kid.To)
		}
	}
	var errs []string
	for i, kid := range n.Kids {
		if o.V[i] == '.' {
			if o.Kids[i].From > decided {
				j.wrong(n, o, "part %d begins when it is decided", i)
			}
			j.maybe(kid, o.Kids[i])
			continue
		}
		j.node(kid, o.Kids[i], causes)
		if errs = append(errs, o.Kids[i].Err); o.Kids[i].Err == "" {
			good++
		} else {
			bad++
		}
	}
	enough, tolerated := len(n.Kids), -1
	if n.Do == "least" {
		enough, tolerated = n.M, len(n.Kids)-n.M
	} else if n.Do == "share" {
		tolerated = n.M * len(n.Kids) / 4
	} else if n.M > 0 {
		tolerated = n.M - 1
	}
	want, why := union(errs...), fmt.Sprintf("%d succeeded and %d failed of %d", good, bad, len(n.Kids))
	switch {
	case tolerated >= 0 && bad > tolerated:
		if want = union(want, "many"); bad > tolerated+1 {
			j.wrong(n, o, "it was to be given up before: %s", why)
		}
	case good >= enough, good+bad == len(n.Kids):
		if tolerated >= 0 {
			want = ""
		}
		if good > enough {
			j.wrong(n, o, "it was to end before: %s", why)
		}
	default:
		j.wrong(n, o, "it is not decided: %s", why)
	}
	if o.Err != want {
		j.wrong(n, o, "it is to come to %q: %s", want, why)
	}
}

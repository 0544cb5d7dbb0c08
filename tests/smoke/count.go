package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"
	"time"
)

// roles are the functions, in the order of the columns.
var roles = []string{"starter", "orchestrator", "activity"}

// metered is what one invocation has counted.
type metered struct {
	role     string
	at       time.Time
	requests map[string]int
}

// sweep reports whether it was the sweep of the minute, which alone receives by itself.
func (m metered) sweep() bool { return m.requests["SQS.ReceiveMessage"] > 0 }

// count prints what the functions have requested of AWS.
func (r *smokeRun) count(ctx context.Context, d *deployment) error {
	begin, end := span(d.chain.HistoryEvents)
	end = end.Add(5 * time.Second) // the last invocations report after the last event
	during := func(m metered) bool {
		return m.role != "starter" && !m.sweep() && !m.at.Before(begin) && m.at.Before(end)
	}
	all, err := r.settled(ctx, d, during)
	if err != nil {
		return fmt.Errorf("the counted requests: %w", err)
	}
	r.say("\nRequests that the functions made of AWS, with the schedule's orders, a sweep a minute, and what this command asked the starter:\n")
	table(r.out, all)
	chain := pick(all, during)
	remark, err := d.company(ctx, begin, end)
	if err != nil {
		return err
	}
	r.say("\nOf these, for each of the %d activities of Chain%s:\n", chainLength, remark)
	perActivity(r.out, chain, chainLength)
	r.say("")
	return nil
}

// company says whether Chain was alone: the requests of others cannot be told from its own.
func (d *deployment) company(ctx context.Context, begin, end time.Time) (string, error) {
	all, err := d.standing(ctx)
	if err != nil {
		return "", err
	}
	n := 0
	for _, s := range all {
		if s.CreatedTime.Before(end) && s.LastUpdatedTime.Add(time.Second).After(begin) { // these times are in whole seconds
			n++
		}
	}
	if n == 0 {
		return "", nil
	}
	return fmt.Sprintf(" (too many: %d of the schedule's orders ran at the same time)", n), nil
}

// settled reads the logs until they have all there was to say about some invocations: lines come seconds after they were
// written.
func (r *smokeRun) settled(ctx context.Context, d *deployment, of func(metered) bool) (all []metered, err error) {
	before := 0
	err = eventually(ctx, 10*time.Second, 3*time.Minute, func() (bool, error) {
		if all, err = r.metered(ctx, d); err != nil {
			return false, err
		}
		now := len(pick(all, of))
		same := now > 0 && now == before
		before = now
		return same, nil
	})
	return all, err
}

// metered reads what all invocations have counted.
func (r *smokeRun) metered(ctx context.Context, d *deployment) (all []metered, err error) {
	for _, role := range roles {
		err := r.lines(ctx, d, role, func(at time.Time, text string) {
			if requests, ok := counted(text); ok {
				all = append(all, metered{role, at, requests})
			}
		})
		if err != nil {
			return nil, err
		}
	}
	return all, nil
}

// counted reads a line of the log that says what an invocation has requested.
func counted(text string) (map[string]int, bool) {
	var line struct {
		Message  string
		Requests map[string]int
	}
	err := json.Unmarshal([]byte(text), &line)
	return line.Requests, err == nil && line.Message == "requests"
}

func pick(all []metered, of func(metered) bool) (picked []metered) {
	for _, m := range all {
		if of(m) {
			picked = append(picked, m)
		}
	}
	return picked
}

// sums adds up requests by operation and function.
func sums(all []metered) map[string]map[string]int {
	sum := map[string]map[string]int{}
	for _, m := range all {
		for what, n := range m.requests {
			if sum[what] == nil {
				sum[what] = map[string]int{}
			}
			sum[what][m.role] += n
		}
	}
	return sum
}

// table prints operations by functions, and how many invocations there were.
func table(out io.Writer, all []metered) {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	row := func(what string, of map[string]int) {
		total := 0
		fmt.Fprintf(w, "  %-36s\t", what)
		for _, role := range roles {
			fmt.Fprintf(w, "%d\t", of[role])
			total += of[role]
		}
		fmt.Fprintf(w, "%d\t\n", total)
	}
	fmt.Fprintf(w, "  %-36s\t%s\tall\t\n", "", strings.Join(roles, "\t"))
	sum := sums(all)
	for _, what := range slices.Sorted(maps.Keys(sum)) {
		row(what, sum[what])
	}
	invocations := map[string]int{}
	for _, m := range all {
		invocations[m.role]++
	}
	row("invocations", invocations)
	w.Flush()
}

// perActivity prints the same divided by a number of activities.
func perActivity(out io.Writer, all []metered, activities int) {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	row := func(what string, n int) {
		fmt.Fprintf(w, "  %-36s\t%.2f\t\n", what, float64(n)/float64(activities))
	}
	sum := sums(all)
	for _, what := range slices.Sorted(maps.Keys(sum)) {
		total := 0
		for _, n := range sum[what] {
			total += n
		}
		row(what, total)
	}
	row("invocations", len(all))
	w.Flush()
}

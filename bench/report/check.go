package main

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"strings"
)

// What is compared is the same on each machine, but for a little: pools that are emptied, a map that grows earlier.
const (
	allocationsMore = 1.02
	bytesMore       = 1.05
	// superlinear is by how much an activity of the longest history may take longer than one of a thousand. A cost that grows with the history would make it a hundred times as
	// much; caches and the collector make it up to a half.
	superlinear = 2.0
)

// check compares allocations with those of the baseline, and an activity of a long history with one of a short one.
func check(baseline string, update bool, results []*result) error {
	if update {
		return write(baseline, results)
	}
	before, err := load(baseline)
	if err != nil {
		return err
	}
	var errs []error
	seen := map[string]bool{}
	for _, r := range results {
		for _, c := range []struct {
			unit string
			more float64
		}{{"allocs/op", allocationsMore}, {"B/op", bytesMore}} {
			was, ok := before[r.Name+" "+c.unit]
			seen[r.Name+" "+c.unit] = true
			switch now := r.Values[c.unit]; {
			case !ok:
				errs = append(errs, fmt.Errorf("%s has no %s in %s: make bench-check ARGS=-update adds it", r.Name, c.unit, baseline))
			case now > was*c.more+1:
				errs = append(errs, fmt.Errorf("%s: %.0f %s, and it was %.0f", r.Name, now, c.unit, was))
			}
		}
	}
	for name := range before {
		if !seen[name] {
			errs = append(errs, fmt.Errorf("%s is in %s and was not measured", name, baseline))
		}
	}
	grown, err := growth(results)
	errs = append(errs, err)
	if err := errors.Join(errs...); err != nil {
		return err
	}
	fmt.Printf("%d benchmarks allocate no more than before; an activity of a history of 100,000 takes %.2f times as long as one of 1,000\n", len(results), grown)
	return nil
}

// growth is how much longer an activity of the longest history takes.
func growth(results []*result) (float64, error) {
	times := map[string]float64{}
	for _, r := range results {
		times[r.Name] = r.Values["ns/activity"]
	}
	short, long := times["Replay/activities=1000"], times["Replay/activities=100000"]
	if short == 0 || long == 0 {
		return 0, errors.New("the replay of 1,000 and of 100,000 activities was not measured")
	}
	if long/short > superlinear {
		return 0, fmt.Errorf("an activity of a history of 100,000 takes %.2f times as long as one of 1,000: does something grow with the history?", long/short)
	}
	return long / short, nil
}

// A baseline is a line for each figure: its number, its unit, and the benchmark.

func write(file string, results []*result) error {
	var b strings.Builder
	for _, r := range results {
		for _, unit := range []string{"allocs/op", "B/op"} {
			fmt.Fprintf(&b, "%.0f %s %s\n", r.Values[unit], unit, r.Name)
		}
	}
	return os.WriteFile(file, []byte(b.String()), 0o644)
}

func load(file string) (map[string]float64, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	out := map[string]float64{}
	for s := bufio.NewScanner(f); s.Scan(); {
		var v float64
		var unit, name string
		if _, err := fmt.Sscanf(s.Text(), "%g %s %s", &v, &unit, &name); err != nil {
			return nil, fmt.Errorf("%s: %q is no figure, unit and benchmark", file, s.Text())
		}
		out[name+" "+unit] = v
	}
	return out, nil
}

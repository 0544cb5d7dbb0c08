// Command report makes a table of what go test -bench has printed, and checks what does not depend on the machine.
//
//	report [-json file] results…     a markdown table
//	report -check baseline results…  allocations against the baseline, and growth within the run; -update writes the baseline
package main

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"regexp"
	"slices"
	"strings"

	"golang.org/x/perf/benchfmt"
)

// result is one benchmark: the best of its runs, unit by unit.
type result struct {
	Name   string             `json:"name"`
	Values map[string]float64 `json:"values"`
	Runs   int                `json:"runs"`
}

// more is said of units of which the larger figure is the better.
func more(unit string) bool { return strings.HasSuffix(unit, "/s") }

func main() {
	jsonFile := flag.String("json", "", "write the results to this file, too")
	baseline := flag.String("check", "", "compare with this file instead")
	update := flag.Bool("update", false, "write the file instead of comparing")
	flag.Parse()
	err := run(*jsonFile, *baseline, *update, flag.Args())
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(jsonFile, baseline string, update bool, files []string) error {
	results, err := read(files)
	switch {
	case err != nil:
		return err
	case baseline != "":
		return check(baseline, update, results)
	}
	table(os.Stdout, results)
	if jsonFile == "" {
		return nil
	}
	b, err := json.MarshalIndent(results, "", "\t")
	if err != nil {
		return err
	}
	return os.WriteFile(jsonFile, b, 0o644)
}

// processors is what go test ends a name with.
var processors = regexp.MustCompile(`-[0-9]+$`)

// read reads what go test has printed. Units are as go test prints them.
func read(files []string) (results []*result, err error) {
	reader := &benchfmt.Files{Paths: files}
	for reader.Scan() {
		switch rec := reader.Result().(type) {
		case *benchfmt.SyntaxError:
			return nil, rec
		case *benchfmt.Result:
			full := processors.ReplaceAllString(string(rec.Name.Full()), "")
			i := slices.IndexFunc(results, func(r *result) bool { return r.Name == full })
			if i < 0 {
				i, results = len(results), append(results, &result{Name: full, Values: map[string]float64{}})
			}
			r := results[i]
			r.Runs++
			for _, v := range rec.Values {
				value, unit := v.Value, v.Unit
				if v.OrigUnit != "" {
					value, unit = v.OrigValue, v.OrigUnit
				}
				if before, ok := r.Values[unit]; !ok || more(unit) && value > before || !more(unit) && value < before {
					r.Values[unit] = value
				}
			}
		}
	}
	if err := reader.Err(); err != nil {
		return nil, err
	}
	if len(results) == 0 {
		return nil, errors.New("there are no results of benchmarks: did go test fail?")
	}
	return results, nil
}

// table prints the results, with the targets of those that have one.
func table(w io.Writer, results []*result) {
	fmt.Fprint(w, "| what | figure | target |\n|---|---|---|\n")
	for _, t := range targets {
		for _, r := range results {
			if r.Name != t.benchmark {
				continue
			}
			if v, ok := r.Values[t.unit]; ok {
				fmt.Fprintf(w, "| %s | %s %s | %s |\n", t.what, number(v), t.unit, t.target)
			}
		}
	}
	fmt.Fprint(w, "\n| benchmark | figures |\n|---|---|\n")
	for _, r := range results {
		var units []string
		for unit := range r.Values {
			units = append(units, unit)
		}
		slices.Sort(units)
		var figures []string
		for _, unit := range units {
			if r.Values[unit] != 0 {
				figures = append(figures, number(r.Values[unit])+" "+unit)
			}
		}
		fmt.Fprintf(w, "| %s | %s |\n", r.Name, strings.Join(figures, ", "))
	}
}

// number groups the digits of what is large.
func number(v float64) string {
	if v < 100 {
		return fmt.Sprintf("%.3g", v)
	}
	digits := fmt.Sprintf("%.0f", v)
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return digits
}

// Package fanout is the pattern fan-out and fan-in: many activities at once, and one result of them all. Map bounds how many run
// at a time and how many may fail.
package fanout

import "github.com/durable-lambda/durable-lambda/durable"

// The contracts of the pattern.
var (
	Measure = durable.NewActivity[string, int]("Measure")
	Total   = durable.NewOrchestration[[]string, Sum]("Total")
)

// Sum is how much all files have together, and which could not be measured.
type Sum struct {
	Bytes  int
	Failed []string
}

const (
	atATime = 20
	mayFail = 0.1
)

// Run measures all files. Up to a tenth of them may fail.
func Run(ctx durable.Context, files []string) (sum Sum, err error) {
	results, err := durable.Map(ctx, files, Measure.Call, durable.Concurrency(atATime), durable.TolerateShare(mayFail))
	if err != nil {
		return sum, err
	}
	for i, r := range results {
		if r.Err != nil {
			sum.Failed = append(sum.Failed, files[i])
			continue
		}
		sum.Bytes += r.Value
	}
	return sum, nil
}

//go:build e2e

package e2e_test

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
)

// functions are the outputs that name the functions.
var functions = []string{"StarterFunction", "OrchestratorFunction", "ActivityFunction"}

// lines returns what a function has logged since then. LocalStack ignores the log groups of the template and uses Lambda's
// default ones; one that is not there yet has no lines.
func lines(ctx context.Context, function string, since time.Time) (all []string, err error) {
	pages := cloudwatchlogs.NewFilterLogEventsPaginator(hub.logs, &cloudwatchlogs.FilterLogEventsInput{
		LogGroupName: aws.String("/aws/lambda/" + hub.outputs[function]), StartTime: aws.Int64(since.UnixMilli()),
	})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, fmt.Errorf("the log of %s: %w", function, err)
		}
		for _, e := range page.Events {
			all = append(all, strings.TrimSpace(aws.ToString(e.Message)))
		}
	}
	return all, nil
}

// relevant is what people want to see of the logs when an instance is not as it should be: what is about the instance,
// what is bad, and what became of the processes.
func relevant(since time.Time, id string) string {
	const most = 60
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	var b strings.Builder
	for _, f := range functions {
		all, err := lines(ctx, f, since)
		if err != nil {
			fmt.Fprintln(&b, err)
			continue
		}
		var kept []string
		for _, l := range all {
			for _, word := range []string{id, `"ERROR"`, `"WARN"`, "panic", "timed out", "Runtime exited"} {
				if strings.Contains(l, word) {
					kept = append(kept, l)
					break
				}
			}
		}
		fmt.Fprintf(&b, "%s: %d lines, of which the last %d that matter are\n", f, len(all), min(len(kept), most))
		for _, l := range kept[max(0, len(kept)-most):] {
			fmt.Fprintln(&b, "  ", l)
		}
	}
	return b.String()
}

// requests adds up the requests of AWS that invocations of a function have counted since then, by the time of the line and not
// of its delivery. The sweep's are left out:
// it runs every minute, whatever there is to do, and is the only one that receives by itself.
func requests(ctx context.Context, function string, since time.Time) (map[string]int, error) {
	all, err := lines(ctx, function, since)
	if err != nil {
		return nil, err
	}
	sum := map[string]int{}
	for _, l := range all {
		var line struct {
			Message   string
			Timestamp time.Time
			Requests  map[string]int
		}
		if json.Unmarshal([]byte(l), &line) != nil || line.Message != "requests" || line.Timestamp.Before(since) || line.Requests["SQS.ReceiveMessage"] > 0 {
			continue
		}
		for what, n := range line.Requests {
			sum[what] += n
		}
	}
	return sum, nil
}

package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
)

// lines visits what a function has logged.
func (r *smokeRun) lines(ctx context.Context, d *deployment, role string, visit func(time.Time, string)) error {
	pages := cloudwatchlogs.NewFilterLogEventsPaginator(r.logs, &cloudwatchlogs.FilterLogEventsInput{LogGroupName: aws.String(r.logGroup(d, role))})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return fmt.Errorf("the log of the %s: %w", role, err)
		}
		for _, e := range page.Events {
			visit(time.UnixMilli(aws.ToInt64(e.Timestamp)), strings.TrimSpace(aws.ToString(e.Message)))
		}
	}
	return nil
}

// logGroup is where a function logs. An emulator may not know log groups of a template's own.
func (r *smokeRun) logGroup(d *deployment, role string) string {
	word := strings.ToUpper(role[:1]) + role[1:]
	if r.local() {
		return "/aws/lambda/" + d.outputs[word+"Function"]
	}
	return d.resources[word+"Logs"].id
}

// complain prints what the functions have complained of: the logs are removed with everything else.
func (r *smokeRun) complain(ctx context.Context, d *deployment) {
	const most = 20
	for _, role := range roles {
		var bad []string
		err := r.lines(ctx, d, role, func(_ time.Time, text string) {
			if strings.Contains(text, `"ERROR"`) || strings.Contains(text, `"WARN"`) || strings.Contains(text, "panic") {
				bad = append(bad, text)
			}
		})
		if err == nil && len(bad) > 0 {
			r.say("The %s complained %d times, last of:\n  %s", role, len(bad), strings.Join(bad[max(0, len(bad)-most):], "\n  "))
		}
	}
}

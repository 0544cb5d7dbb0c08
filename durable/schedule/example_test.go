package schedule_test

import (
	"context"
	"fmt"
	"time"

	"github.com/durable-lambda/durable-lambda/durable"
	"github.com/durable-lambda/durable-lambda/durable/durabletest"
	"github.com/durable-lambda/durable-lambda/durable/schedule"
)

// A report at three every night, by the clocks of Berlin. While it is paused nothing runs; of what was missed one report is made.
func Example() {
	report := durable.NewOrchestration[string, durable.None]("Report")
	reports := schedule.New(report)

	sys := durabletest.New(durabletest.Standalone{}, reports.Handler(),
		report.Bind(func(ctx durable.Context, about string) (durable.None, error) {
			fmt.Println(ctx.Now().Format("Jan 2 15:04"), about)
			return durable.None{}, nil
		}))
	ctx := context.Background()
	check := func(err error) {
		if err != nil {
			panic(err)
		}
		sys.Settle()
	}
	plan := schedule.Plan{Cron: "0 3 * * *", Zone: "Europe/Berlin", Missed: schedule.RunOnce, Overlap: schedule.WaitOverlap}
	check(reports.Create(ctx, sys.Client, "nightly", plan, "whales"))
	sys.Advance(2 * 24 * time.Hour)

	check(reports.Pause(ctx, sys.Client, "nightly"))
	sys.Advance(10 * 24 * time.Hour)
	check(reports.Resume(ctx, sys.Client, "nightly"))

	check(reports.Update(ctx, sys.Client, "nightly", schedule.Plan{Every: 7 * 24 * time.Hour}, "dolphins"))
	check(reports.Trigger(ctx, sys.Client, "nightly"))
	sys.Advance(7 * 24 * time.Hour)

	d, err := reports.Describe(ctx, sys.Client, "nightly")
	fmt.Println(d.Completed, "made,", d.Skipped, "skipped, next", d.Next.Format("Jan 2 15:04"), err)
	// Output:
	// Jan 1 02:00 whales
	// Jan 2 02:00 whales
	// Jan 13 00:00 whales
	// Jan 13 00:00 dolphins
	// Jan 20 00:00 dolphins
	// 5 made, 9 skipped, next Jan 27 00:00 <nil>
}

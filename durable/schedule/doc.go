// Package schedule runs an orchestration again and again: at the times of a crontab line, or at intervals. A schedule is an instance
// itself, an eternal orchestration that keeps its plan, its next run and its pause; each run is an instance of its own.
//
//	var Reports = schedule.New(Report) // Report is a durable.Orchestration[Query, Pages]
//
//	worker: Report.Bind(report), Reports.Handler()
//
//	err := Reports.Create(ctx, client, "nightly", schedule.Plan{Cron: "0 3 * * *", Zone: "Europe/Berlin"}, query)
//	err = Reports.Pause(ctx, client, "nightly")
//
// # When
//
// A crontab line has five fields, or is @hourly, @daily, @weekly, @monthly or @yearly; when both days are restricted, one of them is
// enough, as in cron. Lines whose hour is * follow real time: every 20 minutes are 20 minutes, while clocks are put back too. All
// others mean what the clock on the wall shows, once a day: a time that is skipped when clocks are put forward is due when they
// have been, and a time that comes twice is due the first time. Intervals are counted from Plan.From, or from when the
// plan was made, and do not drift.
//
// # What if not
//
// A run that could not begin in time, because the schedule was paused or no worker ran, is missed, and Plan.Missed says what becomes of
// it. Runs of one schedule never overlap: Plan.Overlap says what becomes of one that is due while another runs. A run that
// fails is counted, and the schedule goes on.
//
// # Over HTTP
//
// POST …/orchestrators/ReportSchedule/nightly begins a schedule, with {"plan": {"cron": "0 3 * * *"}, "input": …}, and
// POST …/instances/nightly/raiseEvent/Schedule tells it {"do": "pause"}, resume, trigger, delete, or {"do": "update", "plan": …, "input": …}.
// Its custom status is a Description. Durations are in nanoseconds. A new plan that is wrong is not taken, which the log says.
//
// # How
//
// Each time the schedule looks for its next run, it continues as new, so that its history stays short. All times that it acts on are in its
// input: a worker with newer time zone data changes what comes next, and nothing that was. The id of a run is that of the
// schedule, an @ and the time at which it was due, so that one time cannot be run twice at once; its tag "schedule" is the
// schedule's id. Time zones are those of the system, or those that this package links when there are none.
package schedule

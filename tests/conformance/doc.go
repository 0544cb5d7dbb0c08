// Package conformance says what orchestrations can rely on, a sentence at a time, and holds every backend to it, however the
// worker goes about its work.
//
//	make conformance                                            # all of it, and a table
//	go test ./tests/conformance -run TestConformance/of/events # an area
//	go test ./tests/conformance -run TestThePage -update        # write docs/conformance.md again
//
// A case is a sentence, an area and a script. The script deploys handlers, starts instances, raises events and moves the clock
// through the public API, and checks what can be seen through it. Files cases_*_test.go have the cases, one for each group of areas.
//
// Each case runs on each backend in each mode. The modes are ways of a worker to go about the same work:
//
//   - plain: one worker, messages in batches as they come
//   - replay: each message by a worker of its own, which knows nothing and replays from the beginning
//   - warm: one worker, which keeps every instance where it waits and never replays
//   - crash: the worker dies before each of its puts, the next one after it, and a third goes on
//
// The clock is the test's own, so that a wait of days takes no time. With the build tag aws the cases marked so run against
// an emulated AWS too, in mode plain and real time.
package conformance

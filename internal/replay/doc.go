// Package replay is the deterministic core: it runs the code of an orchestration against its history and says what the
// code asks for next.
//
// A history is a list of inputs (the start, outcomes, events, management) and of commands (what the code asked for). The
// inputs are fed to the code one at a time, in order, and after each one the code runs until every coroutine waits. So a
// replay takes the very path that the first run took, wherever the segments' boundaries lie, and what the code asks for
// is matched against the commands by the path of the operation.
//
// The package has no clock and does no I/O. Code runs in coroutines, of which only one runs at any time; every turn and
// every unwinding happens on a goroutine that the package starts and joins, because a body that calls runtime.Goexit
// takes its goroutine along.
package replay

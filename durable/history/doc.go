// Package history is the data that durable orchestrations consist of: events, the segments that commit them, the
// messages that carry them, their limits, and the one codec for all of these. It is pure data: no I/O, no clock.
//
// docs/format.md is the specification of what the codec writes.
package history

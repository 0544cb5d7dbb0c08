// Package doctor finds what an accident outside of the protocol has left in a task hub: a queue that lost a message, a sweep
// that does not run, a table that was restored from an old copy. It repairs what sending again repairs, and says of the rest
// what is wrong.
//
// The protocol needs no doctor: crashes, duplicates, delays and lost answers leave nothing to repair. docs/operating.md says
// when to call one.
//
// The package stands on the store and the worker, whose rules it uses, and knows neither a terminal nor where a hub is.
package doctor

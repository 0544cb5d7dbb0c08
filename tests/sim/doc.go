// Package sim runs a whole task hub in one goroutine: the real worker, store, client and replay over the memory backend,
// with a clock of its own. One seed decides everything: what the clients ask for, who goes on at each call of a port, and
// what goes wrong there.
//
//	go test ./tests/sim -seeds 10000     # that many seeds
//	go test ./tests/sim -seed 4711 -v    # one, with every step
//
// Every process is an actor: a coroutine that stops before and after each call of a port. A scheduler picks who goes on.
// In between an actor may crash, stand still until others have done its work, or be told that a call failed which did
// not. When the faults are used up the hub runs on to rest, and everything that was promised must have happened.
//
// What can go wrong is in fault.go: each fault has a rate of its own in the plan of a seed. In place of chance a director may
// decide: so TestCrashEverywhere crashes fixed programs at every place there is.
//
// Package sim checks each effect as it happens (file check.go) and the whole hub at rest (file rest.go).
package sim

package dev

import (
	"os"
	"runtime"
	"sync"
)

// syncing is how many goroutines, beyond those that the processors run, may be in the middle of a write to the disk.
const syncing = 2

// places counts the servers of this process, of which the first makes room for syncs, and the last takes it back.
var places struct {
	mu      sync.Mutex
	servers int
	before  int
}

// roomForSyncs lets so many goroutines more run than there are processors, until the function is called that it returns. A goroutine that waits
// for the disk in a call of the system keeps a place where another could run: the scheduler takes it back only after about as long as the write
// takes. What GOMAXPROCS says in the environment stays.
func roomForSyncs() (over func()) {
	if os.Getenv("GOMAXPROCS") != "" {
		return func() {}
	}
	p := &places
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.servers++; p.servers == 1 {
		p.before = runtime.GOMAXPROCS(0)
		runtime.GOMAXPROCS(p.before + syncing)
	}
	return func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		if p.servers--; p.servers == 0 {
			runtime.GOMAXPROCS(p.before)
		}
	}
}

package endpoint

import "maps"

// Bill is what AWS bills, in its units.
type Bill struct {
	// Writes and Reads are request units of the table on demand, IndexWrites of its index. Listed are those of Writes that were for items in the index.
	Writes, IndexWrites, Listed int
	Reads                       float64
	// Standard and FIFO are requests of queues, one for each 64 KB.
	Standard, FIFO int
	// Puts are S3's PUT and LIST requests, Gets its GETs. DELETE is free.
	Puts, Gets int
	// Requests are all requests, by service and operation.
	Requests map[string]int
}

// Bill is what has come together since the last time.
func (e *Endpoint) Bill() Bill {
	e.mu.Lock()
	defer e.mu.Unlock()
	b := e.bill
	e.bill = Bill{Requests: map[string]int{}}
	return b
}

// Add adds another bill.
func (b *Bill) Add(other Bill) {
	b.Writes, b.IndexWrites, b.Listed, b.Reads = b.Writes+other.Writes, b.IndexWrites+other.IndexWrites, b.Listed+other.Listed, b.Reads+other.Reads
	b.Standard, b.FIFO, b.Puts, b.Gets = b.Standard+other.Standard, b.FIFO+other.FIFO, b.Puts+other.Puts, b.Gets+other.Gets
	if b.Requests == nil {
		b.Requests = map[string]int{}
	}
	for what, n := range maps.All(other.Requests) {
		b.Requests[what] += n
	}
}

// units are so many of these bytes, begun ones too, and one at least.
func units(bytes, each int) int { return max((bytes+each-1)/each, 1) }

const (
	writeUnit = 1 << 10
	readUnit  = 4 << 10
	sqsChunk  = 64 << 10
)

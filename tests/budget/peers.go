package budget

// Peer is what another service bills for the reference workload, by its list prices.
type Peer struct {
	Name, Counted string
	PerActivities float64
}

// Peers for a workload of five activities, whose payloads are of so many bytes in and out together.
func Peers(bytes float64) []Peer {
	const activities = 5
	return []Peer{
		{"Lambda durable functions", "8 operations: the start, five steps, a wait, a callback; and what they write. Without the functions' own time",
			(8*DurableOperation + bytes/1e9*1e6*DurableGB) / activities},
		{"Step Functions Standard", "8 transitions: five tasks, a wait, a callback, the end. Without the functions", 8 * Transition / activities},
	}
}

package budget

// month is the minutes of one of 30 days.
const month = 30 * 24 * 60

// Poll is a queue that Lambda polls for a function.
type Poll struct {
	FIFO bool
	// Bounded: a maximum concurrency is set.
	Bounded bool
}

// receives are those that Lambda makes in a month of a queue in which there is nothing. It has five pollers, each of which waits for 20 seconds; for standard
// queues of low traffic it goes back to two, but not where a maximum concurrency is set. Of FIFO queues nothing is said, so five are counted.
// https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-scaling.html
func (p Poll) receives() float64 {
	pollers := 5.0
	if !p.FIFO && !p.Bounded {
		pollers = 2
	}
	return pollers * 3 * month
}

// Line is one of the bill of a month.
type Line struct {
	What           string
	Count, Dollars float64
}

// Idle is what a hub costs in a month in which nothing happens, given what one sweep uses, which comes each minute, and the queues that Lambda polls.
func Idle(sweep Usage, polls []Poll) (lines []Line, total float64) {
	const million = 1e6
	once := sweep.Cost()
	standard, fifo := 0.0, 0.0
	for _, p := range polls {
		if p.FIFO {
			fifo += p.receives()
		} else {
			standard += p.receives()
		}
	}
	lines = []Line{
		{"invocations of the sweep", month, month * once.Lambda / million},
		{"read units of the sweep", month * sweep.Reads, month * once.DynamoDB / million},
		{"receives of the dead-letter queues by the sweep", month * float64(sweep.Standard+sweep.FIFO), month * once.SQS / million},
		{"receives of standard queues by Lambda", standard, standard * SQSStandard / million},
		{"receives of FIFO queues by Lambda", fifo, fifo * SQSFIFO / million},
	}
	for _, l := range lines {
		total += l.Dollars
	}
	return lines, total
}

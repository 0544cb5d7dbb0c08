//go:build e2e

package e2e_test

import (
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// An order costs so many requests at most, on a hub that does nothing else: that is a bound for mistakes, such as a read for
// each message, and not the price.
const (
	maxDynamoDB = 120
	maxSQS      = 60
)

// TestRequestsOfAnOrder is alone, because it counts everything that the functions do meanwhile.
func TestRequestsOfAnOrder(t *testing.T) {
	// What was under way when the hub was deployed anew would be counted too; a first order brings the processes up.
	place(t, "first").end("Completed")
	// A standing order may come in between; there is one a minute, and two are no reason to fail.
	var sum map[string]int
	for n := 0; n < 3 && sum["SES.SendRawEmail"] != 4; n++ {
		sum = countOne(t, "counted-"+strconv.Itoa(n))
	}
	services := map[string]int{}
	for _, what := range slices.Sorted(maps.Keys(sum)) {
		service, _, _ := strings.Cut(what, ".")
		services[service] += sum[what]
		t.Logf("%-36s %4d", what, sum[what])
	}
	t.Logf("an order: %d requests of DynamoDB, %d of SQS, %d of SES", services["DynamoDB"], services["SQS"], services["SES"])
	if n := services["DynamoDB"]; n < 10 || n > maxDynamoDB {
		t.Errorf("%d requests of DynamoDB; want 10 to %d", n, maxDynamoDB)
	}
	if n := services["SQS"]; n < 10 || n > maxSQS {
		t.Errorf("%d requests of SQS; want 10 to %d", n, maxSQS)
	}
	if n := services["SES"]; n != 4 {
		t.Errorf("%d requests of SES; want 4, one for each mail", n)
	}
}

// countOne places an order and returns the requests that its processing took.
func countOne(t *testing.T, word string) (sum map[string]int) {
	t.Helper()
	begun := time.Now()
	in := place(t, word)
	in.end("Completed")
	in.wantsMails("received", "shipped", "billed", "completed")
	// The lines come with the end of each invocation; the last ones acknowledge what is done.
	eventually(t, "the counted requests are in the logs", func() bool {
		before := sum
		sum = map[string]int{}
		for _, f := range functions[1:] { // not the starter's: those are mostly this test's own asking
			counted, err := requests(t.Context(), f, begun)
			if err != nil {
				t.Fatal(err)
			}
			for what, n := range counted {
				sum[what] += n
			}
		}
		return len(sum) > 0 && maps.Equal(before, sum)
	})
	return sum
}

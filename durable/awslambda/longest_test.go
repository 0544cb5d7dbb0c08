package awslambda

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/durable-lambda/durable-lambda/durable"
)

func TestAnActivityThatIsTooLongForAFunctionIsRefused(t *testing.T) {
	t.Parallel()
	h := newTestHub(t)
	body := func(context.Context, int) (int, error) { return 0, nil }
	for d, ok := range map[time.Duration]bool{15 * time.Minute: true, 16 * time.Minute: false} {
		a := durable.NewActivity[int, int]("Transcode", durable.Timeout(d))
		if _, err := newActivities(h.hub, []durable.Handler{a.Bind(body)}); (err == nil) != ok || !ok && !strings.Contains(err.Error(), "activity Transcode has a time-out of 16m0s") {
			t.Errorf("a time-out of %v: got %v", d, err)
		}
	}
}

//go:build e2e

package e2e_test

import (
	"maps"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"github.com/durable-lambda/durable-lambda/durable/history"
)

// The messages that a process holds come back after so long when it dies: the parameter ActivityVisibility, and
// OrchestratorVisibility.
const (
	activityVisibility     = 10 * time.Second
	orchestratorVisibility = 20 * time.Second
)

// mailing is read-locked by who has an order under way, and locked by who ends processes that send mail: a mail that SES has
// taken from a process that dies before it could note so is sent again, and no ledger can help that (see mail.Ledger).
var mailing sync.RWMutex

func TestAProcessKilledInAnActivity(t *testing.T) {
	robust(t)
	approve := sync.OnceFunc(awaitingApproval(t, "beside-activity").approvedOnce)
	calm.Wait()
	untilInTheMiddle(t, activityVisibility, func(word string) status {
		in := whileNobodyMails(func() *instance {
			in := start(t, "Chain", "killed-in-activity-"+word, `{"activities":1,"millis":3000}`)
			killWhileHandling(t, "ActivityFunction", "ActivitiesQueue", in.id, history.TaskScheduled)
			return in
		})
		approve()
		return in.end("Completed")
	})
}

// The turn that is killed has taken the outcome of the first activity, and lingers in its step.
func TestAProcessKilledInATurn(t *testing.T) {
	robust(t)
	approve := sync.OnceFunc(awaitingApproval(t, "beside-turn").approvedOnce)
	calm.Wait()
	untilInTheMiddle(t, orchestratorVisibility, func(word string) status {
		in := start(t, "Linger", "killed-in-turn-"+word, `{"millis":5000}`)
		killWhileHandling(t, "OrchestratorFunction", "InboxQueue", in.id, history.TaskCompleted)
		approve()
		return in.end("Completed")
	})
}

// untilInTheMiddle kills a process, and returns when that has hit a message in the middle: then the outcome of the instance's
// first activity has waited for the visibility time-out. LocalStack does not say which process it has given a message to, or
// when; so another of the function's may have been hit, and it is tried again.
func untilInTheMiddle(t *testing.T, visibility time.Duration, kill func(word string) status) {
	t.Helper()
	for n := range 3 {
		first := kill(strconv.Itoa(n)).completed("Work")[0]
		if first.Timestamp.Sub(first.ScheduledTime) >= visibility {
			return
		}
		t.Logf("try %d was not in the middle when a process was killed", n)
	}
	t.Error("three times nothing was killed in the middle")
}

// whileNobodyMails does what ends processes that send mail.
func whileNobodyMails(do func() *instance) *instance {
	mailing.Lock()
	defer mailing.Unlock()
	return do()
}

// awaitingApproval places a large order and returns when it waits.
func awaitingApproval(t *testing.T, word string) *instance {
	t.Helper()
	mailing.RLock()
	defer mailing.RUnlock()
	in := place(t, word, notLarge, large)
	in.until("waits for its approval", atStep("awaiting approval"))
	return in
}

// approvedOnce approves an order, waits for its end, and checks that nothing was done twice in its name.
func (in *instance) approvedOnce() {
	in.t.Helper()
	mailing.RLock()
	defer mailing.RUnlock()
	in.decide(`{"approved":true,"by":"Bob"}`)
	s := in.end("Completed")
	for _, activity := range []string{"ReserveStock", "ShipOrder", "ChargeCard"} {
		if n := len(s.completed(activity)); n != 1 {
			in.t.Errorf("%s has %d outcomes of %s; want 1", in.id, n, activity)
		}
	}
	in.wantsMails("received", "awaiting approval", "approved", "shipped", "billed", "completed")
}

// A deployment in the middle: both functions get another environment, and with it new processes, which a worker takes for
// another build.
func TestDeployedAnewInMidFlight(t *testing.T) {
	robust(t)
	waiting := awaitingApproval(t, "redeployed-order")
	calm.Wait()
	var under []*instance
	whileNobodyMails(func() *instance {
		under = []*instance{
			start(t, "Chain", "redeployed-1", `{"activities":25,"millis":500}`), // which takes much longer than a deployment
			start(t, "Chain", "redeployed-2", `{"activities":10,"millis":200}`),
			start(t, "FanOut", "redeployed-3", `{"activities":20,"millis":100}`),
		}
		eventually(t, under[0].id+" is under way", func() bool { return len(under[0].history().completed("Work")) > 0 })
		for _, f := range functions[1:] {
			deployAnew(t, hub.outputs[f])
		}
		return nil
	})
	if s := under[0].get(""); s.ended() {
		t.Errorf("%s was %s before the deployment had ended: nothing is shown", under[0].id, s.RuntimeStatus)
	}
	waiting.approvedOnce()
	for _, in := range under {
		in.end("Completed")
	}
}

// deployAnew gives a function another environment and waits until it has it.
func deployAnew(t *testing.T, function string) {
	t.Helper()
	has, err := hub.lambda.GetFunctionConfiguration(t.Context(), &lambda.GetFunctionConfigurationInput{FunctionName: &function})
	if err != nil {
		t.Fatal(err)
	}
	variables := maps.Clone(has.Environment.Variables)
	variables["DURABLE_BUILD"] = "anew-" + run
	if _, err := hub.lambda.UpdateFunctionConfiguration(t.Context(), &lambda.UpdateFunctionConfigurationInput{
		FunctionName: &function, Environment: &types.Environment{Variables: variables},
	}); err != nil {
		t.Fatal(err)
	}
	eventually(t, function+" is updated", func() bool {
		is, err := hub.lambda.GetFunctionConfiguration(t.Context(), &lambda.GetFunctionConfigurationInput{FunctionName: &function})
		if err != nil {
			t.Fatal(err)
		}
		return is.LastUpdateStatus == types.LastUpdateStatusSuccessful && is.Environment.Variables["DURABLE_BUILD"] == variables["DURABLE_BUILD"]
	})
}

// No worker survives this activity. After as many deliveries as the queue makes, its instance hears of it. Whatever is in the
// same batch goes down with it, so it comes last.
func TestAnActivityThatNoWorkerSurvives(t *testing.T) {
	t.Parallel()
	sound.Wait()
	s := start(t, "Wreck", "wreck", `null`).end("Failed")
	if s.FailureDetails == nil || s.FailureDetails.ErrorType != "WorkerLost" {
		t.Errorf("it failed of %+v; want WorkerLost", s.FailureDetails)
	}
}

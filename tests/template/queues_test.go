//go:build template

package template_test

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"
)

// behind says which function receives from a queue.
var behind = map[string]string{
	"InboxQueue": "OrchestratorFunction", "WakeQueue": "OrchestratorFunction",
	"ActivitiesQueue": "ActivityFunction", "OrdersQueue": "StarterFunction",
}

const day = 24 * 60 * 60.0

func TestQueues(t *testing.T) {
	t.Parallel()
	s := deploy(t)

	t.Run("there are four, and a dead-letter queue for each", func(t *testing.T) {
		var got, want []string
		for _, q := range s.of("AWS::SQS::Queue") {
			got = append(got, q.name)
		}
		for name := range behind {
			want = append(want, name, strings.TrimSuffix(name, "Queue")+"DeadQueue")
		}
		same(t, got, slices.Sorted(slices.Values(want)))
	})
	receives := map[string]float64{"InboxQueue": 100, "WakeQueue": 100, "ActivitiesQueue": 10, "OrdersQueue": 5}
	for name, function := range behind {
		queue, dead := s.one(t, name), s.one(t, strings.TrimSuffix(name, "Queue")+"DeadQueue")
		t.Run("what "+name+" delivers too often goes to its dead-letter queue, and is kept longer there", func(t *testing.T) {
			same(t, queue.get("RedrivePolicy"), map[string]any{
				"deadLetterTargetArn": "${" + dead.name + ".Arn}", "maxReceiveCount": receives[name]})
			same(t, queue.get("MessageRetentionPeriod"), 10*day)
			same(t, dead.get("MessageRetentionPeriod"), 14*day)
			same(t, dead.get("RedrivePolicy"), nil)
		})
		t.Run("what "+name+" delivers is hidden at least as long as "+function+" may take", func(t *testing.T) {
			visibility, timeout := queue.get("VisibilityTimeout").(float64), s.one(t, function).get("Timeout").(float64)
			if visibility < timeout {
				t.Errorf("it is hidden for %v s, the function may take %v s: Lambda refuses such a trigger", visibility, timeout)
			}
			if visibility > 2*timeout {
				t.Errorf("it is hidden for %v s, the function may take %v s: a crash holds messages up for too long", visibility, timeout)
			}
		})
		t.Run(name+" and its dead-letter queue are both in order, or both not", func(t *testing.T) {
			same(t, dead.get("FifoQueue"), queue.get("FifoQueue"))
		})
	}
	t.Run("the inbox keeps order by instance, has the limits of each instance, and deduplicates by the ids it is given", func(t *testing.T) {
		inbox := s.one(t, "InboxQueue")
		for property, want := range map[string]any{"FifoQueue": true, "DeduplicationScope": "messageGroup",
			"FifoThroughputLimit": "perMessageGroupId", "ContentBasedDeduplication": false} {
			same(t, inbox.get(property), want)
		}
	})
	for _, q := range s.of("AWS::SQS::Queue") {
		t.Run(q.name+" is unnamed, encrypted by SQS, waits for nobody, and delays nothing by itself", func(t *testing.T) {
			same(t, q.get("SqsManagedSseEnabled"), true)
			for _, property := range []string{"QueueName", "KmsMasterKeyId", "ReceiveMessageWaitTimeSeconds", "DelaySeconds"} {
				if got := q.get(property); got != nil {
					t.Errorf("%s is %v, want it left out", property, got)
				}
			}
		})
	}
}

func TestTriggers(t *testing.T) {
	t.Parallel()
	s := deploy(t)
	mappings := s.of("AWS::Lambda::EventSourceMapping")

	t.Run("each queue has its function", func(t *testing.T) {
		got := map[string]string{}
		for _, m := range mappings {
			got[names(m.get("EventSourceArn"))[0]] = names(m.get("FunctionName"))[0]
		}
		same(t, got, behind)
	})
	for _, m := range mappings {
		t.Run(m.name+" takes ten at a time at once, and puts back only what failed", func(t *testing.T) {
			same(t, m.get("FunctionResponseTypes"), []any{"ReportBatchItemFailures"})
			same(t, m.get("BatchSize"), 10.0)
			same(t, m.get("MaximumBatchingWindowInSeconds"), nil)
			same(t, m.get("FilterCriteria"), nil)
		})
	}
	t.Run("activities leave half of an account's ten invocations to the others", func(t *testing.T) {
		got := map[string]any{}
		for _, m := range mappings {
			if most := m.get("ScalingConfig", "MaximumConcurrency"); most != nil {
				got[m.name] = most
			}
		}
		same(t, got, map[string]any{"ActivityFunctionActivities": 5.0})
	})
	t.Run("the sweep runs every minute, and there is no standing order", func(t *testing.T) {
		same(t, rules(s), map[string]rule{
			"OrchestratorFunctionSweep": {"rate(1 minute)", "ENABLED", "OrchestratorFunction"},
		})
	})
	t.Run("a standing order switches its schedule on", func(t *testing.T) {
		on := deploy(t, everything...)
		same(t, rules(on)["StandingOrderRule"], rule{"rate(1 day)", "ENABLED", "StarterFunction"})
	})
	t.Run("the functions get EventBridge's own event, which says when it was due, the starter with the order in it", func(t *testing.T) {
		for _, r := range s.of("AWS::Events::Rule") {
			for _, target := range list(r.get("Targets")) {
				for key := range maps.Keys(target.(map[string]any)) {
					if strings.HasPrefix(key, "Input") {
						t.Errorf("%s replaces the event by its %s", r.name, key)
					}
				}
			}
		}
		targets := list(deploy(t, append(everything, `StandingOrder={"a":1}`)...).one(t, "StandingOrderRule").get("Targets"))
		same(t, dig(targets[0], "InputTransformer", "InputPathsMap"), map[string]any{"rule": "$.resources[0]", "time": "$.time"})
		// EventBridge puts quotes around texts that it fills in.
		template, _ := dig(targets[0], "InputTransformer", "InputTemplate").(string)
		filled := strings.NewReplacer("<rule>", `"arn:aws:events:r:1:rule/x"`, "<time>", `"2026-03-01T04:05:00Z"`).Replace(template)
		var event map[string]any
		if err := json.Unmarshal([]byte(filled), &event); err != nil {
			t.Fatalf("%v: %s", err, filled)
		}
		same(t, event, map[string]any{"source": "aws.events", "resources": []any{"arn:aws:events:r:1:rule/x"}, "time": "2026-03-01T04:05:00Z",
			"detail": map[string]any{"a": 1.0}})
	})
}

type rule struct{ Schedule, State, Function string }

func rules(s *stack) map[string]rule {
	found := map[string]rule{}
	for _, r := range s.of("AWS::Events::Rule") {
		var functions []string
		for _, target := range list(r.get("Targets")) {
			functions = append(functions, names(dig(target, "Arn"))...)
		}
		schedule, _ := r.get("ScheduleExpression").(string)
		state, _ := r.get("State").(string)
		found[r.name] = rule{schedule, state, strings.Join(functions, ", ")}
	}
	return found
}

//go:build template

package template_test

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/durable-lambda/durable-lambda/durable/awslambda"
	"github.com/durable-lambda/durable-lambda/durable/backend/aws"
)

var functions = []string{"ActivityFunction", "OrchestratorFunction", "StarterFunction"}

func TestFunctions(t *testing.T) {
	t.Parallel()
	s := deploy(t)

	t.Run("Lambda does not stop the chain of functions and queues that an orchestration is", func(t *testing.T) {
		for _, name := range []string{"OrchestratorFunction", "ActivityFunction"} {
			if got := s.one(t, name).get("RecursiveLoop"); got != "Allow" {
				t.Errorf("RecursiveLoop of %s is %v, want Allow: without it Lambda stops an orchestration after some sixteen rounds", name, got)
			}
		}
	})
	t.Run("there are three functions", func(t *testing.T) {
		var got []string
		for _, f := range s.of("AWS::Lambda::Function") {
			got = append(got, f.name)
		}
		same(t, got, functions)
	})
	t.Run("no function reserves or provisions concurrency", func(t *testing.T) {
		for _, f := range s.of("AWS::Lambda::Function") {
			if got := f.get("ReservedConcurrentExecutions"); got != nil {
				t.Errorf("%s reserves %v", f.name, got)
			}
		}
		for _, kind := range []string{"AWS::Lambda::Alias", "AWS::Lambda::Version"} {
			for _, r := range s.of(kind) {
				t.Errorf("%s is a %s, which only provisioned concurrency needs", r.name, kind)
			}
		}
	})
	for _, name := range functions {
		t.Run(name+" is a Go binary of 256 MB that logs JSON", func(t *testing.T) {
			f := s.one(t, name)
			want := map[string]any{"Runtime": "provided.al2023", "Handler": "bootstrap", "MemorySize": 256.0, "Architectures": []any{"arm64"}}
			for property, value := range want {
				if diff := cmp.Diff(value, f.get(property)); diff != "" {
					t.Errorf("%s differs (-want +got):\n%s", property, diff)
				}
			}
			group := strings.TrimSuffix(name, "Function") + "Logs"
			same(t, f.get("LoggingConfig"), map[string]any{"LogFormat": "JSON", "SystemLogLevel": "WARN", "LogGroup": "${" + group + "}"})
			if days, ok := s.one(t, group).get("RetentionInDays").(float64); !ok || days <= 0 {
				t.Errorf("%s are kept for ever", group)
			}
		})
		t.Run(name+" lets Go use 80 % of its memory", func(t *testing.T) {
			f := s.one(t, name)
			want := fmt.Sprintf("%dMiB", int(f.get("MemorySize").(float64)*0.8))
			same(t, f.get("Environment", "Variables", "GOMEMLIMIT"), want)
		})
	}
	t.Run("the starter answers before API Gateway gives up", func(t *testing.T) {
		if got := s.one(t, "StarterFunction").get("Timeout").(float64); got > 29 {
			t.Errorf("it may take %v s, and API Gateway waits for 29", got)
		}
	})
	t.Run("a sweep that failed is not repeated, because the next one comes in a minute", func(t *testing.T) {
		c := invoked(t, s, "OrchestratorFunction")
		same(t, c.get("MaximumRetryAttempts"), 0.0)
		same(t, c.get("MaximumEventAgeInSeconds"), 60.0)
	})
	t.Run("a tick that failed again and again is put away, and not lost", func(t *testing.T) {
		c := invoked(t, s, "StarterFunction")
		same(t, c.get("DestinationConfig", "OnFailure", "Destination"), "${OrdersDeadQueue.Arn}")
		same(t, c.get("MaximumRetryAttempts"), nil) // Lambda's own: two
		if !slices.ContainsFunc(may(t, s, "StarterFunction"), func(l string) bool { return strings.Join(strings.Fields(l), " ") == "sqs:SendMessage OrdersDeadQueue" }) {
			t.Error("Lambda may not put it there in the function's name")
		}
	})
}

// invoked is how a function is invoked by what does not wait for it: schedules.
func invoked(t *testing.T, s *stack, function string) resource {
	t.Helper()
	for _, c := range s.of("AWS::Lambda::EventInvokeConfig") {
		if c.get("FunctionName") == "${"+function+"}" {
			return c
		}
	}
	t.Fatalf("nothing says how %s is invoked", function)
	return resource{}
}

func TestEnvironment(t *testing.T) {
	t.Parallel()
	s := deploy(t, everything...)
	all := []string{"GOMEMLIMIT", awslambda.EnvHub, awslambda.EnvDirectDelay, awslambda.EnvMeter,
		aws.EnvTable, aws.EnvBucket, aws.EnvInboxURL, aws.EnvWakeURL, aws.EnvActivitiesURL}
	own := map[string][]string{
		"StarterFunction":      {awslambda.EnvPublicURL, awslambda.EnvAccess, awslambda.EnvOrigins, awslambda.EnvRejected, awslambda.EnvLinkKeys, awslambda.EnvAPIURL},
		"ActivityFunction":     {awslambda.EnvLinkKeys, awslambda.EnvAPIURL, awslambda.EnvEventBus},
		"OrchestratorFunction": {awslambda.EnvEventBus, aws.EnvDeadInboxURL, aws.EnvDeadWakeURL, aws.EnvDeadActivitiesURL},
	}
	for _, name := range functions {
		t.Run(name+" has the variables that the packages and its own code read", func(t *testing.T) {
			want := slices.Concat(all, own[name], read(t, name))
			got, _ := s.one(t, name).get("Environment", "Variables").(map[string]any)
			same(t, slices.Sorted(maps.Keys(got)), slices.Sorted(slices.Values(want)))
		})
		t.Run(name+" is told where everything is", func(t *testing.T) {
			want := map[string]string{
				aws.EnvTable: "${Table}", aws.EnvBucket: "${Payloads}",
				aws.EnvInboxURL: "${InboxQueue}", aws.EnvWakeURL: "${WakeQueue}", aws.EnvActivitiesURL: "${ActivitiesQueue}",
				awslambda.EnvHub: "${AWS::StackName}",
			}
			if name == "OrchestratorFunction" {
				want[aws.EnvDeadInboxURL], want[aws.EnvDeadWakeURL] = "${InboxDeadQueue}", "${WakeDeadQueue}"
				want[aws.EnvDeadActivitiesURL] = "${ActivitiesDeadQueue}"
			}
			for variable, value := range want {
				same(t, s.one(t, name).get("Environment", "Variables", variable), value)
			}
		})
	}
}

// read returns the names of the variables for the demonstration that a function's own code names.
func read(t *testing.T, function string) []string {
	t.Helper()
	files, err := filepath.Glob("../../lambdas/" + strings.ToLower(strings.TrimSuffix(function, "Function")) + "/*.go")
	if err != nil || len(files) == 0 {
		t.Fatalf("the code of %s was not found: %v", function, err)
	}
	var found []string
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range regexp.MustCompile(`"(ORDERS_[A-Z_]+)"`).FindAllStringSubmatch(string(text), -1) {
			found = append(found, name[1])
		}
	}
	slices.Sort(found)
	return slices.Compact(found)
}

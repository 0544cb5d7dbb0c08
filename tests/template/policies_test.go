//go:build template

package template_test

import (
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write the golden list of permissions")

const golden = "testdata/permissions.txt"

// TestPermissions holds the roles to a list that a person can read. No emulator enforces them, so what is missing shows
// first on AWS, and what is too much never.
func TestPermissions(t *testing.T) {
	t.Parallel()
	s, on := deploy(t), deploy(t, everything...)
	var b strings.Builder
	b.WriteString("What each function may do, and who may invoke it. Written by: go test -tags template ./tests/template -update\n")
	for _, name := range functions {
		fmt.Fprintf(&b, "\n%s may\n", name)
		before := may(t, s, name)
		for _, line := range before {
			fmt.Fprintf(&b, "  %s\n", line)
		}
		if more := slices.DeleteFunc(may(t, on, name), func(l string) bool { return slices.Contains(before, l) }); len(more) > 0 {
			fmt.Fprintf(&b, "and, where everything is switched on\n")
			for _, line := range more {
				fmt.Fprintf(&b, "  %s\n", line)
			}
		}
		b.WriteString("and may be invoked by\n")
		for _, line := range invokers(on, name) {
			fmt.Fprintf(&b, "  %s\n", line)
		}
	}
	if *update {
		if err := os.WriteFile(golden, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(strings.Split(string(want), "\n"), strings.Split(b.String(), "\n")); diff != "" {
		t.Errorf("the permissions differ from %s (-want +got); if they are meant to, run this with -update:\n%s", golden, diff)
	}
}

func TestRoles(t *testing.T) {
	t.Parallel()
	s := deploy(t, everything...)

	t.Run("each function has a role of its own, and nobody else may take it", func(t *testing.T) {
		var got []string
		for _, r := range s.of("AWS::IAM::Role") {
			got = append(got, r.name)
			same(t, r.get("AssumeRolePolicyDocument", "Statement"), []any{map[string]any{
				"Effect": "Allow", "Principal": map[string]any{"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}})
		}
		same(t, got, []string{"ActivityRole", "OrchestratorRole", "StarterRole"})
		for _, name := range functions {
			same(t, s.one(t, name).get("Role"), "${"+role(name)+".Arn}")
		}
	})
	t.Run("no role has a policy of AWS's, which would be about every queue and every log", func(t *testing.T) {
		for _, r := range s.of("AWS::IAM::Role") {
			same(t, r.get("ManagedPolicyArns"), nil)
		}
	})
	t.Run("no permission is about everything", func(t *testing.T) {
		for _, name := range functions {
			for _, st := range statements(t, s, name) {
				if dig(st, "Effect") != "Allow" || dig(st, "NotAction") != nil || dig(st, "NotResource") != nil {
					t.Errorf("a statement of %s is not a list of what is allowed: %v", name, st)
				}
				for _, action := range list(dig(st, "Action")) {
					if strings.Contains(action.(string), "*") {
						t.Errorf("%s may %s", name, action)
					}
				}
				for _, on := range list(dig(st, "Resource")) {
					wild := strings.Contains(on.(string), "*")
					// SES checks the identities of recipients too, so that statement has a condition instead.
					if limited := on == "${Payloads.Arn}/*" || dig(st, "Condition", "StringEquals", "ses:FromAddress") != nil; wild && !limited {
						t.Errorf("%s may %v on %s", name, dig(st, "Action"), on)
					}
				}
			}
		}
	})
}

func role(function string) string { return strings.TrimSuffix(function, "Function") + "Role" }

func statements(t *testing.T, s *stack, function string) []any {
	t.Helper()
	var all []any
	for _, p := range list(s.one(t, role(function)).get("Policies")) {
		all = append(all, list(dig(p, "PolicyDocument", "Statement"))...)
	}
	return all
}

// may lists a function's permissions, one action on one resource a line.
func may(t *testing.T, s *stack, function string) []string {
	t.Helper()
	short := strings.NewReplacer("arn:${AWS::Partition}:", "", "${AWS::Region}:${AWS::AccountId}:", "", "${", "", ".Arn}", "", "}", "")
	var lines []string
	for _, st := range statements(t, s, function) {
		when := ""
		if from := dig(st, "Condition", "StringEquals", "ses:FromAddress"); from != nil {
			when = fmt.Sprintf("  from %v", from)
		}
		if dig(st, "Condition", "StringNotEquals", "ssm:Overwrite") == "true" {
			when = "  if there is none"
		}
		for _, action := range list(dig(st, "Action")) {
			for _, on := range list(dig(st, "Resource")) {
				lines = append(lines, fmt.Sprintf("%-30s %s%s", action, short.Replace(on.(string)), when))
			}
		}
	}
	slices.Sort(lines)
	return lines
}

// invokers lists what may invoke a function besides its queues, which Lambda polls in its name.
func invokers(s *stack, function string) []string {
	var lines []string
	for _, p := range s.of("AWS::Lambda::Permission") {
		if names(p.get("FunctionName"))[0] == function {
			lines = append(lines, fmt.Sprintf("%-30s %s", p.get("Principal"), names(p.get("SourceArn"))[0]))
		}
	}
	slices.Sort(lines)
	if len(lines) == 0 {
		return []string{"nobody; Lambda polls its queue"}
	}
	return lines
}

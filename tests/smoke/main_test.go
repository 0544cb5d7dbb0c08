package main

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// fake is an AWS that answers operations of the query protocol, and notes everything that it was asked.
func fake(t *testing.T, answers map[string]string) (asked *[]string) {
	t.Helper()
	asked = new([]string)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		action := r.FormValue("Action")
		*asked = append(*asked, strings.TrimSpace(r.Method+" "+r.URL.Path+" "+action))
		answer, ok := answers[action]
		if !ok {
			http.Error(w, "<ErrorResponse><Error><Code>NotExpected</Code></Error></ErrorResponse>", http.StatusBadRequest)
			return
		}
		w.Header().Set("Content-Type", "text/xml")
		w.Write([]byte(answer))
	}))
	t.Cleanup(server.Close)
	for name, value := range map[string]string{
		"AWS_ENDPOINT_URL": "", "AWS_PROFILE": "", "AWS_SESSION_TOKEN": "", "AWS_REGION": "eu-north-1",
		"AWS_ACCESS_KEY_ID": "AKID", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_CONFIG_FILE": os.DevNull, "AWS_SHARED_CREDENTIALS_FILE": os.DevNull,
		"AWS_MAX_ATTEMPTS": "1",
	} {
		t.Setenv(name, value)
	}
	for _, service := range []string{"STS", "CLOUDFORMATION", "S3", "DYNAMODB", "SQS", "LAMBDA", "CLOUDWATCH_LOGS", "SES"} {
		t.Setenv("AWS_ENDPOINT_URL_"+service, server.URL)
	}
	return asked
}

const identity = `<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetCallerIdentityResult>` +
	`<Arn>arn:aws:iam::123456789012:user/ada</Arn><UserId>AIDA</UserId><Account>123456789012</Account>` +
	`</GetCallerIdentityResult></GetCallerIdentityResponse>`

// tools puts a sam on the PATH that notes its calls in a file, and fails.
func tools(t *testing.T) (calls string) {
	t.Helper()
	folder := t.TempDir()
	calls = filepath.Join(folder, "calls")
	for name, script := range map[string]string{
		"sam":  "#!/bin/sh\necho \"$@\" >>" + calls + "\necho it did not work\nexit 7\n",
		"go":   "#!/bin/sh\n",
		"make": "#!/bin/sh\n",
	} {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(script), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("PATH", folder)
	return calls
}

func TestWithoutConsentItOnlySaysWhatItWouldDo(t *testing.T) {
	for _, consent := range []string{"", "no", "1", "YES"} {
		t.Run("SMOKE_AWS="+consent, func(t *testing.T) {
			asked, calls := fake(t, map[string]string{"GetCallerIdentity": identity}), tools(t)
			t.Setenv("SMOKE_AWS", consent)
			t.Setenv("SMOKE_MAIL_FROM", "")
			t.Chdir("../..")
			var out bytes.Buffer
			if code := run(t.Context(), nil, &out); code != nothing {
				t.Errorf("it exits with %d; want %d\n%s", code, nothing, &out)
			}
			for _, want := range []string{"123456789012", "user/ada", "eu-north-1", prefix, "$0.10", "mails go to the log", "SMOKE_AWS=yes make smoke-aws"} {
				if !strings.Contains(out.String(), want) {
					t.Errorf("it does not say %s:\n%s", want, &out)
				}
			}
			if len(*asked) != 1 || !strings.HasSuffix((*asked)[0], "GetCallerIdentity") {
				t.Errorf("it asked AWS for %v; want its identity only", *asked)
			}
			if said, err := os.ReadFile(calls); err == nil {
				t.Errorf("it ran sam %s", said)
			}
		})
	}
}

func TestACallThatMakesNoSense(t *testing.T) {
	for says, args := range map[string][]string{
		"is too much":                   {"now"},
		"activities must be from 1":     {"-fan-out", "0"},
		"activities must be from 1 to ": {"-fan-out", "1001"},
		"removes only stacks of this":   {"-delete", "durable-orders"},
	} {
		var out bytes.Buffer
		if _, err := parse(args, &out); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%v: got %v; want a word of %q", args, err, says)
		}
	}
	if o, err := parse([]string{"-fan-out", "50", "-delete", "durable-smoke-0123abcd"}, &bytes.Buffer{}); err != nil || o.fanOut != 50 {
		t.Errorf("got %+v, %v", o, err)
	}
}

func TestItRunsWhereTheTemplateIs(t *testing.T) {
	t.Chdir(t.TempDir())
	if err := checkFolder(); err == nil || !strings.Contains(err.Error(), "root of the repository") {
		t.Errorf("got %v", err)
	}
}

func TestNames(t *testing.T) {
	t.Parallel()
	a, b := newName(), newName()
	if a == b || !isName(a) || !isName(b) {
		t.Errorf("two names are %s and %s", a, b)
	}
	for _, other := range []string{"durable-orders", "durable-smoke-", "durable-smoke-0123abcd-2", "durable-smoke-0123ABCD", "my-durable-smoke-0123abcd"} {
		if isName(other) {
			t.Errorf("%s is taken for a name of this command", other)
		}
	}
	if bucket := codeBucket(a, "123456789012"); len(bucket) > 63 || !strings.HasPrefix(bucket, a) { // S3's limit
		t.Errorf("the bucket is %s", bucket)
	}
}

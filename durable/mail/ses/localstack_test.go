//go:build aws

package ses_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	netmail "net/mail"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/ses"
	"github.com/google/go-cmp/cmp"

	"github.com/durable-lambda/durable-lambda/durable/mail"
	"github.com/durable-lambda/durable-lambda/durable/mail/mailtest"
	"github.com/durable-lambda/durable-lambda/durable/mail/ses"
)

// endpoint is an emulator of AWS to test against.
func endpoint(t *testing.T) string {
	t.Helper()
	e := os.Getenv("DURABLE_TEST_AWS_ENDPOINT")
	if e == "" {
		t.Fatal("DURABLE_TEST_AWS_ENDPOINT is not set: run localstack/up and '. localstack/env' to test against LocalStack")
	}
	return e
}

func emulated(e string) *sdk.Client {
	return sdk.New(sdk.Options{Region: "eu-central-1", Credentials: fixedCredentials(), BaseEndpoint: aws.String(e)})
}

func TestLocalStackReceivesTheMail(t *testing.T) {
	t.Parallel()
	e := endpoint(t)
	client := emulated(e)
	sender := fmt.Sprintf("shop-%d@example.com", time.Now().UnixNano())
	if _, err := client.VerifyEmailIdentity(t.Context(), &sdk.VerifyEmailIdentityInput{EmailAddress: aws.String(sender)}); err != nil {
		t.Fatalf("verify the sender: %v", err)
	}
	sent := mailtest.Sample("Ihre Bestellung: 3 × Grüße")
	sent.From = "Größter Shop <" + sender + ">"
	mailer := ses.New(client.SendRawEmail, ses.Options{Tags: map[string]string{"app": "shop"}})
	if err := mailer.Send(t.Context(), "key", sent); err != nil {
		t.Fatalf("Send: %v", err)
	}

	got := read(t, inbox(t, e, sender))
	want := sent
	parsed, err := netmail.ParseAddress(want.From)
	if err != nil {
		t.Fatal(err)
	}
	want.From, want.To, want.InstanceID = parsed.String(), `"Ada Lovelace" <ada@example.com>`, ""
	want.Text, got.Text = lines(want.Text), lines(got.Text)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("LocalStack received another mail (-want +got):\n%s", diff)
	}
}

func TestLocalStackRefusesAnUnverifiedSender(t *testing.T) {
	t.Parallel()
	m := mailtest.Sample("Hello")
	m.From = "nobody@unverified.example"
	err := ses.New(emulated(endpoint(t)).SendRawEmail, ses.Options{}).Send(t.Context(), "key", m)
	wantKind(t, err, mail.ErrNotSent)
	if !strings.Contains(err.Error(), "verify") {
		t.Errorf("Send = %v; want a hint that says how to verify the sender", err)
	}
}

// inbox returns the one raw mail that LocalStack keeps of sender.
func inbox(t *testing.T, e, sender string) []byte {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, e+"/_aws/ses?email="+url.QueryEscape(sender), nil)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatalf("read the mail back: %v", err)
	}
	defer answer.Body.Close()
	var kept struct {
		Messages []struct {
			Source, RawData string
		} `json:"messages"`
	}
	if err := json.NewDecoder(answer.Body).Decode(&kept); err != nil {
		t.Fatalf("read the mail back: %v", err)
	}
	if len(kept.Messages) != 1 {
		t.Fatalf("LocalStack keeps %d mails of %s; want one", len(kept.Messages), sender)
	}
	return []byte(kept.Messages[0].RawData)
}

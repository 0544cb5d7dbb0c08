package ses_test

import (
	"context"
	"errors"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/ses"

	"github.com/durable-lambda/durable-lambda/durable/mail"
	"github.com/durable-lambda/durable-lambda/durable/mail/mailtest"
	"github.com/durable-lambda/durable-lambda/durable/mail/ses"
)

const unverified = "Email address is not verified. The following identities failed the check in region EU-CENTRAL-1: ada@example.com"

func TestSendExplainsRefusals(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		status        int
		code, message string
		want          error
		hint          string
	}{
		"sandbox":              {400, "MessageRejected", unverified, mail.ErrNotSent, "request production access"},
		"suppressed":           {400, "MessageRejected", "Address blacklisted.", mail.ErrInvalid, "suppression list"},
		"another rejection":    {400, "MessageRejected", "Transaction failed", mail.ErrNotSent, "Developer Guide"},
		"account paused":       {400, "AccountSendingPausedException", "Email sending is disabled for your account.", mail.ErrNotSent, "account dashboard"},
		"rejected as paused":   {400, "MessageRejected", "Sending paused for this account. For more information, please check the inbox of the email address associated with your AWS account.", mail.ErrNotSent, "account dashboard"},
		"set paused":           {400, "ConfigurationSetSendingPausedException", "Email sending is disabled for configuration set", mail.ErrNotSent, "update-configuration-set-sending-enabled"},
		"no configuration set": {400, "ConfigurationSetDoesNotExist", "Configuration set &lt;orders&gt; does not exist.", mail.ErrNotSent, "Options.ConfigurationSet"},
		"MAIL FROM":            {400, "MailFromDomainNotVerifiedException", "The MAIL FROM domain is not verified", mail.ErrNotSent, "MX record"},
		"quota":                {400, "Throttling", "Daily message quota exceeded.", mail.ErrNotSent, "24 hours"},
		"illegal address":      {400, "InvalidParameterValue", "Missing final '@domain'", mail.ErrInvalid, "correct"},
		"no permission":        {403, "AccessDenied", "User is not authorized to perform `ses:SendRawEmail'", mail.ErrNotSent, "allow this role ses:SendRawEmail"},
		"stale credentials":    {403, "ExpiredToken", "The security token included in the request is expired", mail.ErrNotSent, "credentials"},
		"some other 4xx":       {400, "OptInRequired", "The AWS Access Key Id needs a subscription for the service", mail.ErrNotSent, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			api := &fakeSES{answer: refuse(c.status, c.code, c.message)}
			err := ses.New(api.client().SendRawEmail, ses.Options{}).Send(t.Context(), "key", mailtest.Sample("Hello"))
			wantKind(t, err, c.want)
			if err != nil && !strings.Contains(err.Error(), c.hint) {
				t.Errorf("Send = %v; want a hint that says %q", err, c.hint)
			}
			if len(api.requests) != 1 {
				t.Errorf("Send made %d requests; want one", len(api.requests))
			}
		})
	}
}

func TestSendTellsTheUnknownFromTheUnsent(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		answer func(*http.Request) (*http.Response, error)
		want   error
	}{
		"failure inside SES":   {refuse(500, "InternalFailure", "The request processing has failed."), nil},
		"unavailable":          {refuse(503, "ServiceUnavailable", "Service is unable to handle request."), nil},
		"time-out told by SES": {refuse(408, "RequestTimeout", "Timed out"), nil},
		"answer is no XML":     {fail(response(http.StatusOK, "<"), nil), nil},
		"connection broke":     {fail(nil, &net.OpError{Op: "read", Err: errors.New("connection reset by peer")}), nil},
		"time-out":             {fail(nil, context.DeadlineExceeded), nil},
		"connection refused":   {fail(nil, &net.OpError{Op: "dial", Err: errors.New("connection refused")}), mail.ErrNotSent},
		"no such host":         {fail(nil, &net.DNSError{Err: "no such host", Name: "email.example"}), mail.ErrNotSent},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			api := &fakeSES{answer: c.answer}
			err := ses.New(api.client().SendRawEmail, ses.Options{}).Send(t.Context(), "key", mailtest.Sample("Hello"))
			wantKind(t, err, c.want)
			if len(api.requests) != 1 {
				t.Errorf("Send made %d requests; want one, because a second could send the mail again", len(api.requests))
			}
		})
	}
}

func TestSendWithoutCredentialsIsNotSent(t *testing.T) {
	t.Parallel()
	api := &fakeSES{}
	client := sdk.New(sdk.Options{
		Region: "eu-central-1", HTTPClient: &http.Client{Transport: api},
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{}, errors.New("no role")
		}),
	})
	wantKind(t, ses.New(client.SendRawEmail, ses.Options{}).Send(t.Context(), "key", mailtest.Sample("Hello")), mail.ErrNotSent)
}

func TestSendDoesNotTrustWhatItDoesNotKnow(t *testing.T) {
	t.Parallel()
	wantKind(t, ses.New(brokenClient{}.SendRawEmail, ses.Options{}).Send(t.Context(), "key", mailtest.Sample("Hello")), nil)
}

type brokenClient struct{}

func (brokenClient) SendRawEmail(context.Context, *sdk.SendRawEmailInput, ...func(*sdk.Options)) (*sdk.SendRawEmailOutput, error) {
	return nil, errors.New("broken")
}

func fail(r *http.Response, err error) func(*http.Request) (*http.Response, error) {
	return func(*http.Request) (*http.Response, error) { return r, err }
}

// wantKind wants an error that wraps only want of the two sentinels; nil stands for neither.
func wantKind(t *testing.T, err, want error) {
	t.Helper()
	if err == nil {
		t.Fatal("Send returned nil; want an error")
	}
	for _, sentinel := range []error{mail.ErrInvalid, mail.ErrNotSent} {
		if got := errors.Is(err, sentinel); got != (sentinel == want) {
			t.Errorf("Send = %v; whether it wraps %q is %t", err, sentinel, got)
		}
	}
}

// TestSendWaitsForTheSendingRate: SES refuses a few mails too many for moments, and says so.
func TestSendWaitsForTheSendingRate(t *testing.T) {
	for name, c := range map[string]struct {
		status        int
		code, message string
	}{
		"rate":                 {400, "Throttling", "Maximum sending rate exceeded."},
		"rate, newer code":     {429, "ThrottlingException", "Rate exceeded"},
		"throttled with a 503": {503, "Throttling", "Rate exceeded"},
	} {
		send := func(t *testing.T, ctx context.Context, refused int) (requests int, took time.Duration, err error) {
			api := &fakeSES{}
			no := refuse(c.status, c.code, c.message)
			api.answer = func(r *http.Request) (*http.Response, error) {
				if requests++; requests > refused {
					return response(http.StatusOK, accepted), nil
				}
				return no(r)
			}
			begin := time.Now()
			err = ses.New(api.client().SendRawEmail, ses.Options{}).Send(ctx, "key", mailtest.Sample("Hello"))
			return requests, time.Since(begin), err
		}
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				if n, took, err := send(t, t.Context(), 3); err != nil || n != 4 || took < 1500*time.Millisecond {
					t.Errorf("after %d requests in %v: %v", n, took, err)
				}
				n, took, err := send(t, t.Context(), 1000)
				wantKind(t, err, mail.ErrNotSent)
				if n < 5 || took > 20*time.Second || !strings.Contains(err.Error(), "more slowly") {
					t.Errorf("it gave up after %d requests in %v with %v", n, took, err)
				}
				ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
				defer cancel()
				n, took, err = send(t, ctx, 1000)
				wantKind(t, err, mail.ErrNotSent)
				if n < 2 || took > 3*time.Second {
					t.Errorf("with 5 seconds it gave up after %d requests in %v", n, took)
				}
			})
		})
	}
}

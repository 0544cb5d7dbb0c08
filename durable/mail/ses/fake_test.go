package ses_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"fmt"
	"io"
	"mime"
	"net/http"
	netmail "net/mail"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/ses"
)

// fakeSES is the network: it keeps what SES is asked for, and answers as SES does.
type fakeSES struct {
	// answer, if set, answers instead.
	answer func(*http.Request) (*http.Response, error)

	mu       sync.Mutex
	requests []map[string]string
	raw      [][]byte
}

func (f *fakeSES) client() *sdk.Client {
	return sdk.New(sdk.Options{
		Region: "eu-central-1", Credentials: fixedCredentials(), HTTPClient: &http.Client{Transport: f},
	})
}

func fixedCredentials() aws.CredentialsProvider {
	return aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
		return aws.Credentials{AccessKeyID: "test", SecretAccessKey: "test"}, nil
	})
}

const accepted = `<SendRawEmailResponse xmlns="http://ses.amazonaws.com/doc/2010-12-01/">
  <SendRawEmailResult>
    <MessageId>0107019712345678-01234567-89ab-cdef-0123-456789abcdef-000000</MessageId>
  </SendRawEmailResult>
  <ResponseMetadata><RequestId>e0abcdfa-c866-11e0-b6d0-273d09173b49</RequestId></ResponseMetadata>
</SendRawEmailResponse>`

func (f *fakeSES) RoundTrip(r *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	form, err := url.ParseQuery(string(body))
	if err != nil {
		return nil, err
	}
	raw, err := base64.StdEncoding.DecodeString(form.Get("RawMessage.Data"))
	if err != nil {
		return nil, err
	}
	request := map[string]string{}
	for name := range form {
		request[name] = form.Get(name)
	}
	f.mu.Lock()
	f.requests, f.raw = append(f.requests, request), append(f.raw, raw)
	f.mu.Unlock()
	if f.answer != nil {
		return f.answer(r)
	}
	return response(http.StatusOK, accepted), nil
}

func response(status int, body string) *http.Response {
	return &http.Response{
		StatusCode: status, Header: http.Header{"Content-Type": {"text/xml"}},
		Body: io.NopCloser(strings.NewReader(body)), ContentLength: int64(len(body)),
	}
}

// refuse answers with an error as SES words it.
func refuse(status int, code, message string) func(*http.Request) (*http.Response, error) {
	fault := "Sender"
	if status >= 500 {
		fault = "Receiver"
	}
	return func(*http.Request) (*http.Response, error) {
		return response(status, fmt.Sprintf(`<ErrorResponse xmlns="http://ses.amazonaws.com/doc/2010-12-01/">
  <Error>
    <Type>%s</Type>
    <Code>%s</Code>
    <Message>%s</Message>
  </Error>
  <RequestId>42d59b56-7407-4c4a-be0f-4c88daeea257</RequestId>
</ErrorResponse>`, fault, code, message)), nil
	}
}

func (f *fakeSES) subjects(t *testing.T) (subjects []string) {
	t.Helper()
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, raw := range f.raw {
		m, err := netmail.ReadMessage(bytes.NewReader(raw))
		if err != nil {
			t.Fatalf("what was sent is no mail: %v", err)
		}
		subject, err := new(mime.WordDecoder).DecodeHeader(m.Header.Get("Subject"))
		if err != nil {
			t.Fatalf("Subject: %v", err)
		}
		subjects = append(subjects, subject)
	}
	return subjects
}

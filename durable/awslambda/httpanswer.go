package awslambda

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"unicode/utf8"

	"github.com/aws/aws-lambda-go/events"
)

// answer is an http.ResponseWriter that keeps an answer in memory, and treats what a handler does as net/http's server
// would.
type answer struct {
	header http.Header
	// status is 0 until the header is written; sent is the header as it was then.
	status int
	sent   http.Header
	body   bytes.Buffer
	// bare is an answer without a body, to a HEAD request.
	bare     bool
	overflow bool
}

func newAnswer(method string) *answer {
	return &answer{header: http.Header{}, bare: method == http.MethodHead}
}

// reset forgets what was written.
func (a *answer) reset() { *a = answer{header: http.Header{}, bare: a.bare} }

func (a *answer) Header() http.Header { return a.header }

func (a *answer) WriteHeader(status int) {
	if a.status != 0 || status >= 100 && status <= 199 {
		return
	}
	if status < 100 || status > 999 {
		panic(fmt.Sprintf("invalid status code %d", status))
	}
	a.status, a.sent = status, a.header.Clone()
}

var errOverflow = errors.New("the answer is larger than AWS Lambda returns")

func (a *answer) Write(p []byte) (int, error) {
	a.WriteHeader(http.StatusOK)
	switch {
	case a.status == http.StatusNoContent || a.status == http.StatusNotModified:
		return 0, http.ErrBodyNotAllowed
	case a.bare:
		return len(p), nil
	case a.body.Len()+len(p) > maxResponse:
		a.overflow = true
		return 0, errOverflow
	}
	return a.body.Write(p)
}

// finish returns the answer's status, header and body; the body is in base64 when it is no text, because the event's
// answer is JSON.
func (a *answer) finish() (status int, header http.Header, body string, binary bool) {
	a.WriteHeader(http.StatusOK)
	header = a.sent
	if _, typed := header["Content-Type"]; a.body.Len() > 0 && !typed && header.Get("Content-Encoding") == "" {
		header.Set("Content-Type", http.DetectContentType(a.body.Bytes()))
	}
	// The gateway's own connection to the client decides these.
	for _, name := range []string{"Content-Length", "Transfer-Encoding", "Connection"} {
		header.Del(name)
	}
	if utf8.Valid(a.body.Bytes()) {
		return a.status, header, a.body.String(), false
	}
	return a.status, header, base64.StdEncoding.EncodeToString(a.body.Bytes()), true
}

// shape1 is an answer in payload format 1.0.
func shape1(a *answer) any {
	status, header, body, binary := a.finish()
	return events.APIGatewayProxyResponse{StatusCode: status, MultiValueHeaders: header, Body: body, IsBase64Encoded: binary}
}

// shape2 is an answer in payload format 2.0: a header has one value, and cookies stand apart.
func shape2(a *answer) any {
	status, header, body, binary := a.finish()
	out := events.LambdaFunctionURLResponse{
		StatusCode: status, Headers: make(map[string]string, len(header)), Body: body, IsBase64Encoded: binary,
		Cookies: header["Set-Cookie"],
	}
	for name, values := range header {
		if name != "Set-Cookie" {
			out.Headers[name] = strings.Join(values, ", ")
		}
	}
	return out
}

package awslambda

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"runtime/debug"
	"strings"
	"time"

	"github.com/durable-lambda/durable-lambda/durable/access"
	"github.com/durable-lambda/durable-lambda/durable/api"
)

const (
	// maxResponse is what Lambda passes on of a synchronous invocation's response: 6 MB, the answer's JSON around its body
	// included.
	maxResponse = 6 << 20
	// grace is how long before its invocation a request ends, so that a handler which waits can still say that the time
	// is up. At its deadline Lambda stops the function, and the client is told of an internal error.
	grace = 500 * time.Millisecond
)

// serveHTTP has h answer the request that an event is, and returns the answer in the shape that belongs to the event: of a
// REST API, of an HTTP API in either payload format, or of a Function URL.
//
// The handler sees the request that the client sent, without the stage or base path which API Gateway puts before an
// API's paths. Links of durable/api begin with the URL that the client used, from the event's requestContext; the Host
// header is not believed, and the request's Host is the requestContext's domain. The request's context ends shortly
// before ctx does.
//
// A body of more than api.MaxBody is refused before the handler sees it. An answer that Lambda would not pass on, and a
// panic of the handler, become a problem with status 500. An event that is no request is an error.
func serveHTTP(ctx context.Context, h http.Handler, event json.RawMessage, log *slog.Logger) (json.RawMessage, error) {
	in, err := readRequest(event)
	if err != nil {
		return nil, err
	}
	ctx, cancel := endBefore(ctx, grace)
	defer cancel()
	ctx = access.With(ctx, access.Caller{Name: in.caller, May: access.All}) // the gateway lets nobody in who may not
	out := newAnswer(in.method)
	if r, ok := in.request(api.WithPublicURL(ctx, in.base), out); ok {
		handle(h, out, r, in.id, log)
	}
	return reply(in, out)
}

func endBefore(ctx context.Context, grace time.Duration) (context.Context, context.CancelFunc) {
	deadline, ok := ctx.Deadline()
	if !ok {
		return context.WithCancel(ctx)
	}
	return context.WithDeadline(ctx, deadline.Add(-grace))
}

// handle has h answer. A panic must not end the process: other requests are none the worse for it, and a cold start is
// spared.
func handle(h http.Handler, out *answer, r *http.Request, id string, log *slog.Logger) {
	defer func() {
		if p := recover(); p != nil {
			log.Error("an HTTP handler panicked", "request", id, "method", r.Method, "path", guarded(r.URL.Path), "panic", p, "stack", "\n"+string(debug.Stack()))
			out.reset()
			api.Problem(out, http.StatusInternalServerError, "Something went wrong while the request was processed.",
				"The function's log says what: search it for the request "+id+".")
		}
	}()
	h.ServeHTTP(out, r)
}

// maxShown is how much of a part of a path is written down: what is longer may be a link or a token, which are as good as a password.
const maxShown = 64

func guarded(path string) string {
	parts := strings.Split(path, "/")
	for i, part := range parts {
		if len(part) > maxShown {
			parts[i] = strings.ToValidUTF8(part[:8], "") + "…"
		}
	}
	return strings.Join(parts, "/")
}

// reply is the answer as the event's gateway reads it.
func reply(in incoming, out *answer) (json.RawMessage, error) {
	if !out.overflow {
		encoded, err := encode(in.shape(out))
		if err != nil || len(encoded) <= maxResponse {
			return encoded, err
		}
	}
	out.reset()
	api.Problem(out, http.StatusInternalServerError, "The answer is larger than the 6 MB that AWS Lambda returns.",
		"Ask for less: page through a list with top and the x-ms-continuation-token header, and leave out showInput, showHistory and showHistoryOutput.")
	return encode(in.shape(out))
}

// encode writes JSON without escaping HTML, which would make up to six bytes of one.
func encode(v any) (json.RawMessage, error) {
	var encoded bytes.Buffer
	encoder := json.NewEncoder(&encoded)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(v); err != nil {
		return nil, fmt.Errorf("write the HTTP answer: %w", err)
	}
	return bytes.TrimSuffix(encoded.Bytes(), []byte("\n")), nil
}

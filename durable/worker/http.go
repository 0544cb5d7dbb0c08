package worker

import (
	"context"
	"fmt"

	"github.com/durable-lambda/durable-lambda/durable"
)

// http is the body of durable.HTTP: one request, and its response.
func (w *Worker) http(ctx context.Context, in durable.HTTPRequest) (out durable.HTTPResponse, err error) {
	var token string
	if in.Token != "" {
		if token, err = w.token(ctx, in.Token); err != nil {
			return out, err
		}
	}
	return w.cfg.HTTP(ctx, in, token)
}

// token asks a source that was bound. What it says when it fails is for the log: it may tell more than a history should.
func (w *Worker) token(ctx context.Context, name string) (string, error) {
	source := w.tokens[name]
	if source == nil {
		return "", fmt.Errorf("no durable.HTTPToken of the name %q is bound in the worker that runs activities", name)
	}
	token, err := source(ctx)
	if err != nil {
		w.log.Error("a source of HTTP tokens failed", "token", name, "error", err)
		return "", fmt.Errorf("there is no token of %q: the worker's log has the reason", name)
	}
	return token, nil
}

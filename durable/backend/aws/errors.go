package aws

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/aws/smithy-go"
)

var (
	errUnanswered = errors.New("the answer does not mention this message")
	errMalformed  = errors.New("the table holds an item that this package did not write")
)

// hints are what to do about errors that a deployment makes, by the end of the error's code: services write it with and
// without a namespace.
var hints = []struct{ code, hint string }{
	{"ResourceNotFoundException", "check the table's name, its index and the region"},
	{"QueueDoesNotExist", "check the queue's address"},
	{"NonExistentQueue", "check the queue's address"},
	{"NoSuchBucket", "check the bucket's name and the region"},
	{"AccessDenied", "give the role the permission; the documentation of package aws lists them"},
	{"AccessDeniedException", "give the role the permission; the documentation of package aws lists them"},
}

// explained is err, of a call with ctx, with what a person can do about it. When ctx has ended that is the reason.
func explained(ctx context.Context, err error) error {
	if err == nil {
		return nil
	}
	if cause := ctx.Err(); cause != nil && !errors.Is(err, cause) {
		return fmt.Errorf("%w: %w", cause, err)
	}
	if api := smithy.APIError(nil); errors.As(err, &api) {
		for _, h := range hints {
			if strings.HasSuffix(api.ErrorCode(), h.code) {
				return fmt.Errorf("%w (%s)", err, h.hint)
			}
		}
	}
	return err
}

// outdated reports whether SQS says that a receipt is one of the past: its visibility ended, or its message is gone.
func outdated(err error) bool {
	api := smithy.APIError(nil)
	if !errors.As(err, &api) {
		return false
	}
	code := api.ErrorCode()
	switch {
	case strings.HasSuffix(code, "ReceiptHandleIsInvalid"), strings.HasSuffix(code, "MessageNotInflight"):
		return true
	case strings.HasSuffix(code, "InvalidParameterValue"), strings.HasSuffix(code, "InvalidParameterValueException"):
		return strings.Contains(strings.ToLower(strings.ReplaceAll(api.ErrorMessage(), " ", "")), "receipthandle")
	}
	return false
}

// refused is why a call is not made: it is invalid, or its context has ended.
func refused(ctx context.Context, invalid error) error {
	if invalid != nil {
		return invalid
	}
	return ctx.Err()
}

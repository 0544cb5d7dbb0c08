package durable

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/durable-lambda/durable-lambda/durable/history"
)

type async struct{}

func (async) apply(p *history.Policy) { p.Async = true }

// Async is an ActivityOption: the body only hands its work on, together with its Token, and returns ErrPending; the outcome
// comes from elsewhere, by Complete or Fail, minutes or months later. The body itself has 5 minutes, or the Timeout if that is
// shorter. Timeout and HeartbeatTimeout, counted from when it has returned, and Deadline bound the waiting; without any of them
// it is waited for ever. After a time-out the retry policy applies, and the body runs again, with another token.
var Async ActivityOption = async{}

// ErrPending is what the body of an Async activity returns when somebody else will report its outcome.
var ErrPending = errors.New("the outcome comes from elsewhere")

// Token names the attempt of an Async activity for whoever reports its outcome: text without spaces that fits into the path of a
// URL, and shorter than 1,000 characters unless ids and names are long. It is no secret: who may report is up to who may reach
// the hub. Elsewhere it is empty.
func Token(ctx context.Context) string {
	token := info(ctx).Token
	if token == nil {
		return ""
	}
	return token()
}

// Complete reports the result of the attempt that the token names. When it returns nil the result is on its way; the first
// outcome of a call counts, so that it may be repeated. A result that comes after its attempt's time-out is taken as long as
// the call has no outcome. ErrInvalid: no token, one of another activity, or a result that cannot be kept. ErrNotPending: the
// call has its outcome, perhaps this one, or was made by a life of the instance that is gone. ErrEnded, ErrNotFound: so is the instance.
func (a Activity[I, O]) Complete(ctx context.Context, c Client, token string, result O) error {
	data, err := json.Marshal(result)
	if err != nil {
		return errors.Join(ErrInvalid, err)
	}
	return c.Report(ctx, ReportRequest{Token: token, Activity: a.name, What: ReportResult, Data: data})
}

// Fail reports that the attempt which the token names has failed. It is retried as the activity's policy says, with another
// token; Permanent and the kinds of err count. The errors are those of Complete; ErrNotPending, too, when the attempt is over.
func (a Activity[I, O]) Fail(ctx context.Context, c Client, token string, err error) error {
	if err == nil {
		return fmt.Errorf("%w: Fail needs an error", ErrInvalid)
	}
	return c.Report(ctx, ReportRequest{Token: token, Activity: a.name, What: ReportFailure, Failure: toFailure(err)})
}

// Heartbeat says that the work which the token names goes on, and may tell the next attempt how far it came, as the function
// Heartbeat does from a body. Each call writes. ErrNotPending, ErrEnded, ErrNotFound: nobody wants the outcome any more.
func (a Activity[I, O]) Heartbeat(ctx context.Context, c Client, token string, details ...any) error {
	data, err := heartbeatDetails(details)
	if err != nil {
		return errors.Join(ErrInvalid, err)
	}
	return c.Report(ctx, ReportRequest{Token: token, Activity: a.name, What: ReportHeartbeat, Data: data})
}

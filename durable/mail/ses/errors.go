package ses

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"

	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/durable-lambda/durable-lambda/durable/mail"
)

// refusal is what one of SES's error codes means: the mail was not sent, and here is the fix.
type refusal struct {
	// when, if set, must be contained in SES's message, whatever the case.
	when string
	hint string
	// rate: the account's sending rate is exceeded, for moments.
	rate bool
	// never: sending the same mail again can never help.
	never bool
}

// refusals by error code, in the order in which they are tried. The codes are those of SendRawEmail and of SES's common
// errors; what the messages say is in the SES Developer Guide under "Amazon SES email sending errors".
var refusals = map[string][]refusal{
	"MessageRejected": {
		{when: "not verified", hint: "verify the sender's address or domain in this region (aws ses verify-email-identity --email-address ...); if it is the recipient that is named, the account is in the SES sandbox: verify the recipient too, or request production access in the SES console"},
		{when: "authority to send", hint: "verify the sender's address or domain in this region (aws ses verify-email-identity --email-address ...)"},
		{when: "blacklisted", never: true, hint: "the recipient is on SES's suppression list because mail to it bounced; remove it there if it is right"},
		{when: "suppression list", never: true, hint: "remove the recipient from SES's suppression list if it is right"},
		{when: "virus", never: true, hint: "change the content"},
		{when: "paused", hint: resume},
		{when: "suspended", hint: resume},
		{hint: "see the message; the SES Developer Guide lists it under 'Amazon SES email sending errors'"},
	},
	"AccountSendingPausedException":          {{hint: resume}},
	"ConfigurationSetSendingPausedException": {{hint: "enable sending for the configuration set (aws ses update-configuration-set-sending-enabled --enabled ...)"}},
	"ConfigurationSetDoesNotExist":           {{hint: noSet}},
	"ConfigurationSetDoesNotExistException":  {{hint: noSet}},
	"MailFromDomainNotVerified":              {{hint: mailFrom}},
	"MailFromDomainNotVerifiedException":     {{hint: mailFrom}},
	"InvalidParameterValue":                  {{never: true, hint: "correct what the message names"}},
	"Throttling":                             quota,
	"ThrottlingException":                    quota,
	"TooManyRequestsException":               quota,
	"LimitExceededException":                 quota,
	"AccessDenied":                           {{hint: access}},
	"AccessDeniedException":                  {{hint: access}},
	"InvalidClientTokenId":                   {{hint: credentials}},
	"ExpiredToken":                           {{hint: credentials}},
	"ExpiredTokenException":                  {{hint: credentials}},
	"SignatureDoesNotMatch":                  {{hint: credentials}},
}

var quota = []refusal{
	{when: "daily", hint: "the account's quota for 24 hours is used up; wait, or request a higher one in the Service Quotas console"},
	{rate: true, hint: "try again later and more slowly, or request a higher sending rate in the Service Quotas console"},
}

const (
	resume      = "AWS or an operator paused the account's sending; see the SES console's account dashboard and enable it there (aws ses update-account-sending-enabled --enabled) when the cause is gone"
	noSet       = "create the configuration set in this region, or correct Options.ConfigurationSet"
	mailFrom    = "publish the MX record of the identity's custom MAIL FROM domain, or let SES fall back to its own domain"
	access      = "allow this role ses:SendRawEmail on the sender's identity and on the configuration set"
	credentials = "the AWS credentials are wrong or have expired"
)

// explain says what an error of SendRawEmail means for the mail, and what to do about it.
func explain(err error) error {
	if err == nil {
		return nil
	}
	const op = "send mail with SES"
	var api smithy.APIError
	if errors.As(err, &api) {
		if r, ok := judge(api); ok {
			sentinel := mail.ErrNotSent
			if r.never {
				sentinel = mail.ErrInvalid
			}
			return fmt.Errorf("%s: %w: %w (fix: %s)", op, sentinel, err, r.hint)
		}
	}
	if surelyNotSent(err) {
		return fmt.Errorf("%s: %w: %w", op, mail.ErrNotSent, err)
	}
	return fmt.Errorf("%s: it is not known whether it was sent: %w", op, err)
}

func judge(api smithy.APIError) (refusal, bool) {
	message := strings.ToLower(api.ErrorMessage())
	for _, r := range refusals[api.ErrorCode()] {
		if strings.Contains(message, r.when) {
			return r, true
		}
	}
	return refusal{}, false
}

// tooFast reports whether SES has refused a mail because of the sending rate.
func tooFast(err error) bool {
	var api smithy.APIError
	if !errors.As(err, &api) {
		return false
	}
	r, _ := judge(api)
	return r.rate
}

// surelyNotSent: SES answered that the request is at fault, or the request never left.
func surelyNotSent(err error) bool {
	var answer *smithyhttp.ResponseError
	if errors.As(err, &answer) && answer.HTTPStatusCode() != 0 { // 0: there was none
		status := answer.HTTPStatusCode()
		return status >= 400 && status < 500 && status != http.StatusRequestTimeout
	}
	var dial *net.OpError
	var dns *net.DNSError
	if errors.As(err, &dns) || errors.As(err, &dial) && dial.Op == "dial" {
		return true
	}
	// What the SDK's operation fails with before it sends, such as a lack of credentials, has no RequestSendError.
	var operation *smithy.OperationError
	var sending *smithyhttp.RequestSendError
	if !errors.As(err, &operation) || errors.As(err, &sending) {
		return false
	}
	var canceled *smithy.CanceledError
	return !errors.As(err, &canceled) && !errors.Is(err, context.Canceled) && !errors.Is(err, context.DeadlineExceeded)
}

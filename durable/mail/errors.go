package mail

import "errors"

var (
	// ErrInvalid: the mail or its key can never be right. Its text names the field and says what to change. Callers
	// treat it as permanent.
	ErrInvalid = errors.New("invalid mail")
	// ErrNotSent: the mail certainly did not go out, and sending it again cannot double it.
	ErrNotSent = errors.New("not sent")
	// ErrBusy: another attempt to send this mail is running, or died a short while ago. Try again later.
	ErrBusy = errors.New("another attempt is sending this mail")
	// ErrUnconfirmed: an earlier attempt may or may not have sent this mail, and it must not be sent twice. Callers treat
	// it as permanent.
	ErrUnconfirmed = errors.New("it is not known whether this mail was sent")
	// errNewer: what this version does not know.
	errNewer = errors.New("written by a newer version")
	// ErrNotFound: the mailbox holds no such mail.
	ErrNotFound = errors.New("no such mail")
)

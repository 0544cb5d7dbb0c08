package mail

import "fmt"

// Mode is what a Ledger does about a mail of which nobody can know whether it went out: its sender died, or the mailer's
// answer was lost, after the mailer may have accepted it and before that was noted.
type Mode string

const (
	// AtLeastOnce sends the mail again: it is never lost, and may come twice. The empty Mode means it, too. It suits what a
	// reader can tell to be the same: the status of an order, a receipt.
	AtLeastOnce Mode = "at-least-once"
	// AtMostOnce does not send it again, and returns ErrUnconfirmed: the mail never comes twice, and may be lost. It suits
	// what must not be repeated: a one-time password, a voucher.
	AtMostOnce Mode = "at-most-once"
)

// ParseMode reads a mode as a setting writes it; nothing is AtLeastOnce.
func ParseMode(s string) (Mode, error) {
	switch m := Mode(s); m {
	case "":
		return AtLeastOnce, nil
	case AtLeastOnce, AtMostOnce:
		return m, nil
	}
	return "", fmt.Errorf("the mode %q is unknown: it is %s or %s", s, AtLeastOnce, AtMostOnce)
}

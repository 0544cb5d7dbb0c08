// Package ses sends mail through Amazon SES, by the first version of its API.
//
// It owns what a mail looks like on the wire and what SES's errors mean. SES has no idempotency token: a Mailer that is
// asked twice sends twice, so it belongs behind a mail.Ledger, and it never repeats a request by itself.
package ses

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/ses"
	"github.com/aws/aws-sdk-go-v2/service/ses/types"

	"github.com/durable-lambda/durable-lambda/durable/mail"
)

// Send is SendRawEmail of a *ses.Client of the AWS SDK. It is a function, and not an interface that the client implements, because that would bring
// everything that SES can do into each program that uses templates: Go then keeps all methods of what is in an interface.
type Send func(context.Context, *sdk.SendRawEmailInput, ...func(*sdk.Options)) (*sdk.SendRawEmailOutput, error)

// Options configures a Mailer.
type Options struct {
	// From is the sender of mail that names none, as in "Shop <shop@example.com>". SES must know it as a verified identity.
	From string
	// ConfigurationSet names the configuration set that SES applies; empty is the identity's default one.
	ConfigurationSet string
	// Tags are put on every mail, for SES's events and metrics. Names and values consist of ASCII letters, digits, _ and -,
	// and of 1 to 256 of them.
	Tags map[string]string
}

// InstanceTag is the name of the tag that tells SES's events (bounces, complaints) which instance a mail is about. Its
// value is InstanceTagValue of the instance id.
const InstanceTag = "durable-instance"

// maxTag is how many characters SES allows in the name and in the value of a tag.
const maxTag = 256

// Mailer is a mail.Mailer over SES. It is safe for concurrent use.
type Mailer struct {
	send Send
	opts Options
	tags []types.MessageTag
	// broken says what is wrong with the options; no mail can be sent then.
	broken error
}

var _ mail.Mailer = (*Mailer)(nil)

// New returns a mailer that sends by client.SendRawEmail, say. A mistake in the options, which often come from the environment, is
// reported by each Send, as an error that wraps mail.ErrNotSent.
func New(send Send, o Options) *Mailer {
	m := &Mailer{send: send, opts: o}
	for _, name := range slices.Sorted(maps.Keys(o.Tags)) {
		value := o.Tags[name]
		if !isTag(name) || !isTag(value) {
			m.broken = errors.Join(m.broken, fmt.Errorf(
				"the tag %q=%q is not allowed by SES; use 1 to %d ASCII letters, digits, _ and - for its name and its value", name, value, maxTag))
		}
		m.tags = append(m.tags, tag(name, value))
	}
	if o.ConfigurationSet != "" && !isTag(o.ConfigurationSet) {
		m.broken = errors.Join(m.broken, fmt.Errorf("%q cannot be the name of an SES configuration set", o.ConfigurationSet))
	}
	return m
}

// Send hands the mail to SES, once: it leaves repeating a request to the caller, because SES might send
// the mail again; unless SES has said that it comes too fast for the account's sending rate, which Send waits out for up to 20 seconds, as long as ctx has time. The key only becomes a part of the Message-ID, which SES replaces.
//
// Nil means that SES accepted the mail; that it bounced is something that SES learns later and tells by events. An error
// wraps mail.ErrInvalid when repeating cannot help, and mail.ErrNotSent when SES refused or was not reached; both say what
// to do about it. After a time-out or a failure inside SES the outcome is unknown, and the error wraps neither.
func (m *Mailer) Send(ctx context.Context, key string, msg mail.Mail) error {
	if err := errors.Join(mail.CheckKey(key), msg.Check()); err != nil {
		return err
	}
	if err := m.complete(&msg); err != nil {
		return fmt.Errorf("send mail with SES: %w: %w", mail.ErrNotSent, err)
	}
	e, err := open(msg)
	if err != nil {
		return err
	}
	raw, err := e.raw(key, msg)
	if err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("send mail with SES: %w: %w", mail.ErrNotSent, err)
	}
	in := &sdk.SendRawEmailInput{
		RawMessage:   &types.RawMessage{Data: raw},
		Source:       aws.String(bare(e.from)),
		Destinations: []string{bare(e.to)},
		Tags:         m.tagsOf(msg),
	}
	if m.opts.ConfigurationSet != "" {
		in.ConfigurationSetName = aws.String(m.opts.ConfigurationSet)
	}
	return explain(m.slowly(ctx, in))
}

const (
	patience   = 20 * time.Second
	firstPause = 500 * time.Millisecond
	maxPause   = 4 * time.Second
	// reserve is what is left of a context's time for one more request.
	reserve = 2 * time.Second
)

// slowly makes the request, and waits where SES has refused it because of the sending rate: each time longer, and cut by chance, because others wait as well.
func (m *Mailer) slowly(ctx context.Context, in *sdk.SendRawEmailInput) error {
	until := time.Now().Add(patience)
	if end, ok := ctx.Deadline(); ok && end.Add(-reserve).Before(until) {
		until = end.Add(-reserve)
	}
	for pause := firstPause; ; pause = min(2*pause, maxPause) {
		_, err := m.send(ctx, in, func(o *sdk.Options) { o.Retryer = aws.NopRetryer{} })
		wait := pause/2 + rand.N(pause/2)
		if !tooFast(err) || time.Now().Add(wait).After(until) {
			return err
		}
		select {
		case <-time.After(wait):
		case <-ctx.Done():
			return err
		}
	}
}

// complete fills in the sender, or says what is wrong with the options.
func (m *Mailer) complete(msg *mail.Mail) error {
	if m.broken != nil {
		return m.broken
	}
	if msg.From != "" {
		return nil
	}
	if m.opts.From == "" {
		return errors.New("the mail has no sender; set Options.From to an address that SES has verified")
	}
	msg.From = m.opts.From
	if err := msg.Check(); err != nil {
		// The mail is as it should be, so this must not say mail.ErrInvalid.
		return fmt.Errorf("Options.From, %q, cannot be a sender: %v", m.opts.From, err)
	}
	return nil
}

func (m *Mailer) tagsOf(msg mail.Mail) []types.MessageTag {
	if msg.InstanceID == "" {
		return m.tags
	}
	return append(slices.Clone(m.tags), tag(InstanceTag, InstanceTagValue(msg.InstanceID)))
}

// InstanceTagValue is the value of InstanceTag for an instance id: the id itself where SES allows its characters, and
// else as much of it as SES allows, with a hash of the whole, so that no two instances have the same.
func InstanceTagValue(instanceID string) string {
	if isTag(instanceID) {
		return instanceID
	}
	const readable = 128
	var b strings.Builder
	for _, r := range instanceID {
		if b.Len() == readable {
			break
		}
		if !isTagRune(r) {
			r = '_'
		}
		b.WriteRune(r)
	}
	sum := sha256.Sum256([]byte(instanceID))
	return b.String() + "-" + hex.EncodeToString(sum[:])
}

func isTag(s string) bool {
	return s != "" && len(s) <= maxTag && !strings.ContainsFunc(s, func(r rune) bool { return !isTagRune(r) })
}

func isTagRune(r rune) bool {
	return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '_' || r == '-'
}

func tag(name, value string) types.MessageTag {
	return types.MessageTag{Name: aws.String(name), Value: aws.String(value)}
}

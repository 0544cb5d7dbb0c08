package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/ses"
	"github.com/aws/aws-sdk-go-v2/service/ses/types"

	"github.com/durable-lambda/durable-lambda/examples/orders"
)

// customer is SES's mailbox for mails that are to arrive: it takes them from everybody, also in the sandbox.
const customer = "success@simulator.amazonses.com"

// sender returns the address that mails come from, given an address or a domain, after asking SES whether it may be.
func (c *cloud) sender(ctx context.Context, given string) (string, error) {
	if given == "" {
		return "", nil
	}
	address := given
	if !strings.Contains(given, "@") {
		address = "smoke@" + given
	}
	if c.local() {
		return address, nil
	}
	candidates := identities(address)
	known, err := c.mails.GetIdentityVerificationAttributes(ctx, &ses.GetIdentityVerificationAttributesInput{Identities: candidates})
	if err != nil {
		return "", fmt.Errorf("SES does not say whether %s is verified: %w", given, err)
	}
	if !slices.ContainsFunc(candidates, func(identity string) bool {
		return known.VerificationAttributes[identity].VerificationStatus == types.VerificationStatusSuccess
	}) {
		return "", fmt.Errorf("SMOKE_MAIL_FROM is %s, which SES in %s does not know as verified: `aws ses verify-email-identity --email-address %s` "+
			"sends a mail with a link to click, or leave SMOKE_MAIL_FROM out, and mails go to the log", given, c.config.Region, address)
	}
	return address, nil
}

// identities are those of SES that let an address send: itself, its domain, and the domains above.
func identities(address string) []string {
	all := []string{address}
	domain := address[strings.LastIndexByte(address, '@')+1:]
	for strings.Contains(domain, ".") {
		all = append(all, domain)
		_, domain, _ = strings.Cut(domain, ".")
	}
	return all
}

// mailed looks at the activities that mailed about the first order: an order does not fail because a mail does.
func (r *smokeRun) mailed(ctx context.Context, d *deployment) (string, error) {
	if d.first == "" {
		return "", errors.New("there is no order to look at, because none was taken")
	}
	s, err := d.door.history(ctx, d.first)
	if err != nil {
		return "", err
	}
	sent, slowest, err := mails(s.HistoryEvents)
	if err != nil {
		return "", err
	}
	if r.mailFrom == "" {
		return fmt.Sprintf("%d went to the log, because SMOKE_MAIL_FROM is not set", sent), nil
	}
	return fmt.Sprintf("%d from %s to %s, the slowest after %s", sent, r.mailFrom, customer, seconds(slowest)), nil
}

// mails counts the mails that a history tells of.
func mails(events []event) (sent int, slowest time.Duration, err error) {
	for _, e := range events {
		if e.FunctionName != orders.SendStatus.Name() {
			continue
		}
		switch e.EventType {
		case "TaskCompleted":
			sent++
			slowest = max(slowest, e.Timestamp.Sub(e.ScheduledTime))
		case "TaskFailed":
			err = errors.New("a mail could not be sent; the log of the activity function says why")
		}
	}
	if sent == 0 && err == nil {
		err = errors.New("the order has completed, and nothing was mailed about it")
	}
	return sent, slowest, err
}

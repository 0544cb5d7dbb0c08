// Command activity is the Lambda function that runs the demonstration's activities: the shop keeps its records in the hub's
// table, mail goes out through SES, or into the log while nobody has said who sends it.
package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"

	sdk "github.com/aws/aws-sdk-go-v2/service/ses"

	"github.com/durable-lambda/durable-lambda/durable"
	"github.com/durable-lambda/durable-lambda/durable/awslambda"
	"github.com/durable-lambda/durable-lambda/durable/mail"
	"github.com/durable-lambda/durable-lambda/durable/mail/ses"
	"github.com/durable-lambda/durable-lambda/examples/drills/bodies"
	"github.com/durable-lambda/durable-lambda/examples/orders/notify"
	"github.com/durable-lambda/durable-lambda/examples/orders/shop"
)

func main() {
	awslambda.Activity(func(s awslambda.Services) ([]durable.Handler, error) {
		sender, err := mailer(s)
		if err != nil {
			return nil, err
		}
		handlers := append(shop.Embedded(s.Table).Handlers(), bodies.Activities()...)
		return append(handlers, notify.Notifier{Mailer: sender, Approver: os.Getenv("ORDERS_APPROVER")}.Handlers()...), nil
	})
}

func mailer(s awslambda.Services) (mail.Mailer, error) {
	from := os.Getenv("ORDERS_MAIL_FROM")
	if from == "" {
		return logged{s.Log}, nil
	}
	mode, err := mail.ParseMode(os.Getenv("ORDERS_MAIL_MODE"))
	if err != nil {
		return nil, fmt.Errorf("ORDERS_MAIL_MODE: %w", err)
	}
	sender := ses.New(sdk.NewFromConfig(s.AWS).SendRawEmail, ses.Options{From: from, ConfigurationSet: os.Getenv("ORDERS_MAIL_CONFIGURATION_SET")})
	return mail.NewLedger(s.Table, sender, mail.LedgerOptions{Mode: mode}), nil
}

// logged writes what each mail would have said.
type logged struct{ log *slog.Logger }

func (l logged) Send(_ context.Context, key string, m mail.Mail) error {
	l.log.Info("a mail is not sent, because ORDERS_MAIL_FROM is not set: deploy with the parameter MailFrom",
		"key", key, "to", m.To, "subject", m.Subject)
	return nil
}

//go:build template

package template_test

import "testing"

func TestMail(t *testing.T) {
	t.Parallel()
	off, from, on := deploy(t), deploy(t, "MailFrom=shop@example.com"), deploy(t, everything...)
	sender := func(s *stack) any {
		return s.one(t, "ActivityFunction").get("Environment", "Variables", "ORDERS_MAIL_FROM")
	}
	set := func(s *stack) any {
		return s.one(t, "ActivityFunction").get("Environment", "Variables", "ORDERS_MAIL_CONFIGURATION_SET")
	}

	t.Run("without a sender mails are written to the log", func(t *testing.T) {
		same(t, sender(off), "")
		same(t, set(off), "")
	})
	t.Run("a sender that SES knows is used as it is", func(t *testing.T) {
		same(t, sender(from), "shop@example.com")
		same(t, set(from), "")
		if ids := from.of("AWS::SES::EmailIdentity"); len(ids) > 0 {
			t.Errorf("%v is created", ids)
		}
	})
	t.Run("what is done about a mail that may have gone out is a parameter", func(t *testing.T) {
		mode := func(s *stack) any {
			return s.one(t, "ActivityFunction").get("Environment", "Variables", "ORDERS_MAIL_MODE")
		}
		same(t, mode(off), "at-least-once")
		same(t, mode(deploy(t, "MailMode=at-most-once")), "at-most-once")
	})
	t.Run("the identity and the configuration set are created on request, and used", func(t *testing.T) {
		same(t, on.one(t, "MailIdentity").get("EmailIdentity"), "shop@example.com")
		same(t, set(on), "${MailConfigurationSet}")
	})
}

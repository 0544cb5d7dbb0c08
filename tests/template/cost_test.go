//go:build template

package template_test

import (
	"slices"
	"testing"
)

// free are the types of which nothing is paid but what is used.
var free = []string{
	"AWS::ApiGateway::Deployment", "AWS::ApiGateway::RestApi", "AWS::ApiGateway::Stage",
	"AWS::DynamoDB::Table",
	"AWS::Events::Rule",
	"AWS::IAM::Role",
	"AWS::Lambda::EventInvokeConfig", "AWS::Lambda::EventSourceMapping", "AWS::Lambda::Function", "AWS::Lambda::Permission",
	"AWS::Logs::LogGroup",
	"AWS::S3::Bucket", "AWS::S3::BucketPolicy",
	"AWS::SQS::Queue",
	"AWS::SSM::Parameter",
}

func TestIdleCost(t *testing.T) {
	t.Parallel()
	s := deploy(t)

	t.Run("by default there is nothing that costs by being there", func(t *testing.T) {
		for _, r := range s.resources {
			if !slices.Contains(free, r.Type) {
				t.Errorf("%s is a %s, which is not in the list of what is free when it is idle", r.name, r.Type)
			}
		}
	})
	t.Run("on request there are mail's identity and configuration set, an alarm and a schedule, and nothing else", func(t *testing.T) {
		got := map[string]string{}
		for _, r := range deploy(t, everything...).resources {
			if _, there := s.resources[r.name]; !there {
				got[r.name] = r.Type
			}
		}
		same(t, got, map[string]string{"MailIdentity": "AWS::SES::EmailIdentity", "MailConfigurationSet": "AWS::SES::ConfigurationSet",
			"DeadLettersAlarm": "AWS::CloudWatch::Alarm", "StandingOrderRule": "AWS::Events::Rule", "StandingOrderPermission": "AWS::Lambda::Permission"})
	})
	t.Run("nothing is traced, cached or measured in detail", func(t *testing.T) {
		for _, f := range s.of("AWS::Lambda::Function") {
			same(t, f.get("TracingConfig"), nil)
			same(t, f.get("Layers"), nil)
			same(t, f.get("VpcConfig"), nil)
		}
		for _, property := range []string{"TracingEnabled", "CacheClusterEnabled", "AccessLogSetting"} {
			same(t, s.one(t, "Apiv1Stage").get(property), nil)
		}
		methods, _ := s.one(t, "Apiv1Stage").get("MethodSettings").([]any)
		for _, m := range methods {
			for _, property := range []string{"MetricsEnabled", "CachingEnabled", "LoggingLevel", "DataTraceEnabled"} {
				same(t, dig(m, property), nil)
			}
		}
		same(t, s.one(t, "Table").get("ContributorInsightsSpecification"), nil)
		same(t, s.one(t, "Payloads").get("MetricsConfigurations"), nil)
		metrics := deploy(t, everything...).one(t, "MailConfigurationSet").get("ReputationOptions", "ReputationMetricsEnabled")
		same(t, metrics, false)
	})
	t.Run("the parameter of SSM is of the tier that costs nothing", func(t *testing.T) {
		p := s.one(t, "ApiUrlParameter")
		same(t, p.get("Type"), "String")
		same(t, p.get("Tier"), nil)
	})
	// Each trigger polls its queue all month long, which is most of what an idle stack costs: some 20 cents each.
	t.Run("four queues are polled", func(t *testing.T) {
		if n := len(s.of("AWS::Lambda::EventSourceMapping")); n != 4 {
			t.Errorf("there are %d triggers of queues, want 4", n)
		}
	})
	t.Run("the alarm hears of every dead-letter queue", func(t *testing.T) {
		alarm := deploy(t, everything...).one(t, "DeadLettersAlarm")
		var watched []string
		for _, m := range list(alarm.get("Metrics")) {
			for _, d := range list(dig(m, "MetricStat", "Metric", "Dimensions")) {
				watched = append(watched, dig(d, "Value").(string))
			}
		}
		same(t, watched, []string{"${InboxDeadQueue.QueueName}", "${WakeDeadQueue.QueueName}", "${ActivitiesDeadQueue.QueueName}", "${OrdersDeadQueue.QueueName}"})
		same(t, alarm.get("AlarmActions"), []any{"arn:aws:sns:eu-central-1:123456789012:oncall"})
	})
}

//go:build template

package template_test

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"
)

func TestAPI(t *testing.T) {
	t.Parallel()
	s, open := deploy(t), deploy(t, "ApiAuth=NONE")
	const links = "any /links/{proxy+}" // what a link is good for is signed
	routes := []string{"any /orders/{proxy+}", "any /runtime/webhooks/durabletask/{proxy+}", "get /openapi.json", "post /orders"}

	t.Run("it has the routes of the orders and of the management API, and all go to the starter", func(t *testing.T) {
		got := methods(s)
		same(t, slices.Sorted(maps.Keys(got)), append([]string{links}, routes...))
		for route, m := range got {
			uri, _ := dig(m, "x-amazon-apigateway-integration", "uri").(string)
			if !strings.Contains(uri, "${StarterFunction.Arn}") || dig(m, "x-amazon-apigateway-integration", "type") != "aws_proxy" {
				t.Errorf("%s goes to %s", route, uri)
			}
		}
	})
	t.Run("links are open to everybody who has one", func(t *testing.T) {
		same(t, dig(methods(s)[links], "security"), []any{map[string]any{"NONE": []any{}}})
	})
	for _, route := range routes {
		t.Run(route+" takes signed requests only", func(t *testing.T) {
			same(t, dig(methods(s)[route], "security"), []any{map[string]any{"AWS_IAM": []any{}}})
			body := s.one(t, "Api").get("Body")
			same(t, dig(body, "components", "securitySchemes", "AWS_IAM", "x-amazon-apigateway-authtype"), "awsSigv4")
		})
		t.Run(route+" asks of a caller no permission to invoke the function", func(t *testing.T) {
			same(t, dig(methods(s)[route], "x-amazon-apigateway-integration", "credentials"), nil)
		})
		t.Run(route+" lets everybody in with ApiAuth=NONE", func(t *testing.T) {
			same(t, dig(methods(open)[route], "security"), nil)
		})
	}
	t.Run("a change of ApiAuth is deployed to the stage", func(t *testing.T) {
		if a, b := s.one(t, "Apiv1Stage").get("DeploymentId"), open.one(t, "Apiv1Stage").get("DeploymentId"); a == b {
			t.Errorf("both are %v", a)
		}
	})
	t.Run("keys are asked for on request only", func(t *testing.T) {
		keys := deploy(t, "ApiAuth=NONE", "ApiKeys=true", "ApiOrigins=https://shop.example.com")
		same(t, s.one(t, "StarterFunction").get("Environment", "Variables", "DURABLE_ACCESS"), "")
		same(t, keys.one(t, "StarterFunction").get("Environment", "Variables", "DURABLE_ACCESS"), "keys")
		same(t, s.one(t, "StarterFunction").get("Environment", "Variables", "DURABLE_ORIGINS"), "")
		same(t, keys.one(t, "StarterFunction").get("Environment", "Variables", "DURABLE_ORIGINS"), "https://shop.example.com")
	})
	t.Run("more requests than it takes are told when to come again", func(t *testing.T) {
		same(t, s.one(t, "Apiv1Stage").get("MethodSettings"), []any{map[string]any{"ResourcePath": "/*", "HttpMethod": "*",
			"ThrottlingRateLimit": 500.0, "ThrottlingBurstLimit": 1000.0}})
		throttled := dig(s.one(t, "Api").get("Body"), "x-amazon-apigateway-gateway-responses", "THROTTLED")
		same(t, dig(throttled, "statusCode"), "429")
		same(t, dig(throttled, "responseParameters", "gatewayresponse.header.Retry-After"), "'1'")
		var problem struct{ Status int }
		text, _ := dig(throttled, "responseTemplates", "application/json").(string)
		if err := json.Unmarshal([]byte(text), &problem); err != nil || problem.Status != 429 {
			t.Errorf("it says %q: %v", text, err)
		}
	})
	t.Run("it is a regional REST API with the one stage v1", func(t *testing.T) {
		same(t, s.one(t, "Api").get("EndpointConfiguration"), map[string]any{"Types": []any{"REGIONAL"}})
		if stages := s.of("AWS::ApiGateway::Stage"); len(stages) != 1 || stages[0].get("StageName") != "v1" {
			t.Errorf("the stages are %v", stages)
		}
		for _, d := range s.of("AWS::ApiGateway::Deployment") {
			same(t, d.get("StageName"), nil)
		}
	})
	const own = "https://${Api}.execute-api.${AWS::Region}.${AWS::URLSuffix}/v1"
	t.Run("its address is a parameter of SSM with a name that follows from the stack's", func(t *testing.T) {
		p := s.one(t, "ApiUrlParameter")
		same(t, p.get("Name"), "/durable/${AWS::StackName}/api-url")
		same(t, p.get("Value"), own)
	})
	t.Run("PublicUrl takes the place of its address, in links too", func(t *testing.T) {
		public := deploy(t, everything...)
		same(t, public.one(t, "ApiUrlParameter").get("Value"), "https://orders.example.com")
		same(t, public.one(t, "StarterFunction").get("Environment", "Variables", "DURABLE_PUBLIC_URL"), "https://orders.example.com")
		same(t, s.one(t, "StarterFunction").get("Environment", "Variables", "DURABLE_PUBLIC_URL"), "")
	})
	t.Run("the outputs begin with its address", func(t *testing.T) {
		same(t, s.outputs, []string{"ApiUrl", "ApiId", "OrdersQueueUrl", "Table", "StarterFunction", "OrchestratorFunction", "ActivityFunction",
			"InboxDeadQueueUrl", "WakeDeadQueueUrl", "ActivitiesDeadQueueUrl", "OrdersDeadQueueUrl"})
	})
}

// methods are those of the API, as "verb path".
func methods(s *stack) map[string]any {
	found := map[string]any{}
	paths, _ := dig(s.resources["Api"].Properties, "Body", "paths").(map[string]any)
	for path, verbs := range paths {
		for verb, m := range verbs.(map[string]any) {
			if verb == "x-amazon-apigateway-any-method" {
				verb = "any"
			}
			found[verb+" "+path] = m
		}
	}
	return found
}

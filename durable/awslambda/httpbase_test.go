package awslambda

import (
	"testing"

	"github.com/aws/aws-lambda-go/events"
)

func TestBaseOfRESTAPIs(t *testing.T) {
	t.Parallel()
	const proxy = "/orders/{proxy+}"
	for _, tc := range []struct {
		rule, context, path, resource, param, base, want string
	}{
		{"the stage", "/v1/orders", "/orders", "/orders", "", "/v1", "/orders"},
		{"the stage, a slash at the end", "/v1/orders/", "/orders/", "/orders", "", "/v1", "/orders/"},
		{"the stage, a doubled slash", "/v1//orders/1", "/orders/1", proxy, "1", "/v1", "/orders/1"},
		{"the stage, the root", "/v1", "/", "/", "", "/v1", "/"},
		{"the stage, no path", "/v1", "", "/", "", "/v1", ""},
		{"the stage is named as the path", "/orders/orders/1", "/orders/1", proxy, "1", "/orders", "/orders/1"},
		{"a custom domain", "/orders/1", "/orders/1", proxy, "1", "", "/orders/1"},
		{"a base path", "/shop/orders/1", "/shop/orders/1", proxy, "1", "/shop", "/orders/1"},
		{"a base path of two segments", "/shop/eu/orders", "/shop/eu/orders", "/orders", "", "/shop/eu", "/orders"},
		{"a base path, a slash at the end", "/shop/orders/1/", "/shop/orders/1/", proxy, "1", "/shop", "/orders/1/"},
		{"a base path, slashes within", "/shop/orders/1//2", "/shop/orders/1//2", proxy, "1//2", "/shop", "/orders/1//2"},
		{"a base path, an encoded slash", "/shop/orders/1%2F2", "/shop/orders/1%2F2", proxy, "1%2F2", "/shop", "/orders/1%2F2"},
		{"a base path named as the path", "/orders/orders/1", "/orders/orders/1", proxy, "1", "/orders", "/orders/1"},
		{"no base path, the parameter begins as the path", "/orders/orders/1", "/orders/orders/1", proxy, "orders/1", "", "/orders/orders/1"},
		{"a base path, one variable", "/shop/items/7/size", "/shop/items/7/size", "/items/{id}/size", "", "/shop", "/items/7/size"},
		{"a base path, the root", "/shop", "/shop", "/", "", "/shop", ""},
		{"a base path and everything below", "/shop/a/b", "/shop/a/b", "/{proxy+}", "a/b", "/shop", "/a/b"},
		{"a mapping without a stage", "/v1/orders", "/v1/orders", "/orders", "", "/v1", "/orders"},
		{"a path of another route", "/shop/orders", "/shop/orders", "/items", "", "", "/shop/orders"},
		{"a path shorter than its route", "/orders", "/orders", proxy, "a/b/c", "", "/orders"},
		{"no route, the stage", "/v1/orders", "/v1/orders", "$default", "", "/v1", "/orders"},
		{"no route, another first segment", "/v10/orders", "/v10/orders", "$default", "", "", "/v10/orders"},
	} {
		t.Run(tc.rule, func(t *testing.T) {
			t.Parallel()
			base, path := cutBase1(events.APIGatewayProxyRequest{
				Path: tc.path, Resource: tc.resource, PathParameters: map[string]string{"proxy": tc.param},
				RequestContext: events.APIGatewayProxyRequestContext{Path: tc.context, Stage: "v1"},
			})
			if base != tc.base || path != tc.want {
				t.Errorf("%s, %s and %s give %q and %q, want %q and %q", tc.context, tc.path, tc.resource, base, path, tc.base, tc.want)
			}
		})
	}
}

func TestBaseOfHTTPAPIs(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct{ rule, path, stage, prefix, base, want string }{
		{"the default stage", "/orders", "$default", "abc", "", "/orders"},
		{"a path named as the default stage", "/$default/orders", "$default", "abc", "", "/$default/orders"},
		{"a stage", "/live/orders", "live", "abc", "/live", "/orders"},
		{"the root of a stage", "/live", "live", "abc", "/live", "/"},
		{"a path that only begins as the stage", "/lively/orders", "live", "abc", "", "/lively/orders"},
		{"a custom domain has the stage in the event, and not in its URLs", "/live/orders", "live", "api", "", "/orders"},
	} {
		t.Run(tc.rule, func(t *testing.T) {
			t.Parallel()
			event := sample(t, "http-api", set("rawPath", tc.path), set("requestContext.http.path", tc.path), set("requestContext.stage", tc.stage),
				set("requestContext.apiId", "abc"), set("requestContext.domainPrefix", tc.prefix), set("requestContext.domainName", "example.com"))
			var got seen
			serveEvent(t, t.Context(), event, look(t, &got))
			if got.Base != "https://example.com"+tc.base || got.Path != tc.want {
				t.Errorf("%s gives %q and %q, want %q and %q", tc.path, got.Base, got.Path, "https://example.com"+tc.base, tc.want)
			}
		})
	}
}

func TestAnEventWithoutADomainHasLinksWithoutOne(t *testing.T) {
	t.Parallel()
	var got seen
	serveEvent(t, t.Context(), sample(t, "rest-api", set("requestContext.domainName", nil)), look(t, &got))
	if got.Base != "/v1" || got.Host != "" {
		t.Errorf("links begin with %q, host %q; want /v1 and none", got.Base, got.Host)
	}
}

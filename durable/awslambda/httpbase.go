package awslambda

import (
	"strings"

	"github.com/aws/aws-lambda-go/events"
)

// defaultStage is the stage of an HTTP API, and of every Function URL, that is not in its URLs.
const defaultStage = "$default"

// cutBase1 divides the path of a client's URL into the stage or base path, and the path below it, which is what the API's
// routes are about. In events of payload format 1.0:
//
//	                                      requestContext.path   path             resource
//	a REST API, its own domain            /stage/orders/42      /orders/42       /orders/{proxy+}
//	a REST API, a custom domain           /base/orders/42       /base/orders/42  /orders/{proxy+}
//	an HTTP API, its own domain           /stage/orders/42      /stage/orders/42 /orders/{proxy+}, or $default
//
// REST APIs have a path parameter as it was sent, too, so that its segments can be counted.
func cutBase1(e events.APIGatewayProxyRequest) (base, path string) {
	above, below := strings.CutSuffix(strings.TrimRight(e.RequestContext.Path, "/"), strings.TrimRight(e.Path, "/"))
	if above = strings.TrimRight(above, "/"); below && above != "" {
		return above, e.Path
	}
	if strings.HasPrefix(e.Resource, "/") {
		base = aboveRoute(e.Path, e.Resource, e.PathParameters)
	} else {
		base = aboveStage(e.Path, e.RequestContext.Stage)
	}
	return base, strings.TrimPrefix(e.Path, base)
}

// aboveRoute returns what a path has before the part that a route such as /orders/{proxy+} stands for.
func aboveRoute(path, route string, params map[string]string) string {
	have := strings.Split(strings.TrimRight(path, "/"), "/")
	var want []string
	for _, segment := range strings.Split(strings.TrimRight(route, "/"), "/")[1:] {
		if name, greedy := strings.CutSuffix(segment, "+}"); greedy {
			value := strings.TrimRight(params[strings.TrimPrefix(name, "{")], "/")
			for range strings.Split(value, "/") {
				want = append(want, "{}")
			}
			continue
		}
		want = append(want, segment)
	}
	n := len(have) - len(want)
	if n < 1 {
		return ""
	}
	for i, segment := range want {
		if !strings.HasPrefix(segment, "{") && segment != have[n+i] {
			return ""
		}
	}
	return strings.Join(have[:n], "/")
}

// aboveStage returns the stage as the beginning of a path, if it is.
func aboveStage(path, stage string) string {
	if stage == "" || stage == defaultStage || !strings.HasPrefix(path+"/", "/"+stage+"/") {
		return ""
	}
	return "/" + stage
}

// base2 returns the stage or base path of a client's URL in payload format 2.0, and what is to be cut from the event's
// paths, which is not always the same: an HTTP API has its stage in the paths when the URL of a custom domain has not. What
// such a URL has instead, the API mapping's key, is not in the event.
func base2(e events.APIGatewayV2HTTPRequest) (base, cut string) {
	cut = aboveStage(e.RawPath, e.RequestContext.Stage)
	if e.RequestContext.DomainPrefix != e.RequestContext.APIID {
		return "", cut
	}
	return cut, cut
}

package httpclient_test

import (
	"context"
	"fmt"
	"net/http/httptest"

	"github.com/durable-lambda/durable-lambda/durable"
	"github.com/durable-lambda/durable-lambda/durable/api"
	"github.com/durable-lambda/durable-lambda/durable/client/httpclient"
	"github.com/durable-lambda/durable-lambda/durable/durabletest"
)

// A program that reaches a hub by its URL, and a key, uses the same contracts.
func ExampleNew() {
	hello := durable.NewOrchestration[string, string]("Hello")
	sys := durabletest.New(durabletest.Standalone{}, hello.Bind(func(_ durable.Context, name string) (string, error) { return "Hello, " + name, nil }))
	management, err := api.New(api.Config{Client: sys.Client, Hub: "example"})
	if err != nil {
		panic(err)
	}
	server := httptest.NewServer(management)
	defer server.Close()

	ctx := context.Background()
	client, err := httpclient.New(httpclient.Config{URL: server.URL, Authorize: httpclient.Key("the key")})
	if err != nil {
		panic(err)
	}
	run, err := hello.Submit(ctx, client, "Ann", durable.ID("one"))
	if err != nil {
		panic(err)
	}
	sys.Settle()
	fmt.Println(run.Wait(ctx))
	// Output: Hello, Ann <nil>
}

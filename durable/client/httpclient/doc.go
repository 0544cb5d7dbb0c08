// Package httpclient is a durable.Client over HTTP: for programs that reach a hub's management API, and not its table and queues. What works with
// package client works with it: contracts are submitted, waited for and raised by it, and errors are the same.
//
//	c, err := httpclient.New(httpclient.Config{
//		URL:       "https://abc.execute-api.eu-west-1.amazonaws.com/v1",
//		Authorize: httpclient.SigV4(cfg.Credentials, "eu-west-1"),
//	})
//	…
//	run, err := orders.ProcessOrder.Submit(ctx, c, order, durable.ID("order-7"))
//
// # Requests that are made again
//
// Where an answer is lost, or the service is busy, a request is made again after growing pauses, for as long as Config.Patience and the context say: reads; events and
// commands, which carry an identity; starts, which carry an Idempotency-Key where they have an id of their own, and that is the tag idempotency-key of the instance.
// A command that finds on a second try what it was to bring about has done it. A restart is not made again when it may have been one.
//
// # What is different over HTTP
//
// JSON null and no value are the same: no value. Requests are up to 4 MiB, and so are answers where Lambda serves them. Keys of tags have no "=". White space
// between the tokens of payloads is not kept. A PurgeWhere may take several requests.
package httpclient

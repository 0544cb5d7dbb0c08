// Package awslambda is the shell around the worker, the client and the API on AWS Lambda: it turns the events that Lambda
// delivers into batches for the worker, requests for the API, and orders for an application, and what comes of them into
// what Lambda is to do next. It decides nothing about instances.
//
// A deployment has three functions. Each root is a call that does not return, and links only what it runs:
//
//	func main() { awslambda.Orchestrator(orders.ProcessOrder.Bind(fulfilment.ProcessOrder)) }
//
//	func main() {
//		awslambda.Activity(func(s awslambda.Services) ([]durable.Handler, error) {
//			return shop.Embedded(s.Table).Handlers(), nil
//		})
//	}
//
//	func main() {
//		awslambda.Starter(func(s awslambda.Services) (awslambda.Routes, error) {
//			return awslambda.Routes{Definitions: []api.Definition{orders.ProcessOrder}}, nil
//		})
//	}
//
// # Triggers
//
//	function      event                                            what it does
//	Orchestrator  SQS, the FIFO inbox and the standard wake queue  turns of instances
//	              EventBridge rule, once a minute                  the sweep: due rows are sent, dead letters taken back
//	Activity      SQS, the activities queue                        attempts of activities
//	Starter       API Gateway v1 and v2, Function URL              the management API, and the application's own routes
//	              SQS, a queue of the application's                Routes.Message, one by one; Starts starts what a message asks for
//	              EventBridge rule                                 Routes.Schedule; Starts starts what the rule asks for
//
// Every SQS trigger must have ReportBatchItemFailures: what is not done stays in the queue, hidden for as long as the worker
// says and not for the queue's visibility time-out, and everything else of the batch goes on. What cannot be read is left to
// the queue's redrive policy. Activities of a batch run at the same time, and what is done is removed every 10 seconds, so that
// it does not come again while a longer one goes on; those that were received again and again run last and alone, because they
// may take the process along.
//
// # Environment
//
// The hub's table, bucket and queues are named by the variables of package backend/aws. Beside them:
//
//	variable              function      meaning
//	DURABLE_HUB           all           the task hub's name, as it appears in links; needed by Starter
//	DURABLE_DIRECT_DELAY  all           a duration: what is due later waits in the table. 15m without it, and at most; all functions the same
//	DURABLE_MAX_PAYLOAD   all           bytes of JSON of one input, result, output or event; 10485760 without it; all functions the same
//	DURABLE_IN_FLIGHT     Orchestrator  how many activities of one instance may be under way at once; 1000 without it
//	DURABLE_PUBLIC_URL    Starter       what links begin with; without it, how the request came
//	DURABLE_ACCESS        Starter       keys: each request needs one of the hub's keys; without it the gateway decides who is let in
//	DURABLE_ORIGINS       Starter       origins, such as https://example.com, whose pages may call; commas between them
//	DURABLE_REJECTED_URL  Starter       the queue for messages that can never be handled; without it, those are as others that fail
//	DURABLE_LINK_KEYS     Starter, Activity  the parameter of SSM with the keys of package links, which is made when there is none; without it there are no links
//	DURABLE_API_URL       Starter, Activity  the parameter of SSM with the API's address
//	DURABLE_METER         all           1: each invocation logs how many requests of AWS it made
//	DURABLE_BUILD         all           names the deployment; without it, the executable's build id
//
// # Ends
//
// A context ends a second before Lambda's deadline, so that what is unfinished is put back in time. Code that heeds no
// context leaves a goroutine behind: then the batch is settled by hand and the process ends, because the next batch must not
// meet it. On SIGTERM the context ends at once.
package awslambda

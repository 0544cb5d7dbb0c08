// Package api is the HTTP management API of Durable Functions over a durable.Client. Clients which were written for Azure
// work with it as they are, as far as its operations go: this version starts, lists, shows, terminates, suspends,
// resumes, rewinds, resets, restarts and purges instances and raises events. It has no entities. The API owns paths, queries, links and
// bodies, and knows nothing of how instances are stored or run.
//
// An API serves everything under Base. An application puts its own routes beside it with With, and answers like the API
// does with Accepted, Error and Problem:
//
//	a, err := api.New(api.Config{Client: client, Hub: "orders"})
//	…
//	mux.HandleFunc("POST /orders", func(w http.ResponseWriter, r *http.Request) {
//		run, err := orders.ProcessOrder.Submit(r.Context(), client, order)
//		if err != nil {
//			api.Error(w, err)
//			return
//		}
//		a.Accepted(w, r, run.ID())
//	})
//	http.ListenAndServe("127.0.0.1:7071", a.With(mux))
//
// The routes, below Base; literals and query keys match in any case, a trailing slash is ignored:
//
//	POST /orchestrators/{name}[/{id}]             start; timeout and pollingInterval wait for the end. version, startAt, tag=key=value, reuse, conflict
//	GET  /instances                               list; header x-ms-continuation-token. instanceIdPrefix, createdTimeFrom,
//	                                              createdTimeTo, runtimeStatus, name, tag=key=value, customStatus, q, top
//	GET  /instances/{id}                          status; showHistory, showHistoryOutput, showInput
//	GET  /instances/{id}/history                  all that is recorded, a page at a time
//	POST /instances/{id}/raiseEvent/{eventName}   raise an external event
//	POST /instances/{id}/terminate                reason; recursive=true: its sub-orchestrations, too
//	POST /instances/{id}/suspend                  reason
//	POST /instances/{id}/resume                   reason
//	POST /instances/{id}/rewind                   reason; one that has failed
//	POST /instances/{id}/reset                    {"operation":…,"result":… or "input":…,"reason":…}: back to an operation, or "start"
//	POST /instances/{id}/restart                  restartWithNewInstanceId; timeout and pollingInterval as for a start
//	DELETE /instances/{id}                        purge one that has ended; recursive=true: its sub-orchestrations, too
//	DELETE /instances                             purge those that have ended; createdTimeFrom, and what a list takes; budget
//	POST /activities/{token}/complete             the result of an asynchronous activity
//	POST /activities/{token}/fail                 {"message":…,"kind":…,"permanent":…}: its failure
//	POST /activities/{token}/heartbeat            it lives; details
//	GET  /openapi.json                            all this, as OpenAPI 3.1 describes it; also at the root
//
// Events and commands have a messageId, if whoever sends them may send them again. A start's answer names the life of the instance in the header
// Durable-Incarnation. A problem that is an error of durable.Client has its name as error.
//
// The contract has more, which answers 501 for now:
//
//	GET    /entities[/{name}[/{key}]]             list, read
//	POST   /entities/{name}[/{key}]               signal
//	DELETE /entities/{name}/{key}
//
// Everything else, a wrong verb too, is 404 without a body. Errors are application/problem+json.
//
// Whom the API serves is decided by what it is served behind, or by Config.Callers, which package access has: then each route needs the
// permission to read, to operate or to administer.
package api

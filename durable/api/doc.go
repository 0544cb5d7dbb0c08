// Package api is the HTTP management API of Durable Functions over a durable.Client, so that clients which were written
// for Azure work unchanged. It owns paths, queries, links and bodies, and knows nothing of how instances are stored or
// run.
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
//	POST /orchestrators/{name}[/{id}]             start; timeout and pollingInterval wait for the end
//	GET  /instances                               list; header x-ms-continuation-token
//	GET  /instances/{id}                          status; showHistory, showHistoryOutput, showInput
//	POST /instances/{id}/raiseEvent/{eventName}   raise an external event
//	POST /instances/{id}/terminate                reason
//	POST /instances/{id}/suspend                  reason
//	POST /instances/{id}/resume                   reason
//
// Everything else is 404 without a body. Errors are application/problem+json. The API does not authenticate: that is
// done by what it is served behind.
package api

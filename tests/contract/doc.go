// Package contract is the table of what Azure Durable Functions' clients rely on: requests to the HTTP management API and what is to come
// back, row by row. It holds any server to it that has the orchestrations of examples/drills:
//
//	contract.Run(t, contract.Target{URL: …, Hub: …})
//
// Here that is the API within the process, over the test kit, and the development server over TCP. durable/awslambda has it answer to the
// events of gateways, and tests/e2e the deployed template behind API Gateway. A case is a sentence of the contract, the instances that it needs, and calls. Each answer is held
// to what all answers have in common, beside what the call wants of it.
package contract

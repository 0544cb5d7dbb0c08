// Package e2e drives the deployed template from outside: it deploys infra/template.yaml to the LocalStack that
// localstack/env points at, sends real requests through its API Gateway, and reads the mails that SES would have sent.
//
//	localstack/up && . localstack/env
//	go test -tags e2e -count=1 ./tests/e2e
//
// Everything shares one deployment, because deploying takes longest. What must be alone runs first, one after the other. The
// rest runs in parallel and in stages: what kills processes and deploys anew waits for the tests that must not be disturbed.
//
// The stack is deleted in the end, unless the tests are run with -args -keep.
package e2e

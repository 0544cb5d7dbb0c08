// Package clients shows that clients which were written for Azure Durable Functions work with the management API as they are: it has the
// packages azure-functions-durable, for Python, and durable-functions, for Node, drive a server through all that they can do.
//
//	go test -tags clients ./tests/clients    # installs them into .cache first where they are not
//
// The clients are those of the registries, in the versions that requirements.txt and package-lock.json name, with their hashes. Two drivers
// call them: driver.py and driver.cjs read a call per line and answer with a line. The cases are here, and the same for both, but for what one
// of them cannot do or shows otherwise. Each has a hub of its own.
//
// Then schemathesis reads the description of the API, and sends what it allows and what it does not: whatever the answer is, it must be
// described. The requests are the same each time; schemathesis.toml says how many there are, and for which instances.
package clients

package main

import (
	"strings"
	"testing"
)

func TestTheBindingOfAHub(t *testing.T) {
	t.Parallel()
	out, errs, status := run(t, "binding", "http://127.0.0.1:8080", "--code", "k")
	for _, want := range []string{`"rpcBaseUrl":"http://127.0.0.1:8080/runtime/webhooks/durabletask/"`, `/instances/INSTANCEID?taskHub=dev&code=k"`} {
		if status != 0 || !strings.Contains(out, want) {
			t.Errorf("status %d: %s%s\nwant %s in it", status, out, errs, want)
		}
	}
	if _, errs, status = run(t, "binding", "http://127.0.0.1:8080", "--hub", "durable"); status != 2 || !strings.Contains(errs, "choose another name") {
		t.Errorf("a name that is in the path: status %d: %s", status, errs)
	}
}

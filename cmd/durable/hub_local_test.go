//go:build !aws

package main

import (
	"strings"
	"testing"
)

func TestDeployedHubsNeedTheTag(t *testing.T) {
	t.Parallel()
	for _, flag := range []string{"--hub=x", "--environment"} {
		if _, stderr, status := run(t, "doctor", flag); status != 2 || !strings.Contains(stderr, "built without AWS; build it with the tag aws") {
			t.Errorf("%s: status %d, %s", flag, status, stderr)
		}
	}
}

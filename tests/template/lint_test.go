//go:build template

package template_test

import "testing"

func TestTheTemplateIsLinted(t *testing.T) {
	t.Parallel()
	if _, err := run("infra/lint"); err != nil {
		t.Error(err)
	}
}

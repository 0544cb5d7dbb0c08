//go:build template

package template_test

import (
	"os"
	"strings"
	"testing"
)

func TestParameters(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("../../docs/deploying.md")
	if err != nil {
		t.Fatal(err)
	}
	for name, p := range deploy(t).parameters {
		t.Run(name+" has a default, so that nobody is asked, and says what it is for", func(t *testing.T) {
			if p.Default == nil {
				t.Error("it has no default")
			}
			if p.Description == "" {
				t.Error("it has no description")
			}
		})
		forTests := name == "DirectDelay"
		if there := strings.Contains(string(page), "`"+name+"`"); !there && !forTests {
			t.Errorf("%s is not in docs/deploying.md", name)
		}
	}
}

//go:build template

package template_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestBuild(t *testing.T) {
	t.Parallel()
	for architecture, goarch := range map[string]string{"arm64": "arm64", "x86_64": "amd64"} {
		s := deploy(t, "Architecture="+architecture)
		for _, name := range functions {
			t.Run(name+" for "+architecture+" is a static, stripped binary for Linux", func(t *testing.T) {
				f := s.one(t, name)
				same(t, f.get("Architectures"), []any{architecture})
				same(t, f.Metadata["BuildMethod"], "makefile")
				context, _ := f.Metadata["ContextPath"].(string)
				got, err := run("make", "--dry-run", "--makefile", filepath.Join("infra", context, "Makefile"), "build-"+name, "ARTIFACTS_DIR=/out")
				if err != nil {
					t.Fatal(err)
				}
				code := "./lambdas/" + strings.ToLower(strings.TrimSuffix(name, "Function"))
				for _, part := range []string{"CGO_ENABLED=0 ", "GOOS=linux ", "GOARCH=" + goarch + " ", "-tags lambda.norpc ", "-trimpath ",
					"-ldflags '-s -w' ", "-o /out/bootstrap ", " " + code + "\n"} {
					if !strings.Contains(got, part) {
						t.Errorf("%q is not in\n%s", part, got)
					}
				}
				if _, err := os.Stat("../../" + code); err != nil {
					t.Error(err)
				}
			})
		}
	}
}

// Package arch holds the module to its layout: imports flow one way, and every package has its place.
package arch_test

import (
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/durable-lambda/durable-lambda/"

// layer says what a package may import directly from this module, and which modules of others. A trailing /... means the
// folders below as well.
type layer struct {
	may     []string
	vendors []string
}

// layers is the diagram of docs/design.md as a table. Tests inside a package may import more: they are checked by
// nothing but the compiler.
var layers = map[string]layer{
	"durable/history":             {vendors: []string{"github.com/klauspost/compress/s2"}},
	"internal/replay":             {may: []string{"durable/history"}},
	"internal/code":               {may: []string{"internal/replay", "durable/history"}},
	"durable":                     {may: []string{"internal/code", "internal/replay", "durable/history"}},
	"durable/backend":             {},
	"durable/codec":               {may: []string{"durable/backend"}},
	"durable/codec/aesgcm":        {may: []string{"durable/codec"}},
	"durable/backend/backendtest": {may: []string{"durable/backend"}, vendors: []string{"github.com/google/go-cmp/..."}},
	"durable/backend/delivery":    {may: []string{"durable/backend"}},
	"durable/backend/memory":      {may: []string{"durable/backend", "durable/backend/delivery"}},
	"durable/backend/pebble":      {may: []string{"durable/backend", "durable/backend/delivery"}, vendors: []string{"github.com/cockroachdb/pebble/v2/..."}},
	"durable/backend/aws":         {may: []string{"durable/backend"}, vendors: []string{"github.com/aws/aws-sdk-go-v2/...", "github.com/aws/smithy-go/..."}},
	"durable/store":               {may: []string{"durable/backend", "durable/history"}, vendors: []string{"github.com/oklog/ulid/v2"}},
	"durable/worker":              {may: []string{"durable", "internal/code", "internal/replay", "durable/store", "durable/backend", "durable/history"}},
	"durable/web":                 {may: []string{"durable"}},
	"durable/schedule":            {may: []string{"durable"}, vendors: []string{"github.com/netresearch/go-cron"}},
	"durable/client":              {may: []string{"durable", "internal/replay", "durable/store", "durable/backend", "durable/history"}},
	"durable/client/httpclient":   {may: []string{"durable", "durable/history"}, vendors: []string{"github.com/aws/aws-sdk-go-v2/aws/..."}},
	"durable/access":              {may: []string{"durable/backend"}},
	"durable/api":                 {may: []string{"durable", "durable/access", "durable/history"}},
	"durable/dashboard":           {may: []string{"durable", "durable/api", "durable/history"}},
	"durable/links":               {may: []string{"durable", "durable/backend", "durable/history"}},
	"durable/mail":                {may: []string{"durable/backend"}},
	"durable/mail/ses":            {may: []string{"durable/mail"}, vendors: []string{"github.com/aws/aws-sdk-go-v2/...", "github.com/aws/smithy-go/...", "github.com/wneessen/go-mail"}},
	"durable/mail/mailtest":       {may: []string{"durable/mail"}, vendors: []string{"github.com/google/go-cmp/..."}},
	"internal/shell":              {},
	"durable/awslambda": {may: []string{"durable", "durable/access", "durable/links", "durable/worker", "durable/web", "durable/client", "durable/api", "durable/store",
		"durable/backend", "durable/backend/aws", "durable/codec", "internal/shell"},
		vendors: []string{"github.com/aws/aws-lambda-go/...", "github.com/aws/aws-sdk-go-v2/...", "github.com/aws/smithy-go/..."}},
	"lambdas/orchestrator": {may: []string{"durable", "durable/awslambda", "examples/..."}},
	"lambdas/activity":     {may: []string{"durable", "durable/awslambda", "durable/mail", "durable/mail/ses", "examples/..."}, vendors: []string{"github.com/aws/aws-sdk-go-v2/service/ses"}},
	"lambdas/starter":      {may: []string{"durable", "durable/awslambda", "durable/api", "examples/..."}},
	"durable/dev": {may: []string{"durable", "durable/access", "durable/links", "durable/worker", "durable/web", "durable/client", "durable/api", "durable/dashboard", "durable/store",
		"durable/backend", "durable/backend/pebble", "durable/codec", "durable/mail", "internal/shell"}},
	"durable/durabletest": {may: []string{"durable", "durable/worker", "durable/web", "durable/client", "durable/store", "durable/backend",
		"durable/backend/memory", "durable/mail"}},
	"durable/doctor": {may: []string{"durable/worker", "durable/store", "durable/backend", "durable/history"}},
	// With the tag aws it opens deployed hubs, too.
	"cmd/durable": {may: []string{"durable", "durable/access", "durable/dev", "durable/api", "durable/client", "durable/doctor", "durable/worker", "durable/store",
		"durable/backend", "durable/codec", "durable/codec/aesgcm",
		"durable/backend/pebble", "durable/backend/aws", "examples/..."},
		vendors: []string{"github.com/alecthomas/kong", "golang.org/x/term", "github.com/aws/aws-sdk-go-v2/..."}},
	"examples/orders":             {may: []string{"durable"}},
	"examples/orders/fulfilment":  {may: []string{"durable", "examples/orders"}},
	"examples/orders/shop":        {may: []string{"durable", "durable/backend", "examples/orders"}},
	"examples/orders/notify":      {may: []string{"durable", "durable/links", "durable/mail", "examples/orders"}},
	"examples/orders/web":         {may: []string{"durable", "examples/orders"}},
	"examples/patterns/...":       {may: []string{"durable"}},
	"examples/patterns/asynchttp": {may: []string{"durable", "durable/api"}},
	"examples/drills":             {may: []string{"durable"}},
	"examples/drills/bodies":      {may: []string{"durable", "examples/drills"}},
	"localstack/deploy":           {vendors: []string{"github.com/aws/aws-sdk-go-v2/...", "github.com/aws/smithy-go/...", "go.yaml.in/yaml/v3"}},
	"tests/...":                   {may: []string{"..."}, vendors: []string{"..."}},
}

type pkg struct {
	ImportPath string
	Imports    []string
	Deps       []string
}

// list runs go list over the packages.
func list(t *testing.T, args ...string) []pkg {
	t.Helper()
	look(t)
	out, err := exec.Command("go", append([]string{"list", "-json=ImportPath,Imports,Deps"}, args...)...).Output()
	if err != nil {
		var exit *exec.ExitError
		if errors.As(err, &exit) {
			t.Fatalf("go list: %s", exit.Stderr)
		}
		t.Fatal(err)
	}
	var all []pkg
	for dec := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p pkg
		if err := dec.Decode(&p); errors.Is(err, io.EOF) {
			return all
		} else if err != nil {
			t.Fatal(err)
		}
		all = append(all, p)
	}
}

// look opens what go list reads, so that go test does not take an earlier result for that of another tree.
func look(t *testing.T) {
	t.Helper()
	err := filepath.WalkDir("../..", func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && strings.HasPrefix(d.Name(), ".") && d.Name() != "..":
			return filepath.SkipDir
		case strings.HasSuffix(path, ".go") || d.Name() == "go.mod":
			_, err = os.Stat(path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestImportsFlowOneWay(t *testing.T) {
	t.Parallel()
	for _, p := range list(t, module+"...") {
		name := strings.TrimPrefix(p.ImportPath, module)
		rule, ok := find(name)
		if !ok {
			t.Errorf("%s has no place in the layout: add it to layers, and to docs/design.md what it owns", name)
			continue
		}
		for _, imp := range p.Imports {
			own := strings.HasPrefix(imp, module)
			switch first, _, _ := strings.Cut(imp, "/"); {
			case own && !matches(rule.may, strings.TrimPrefix(imp, module)):
				t.Errorf("%s imports %s, which points up", name, strings.TrimPrefix(imp, module))
			case !own && strings.Contains(first, ".") && !matches(rule.vendors, imp):
				t.Errorf("%s imports %s: say why in docs/dependencies.md, and allow it here", name, imp)
			}
		}
	}
}

// TestBinariesHoldNothingForeign keeps heavy or misplaced packages out of what is linked.
func TestBinariesHoldNothingForeign(t *testing.T) {
	t.Parallel()
	notInLambda := []string{"testing", "github.com/netresearch/...", "github.com/cockroachdb/...", module + "durable/dev", module + "durable/dashboard", module + "durable/durabletest",
		module + "durable/backend/memory", module + "durable/backend/pebble", module + "durable/backend/backendtest", module + "durable/mail/mailtest"}
	deny := map[string][]string{
		"durable/schedule":     {"testing", "net/http"},
		"lambdas/orchestrator": append(notInLambda, "text/template", module+"durable/mail/...", module+"examples/orders/shop", module+"examples/orders/notify", module+"examples/orders/web"),
		"lambdas/starter":      append(notInLambda, "text/template", module+"durable/mail/...", module+"examples/orders/shop", module+"examples/orders/notify", module+"examples/orders/fulfilment"),
		"lambdas/activity":     append(notInLambda, module+"examples/orders/fulfilment", module+"examples/orders/web"),
		"cmd/durable":          {"testing", module + "durable/durabletest", module + "durable/backend/backendtest", module + "durable/mail/mailtest", module + "durable/backend/memory", "github.com/aws/..."},
		"durable/worker":       {"github.com/cockroachdb/...", "net/http", module + "durable/mail", module + "durable/api"},
		"durable/client":       {"github.com/cockroachdb/...", "net/http", module + "durable/worker"},
		"durable":              {"net/http", module + "durable/store", module + "durable/backend"},
	}
	for root, denied := range deny {
		for _, p := range list(t, "-tags=lambda.norpc", module+root) { // as the template builds them
			for _, d := range p.Deps {
				if matches(denied, d) {
					t.Errorf("%s links %s", root, d)
				}
			}
		}
	}
}

func find(name string) (layer, bool) {
	if l, ok := layers[name]; ok {
		return l, true
	}
	for pattern, l := range layers {
		if strings.HasSuffix(pattern, "/...") && matches([]string{pattern}, name) {
			return l, true
		}
	}
	return layer{}, false
}

func matches(patterns []string, s string) bool {
	return slices.ContainsFunc(patterns, func(p string) bool {
		prefix, deep := strings.CutSuffix(p, "...")
		if !deep {
			return p == s
		}
		return strings.HasPrefix(s+"/", prefix)
	})
}

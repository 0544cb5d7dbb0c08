// Command deploy puts the template onto an emulator of AWS on this machine, without SAM: it builds the functions, uploads
// them, and creates or updates the stack.
//
//	. localstack/env
//	go run ./localstack/deploy [-stack durable-orders] [-parameter Name=Value]...
//
// Progress goes to standard error. Standard output gets the outputs of the stack, one Name=Value a line, ApiUrl first.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net"
	"net/url"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	d := deployment{parameters: map[string]string{}, say: func(format string, args ...any) {
		fmt.Fprintf(os.Stderr, "deploy: "+format+"\n", args...)
	}}
	flag.StringVar(&d.stack, "stack", "durable-orders", "name of the stack")
	flag.StringVar(&d.template, "template", filepath.FromSlash("infra/template.yaml"), "the template to deploy")
	flag.Func("parameter", "Name=Value of a parameter of the template; may be given again", func(s string) error {
		name, value, ok := strings.Cut(s, "=")
		if !ok || name == "" {
			return errors.New("it must be Name=Value")
		}
		d.parameters[name] = value
		return nil
	})
	flag.Parse()
	if flag.NArg() > 0 {
		fail(fmt.Errorf("%q is too much; it is: deploy [-stack name] [-template file] [-parameter Name=Value]", flag.Args()))
	}
	outputs, err := d.run(ctx, os.Getenv("AWS_ENDPOINT_URL"))
	if err != nil {
		fail(err)
	}
	for _, o := range outputs {
		fmt.Printf("%s=%s\n", o.name, o.value)
	}
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, "deploy:", err)
	os.Exit(1)
}

// cache keeps the programs, beside what LocalStack keeps.
var cache = filepath.FromSlash(".cache/deploy")

// deployment is one run of the command.
type deployment struct {
	stack, template string
	// parameters are those of the command line; they win over those of local.
	parameters map[string]string
	say        func(format string, args ...any)
}

// local are the parameters that hold for an emulator on this machine, which signs nothing, and verifies a sender at once.
func local(apiURL string) map[string]string {
	return map[string]string{
		"Architecture":       architecture(runtime.GOARCH),
		"ApiAuth":            "NONE",
		"MailFrom":           "shop@example.com",
		"CreateMailIdentity": "true",
		"PublicUrl":          apiURL,
	}
}

// output is one of the outputs of a stack.
type output struct{ name, value string }

func (d *deployment) run(ctx context.Context, endpoint string) ([]output, error) {
	if err := checkEndpoint(endpoint); err != nil {
		return nil, err
	}
	text, err := os.ReadFile(d.template)
	if err != nil {
		return nil, fmt.Errorf("%w; run this in the root of the repository, or name a template with -template", err)
	}
	t, err := parseTemplate(text)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", d.template, err)
	}
	id := apiID(d.stack)
	t.nameAPI(id)
	apiURL := strings.TrimSuffix(endpoint, "/") + "/_aws/execute-api/" + id + "/" + stage
	parameters, err := t.complete(d.parameters, local(apiURL))
	if err != nil {
		return nil, err
	}
	cloud, err := connect(ctx, endpoint)
	if err != nil {
		return nil, err
	}
	if err := d.upload(ctx, cloud, t); err != nil {
		return nil, err
	}
	begin := time.Now()
	found, err := cloud.apply(ctx, d.stack, t, parameters, d.say)
	if err != nil {
		return nil, err
	}
	d.say("stack %s is deployed, after %v", d.stack, time.Since(begin).Round(100*time.Millisecond))
	return arrange(found, apiURL), nil
}

// upload builds the functions of the template and puts into it where their code is.
func (d *deployment) upload(ctx context.Context, cloud *cloud, t *template) error {
	for _, f := range t.functions() {
		begin := time.Now()
		folder := filepath.Join(filepath.Dir(d.template), filepath.FromSlash(f.code.Value))
		archive, err := build(ctx, folder, filepath.Join(cache, runtime.GOARCH, f.name), runtime.GOARCH)
		if err != nil {
			return fmt.Errorf("function %s: %w", f.name, err)
		}
		if f.code.Value, err = cloud.upload(ctx, archive); err != nil {
			return fmt.Errorf("function %s: %w", f.name, err)
		}
		d.say("%s is built, %.1f MB, after %v", f.name, float64(len(archive))/1e6, time.Since(begin).Round(100*time.Millisecond))
	}
	return nil
}

// arrange puts ApiUrl first, as it is here: the stack's own output is the address that API Gateway has on AWS.
func arrange(found []output, apiURL string) []output {
	found = slices.DeleteFunc(found, func(o output) bool { return o.name == "ApiUrl" })
	slices.SortFunc(found, func(a, b output) int { return strings.Compare(a.name, b.name) })
	return append([]output{{"ApiUrl", apiURL}}, found...)
}

// checkEndpoint refuses whatever is not this machine.
func checkEndpoint(endpoint string) error {
	const hint = "this is for an emulator on this machine: run localstack/up and `. localstack/env`; to deploy to AWS use `sam build` and `sam deploy`"
	if endpoint == "" {
		return errors.New("AWS_ENDPOINT_URL is not set; " + hint)
	}
	u, err := url.Parse(endpoint)
	if err != nil {
		return fmt.Errorf("AWS_ENDPOINT_URL: %w; %s", err, hint)
	}
	if ip := net.ParseIP(u.Hostname()); u.Hostname() != "localhost" && (ip == nil || !ip.IsLoopback()) {
		return fmt.Errorf("AWS_ENDPOINT_URL is %s, which is not a loopback address; %s", endpoint, hint)
	}
	return nil
}

// architecture is Lambda's word for one of Go's.
func architecture(goarch string) string {
	if goarch == "amd64" {
		return "x86_64"
	}
	return goarch
}

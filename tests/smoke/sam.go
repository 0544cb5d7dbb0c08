package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

const template = "infra/template.yaml"

// tag marks the stacks that this command may remove.
const (
	tagKey   = "made-by"
	tagValue = "durable-smoke"
)

// sam runs the SAM CLI.
type sam struct {
	program, region string
	// words gets what it says; nil keeps it for the error.
	words io.Writer
}

func findSAM(region string, words io.Writer) (*sam, error) {
	program, err := exec.LookPath("sam")
	if err != nil {
		return nil, errors.New("the SAM CLI, sam, is not on the PATH: `brew install aws-sam-cli` or `pipx install aws-sam-cli` install it, and " +
			"`PATH=\"$(infra/tools):$PATH\" make smoke-aws` uses the one that this repository pins")
	}
	for _, tool := range []string{"go", "make"} {
		if _, err := exec.LookPath(tool); err != nil {
			return nil, fmt.Errorf("sam builds the functions with %s, which is not on the PATH; install it", tool)
		}
	}
	return &sam{program, region, words}, nil
}

// build builds the functions and leaves the template for deploy in a folder.
func (s *sam) build(ctx context.Context, folder string, parameters map[string]string) error {
	return s.run(ctx, "build", "--template-file", template, "--build-dir", folder, "--parallel",
		"--parameter-overrides", overrides(parameters))
}

// deploy creates the stack of what build has left, by way of a bucket.
func (s *sam) deploy(ctx context.Context, folder, stack, bucket string, parameters map[string]string) error {
	return s.run(ctx, "deploy", "--template-file", filepath.Join(folder, "template.yaml"), "--stack-name", stack,
		"--s3-bucket", bucket, "--capabilities", "CAPABILITY_IAM", "--no-confirm-changeset", "--no-progressbar",
		"--tags", tagKey+"="+tagValue, "--parameter-overrides", overrides(parameters))
}

// run runs sam, and asks it to stop when ctx ends. The environment of samconfig.toml that it names does not exist, so what
// somebody has configured for their own stack is not taken for this one's.
func (s *sam) run(ctx context.Context, args ...string) error {
	cmd := exec.CommandContext(ctx, s.program, append(args, "--region", s.region, "--config-env", "smoke")...)
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = 30 * time.Second
	cmd.Env = append(os.Environ(), "SAM_CLI_TELEMETRY=0")
	var said bytes.Buffer
	cmd.Stdout = &said
	if s.words != nil {
		cmd.Stdout = s.words
	}
	cmd.Stderr = cmd.Stdout
	err := cmd.Run()
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err != nil {
		return fmt.Errorf("sam %s: %w; the end of what it said:\n%s", args[0], err, tail(said.String(), 40))
	}
	return nil
}

// overrides writes parameters as sam reads them. A value may have spaces and quotes, and no backslashes.
func overrides(parameters map[string]string) string {
	var words []string
	for _, name := range slices.Sorted(maps.Keys(parameters)) {
		words = append(words, name+`="`+strings.ReplaceAll(parameters[name], `"`, `\"`)+`"`)
	}
	return strings.Join(words, " ")
}

// tail returns the last lines of a text.
func tail(text string, lines int) string {
	all := strings.Split(strings.TrimSpace(text), "\n")
	return strings.Join(all[max(0, len(all)-lines):], "\n")
}

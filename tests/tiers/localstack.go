package main

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"time"
)

// localstack is the one that the tiers share.
type localstack struct {
	started bool // by us
	pointed bool // and this process at it
	err     error
}

// up starts it, once, and points this process and so the tests at it. One that is up already is used, and left up.
func (l *localstack) up() error {
	if l.pointed || l.err != nil {
		return l.err
	}
	begin := time.Now()
	var out strings.Builder
	cmd := exec.Command("localstack/up")
	cmd.Stdout, cmd.Stderr = io.MultiWriter(os.Stdout, &out), os.Stderr
	if l.err = cmd.Run(); l.err != nil {
		return l.err
	}
	l.started = !strings.Contains(out.String(), "already up")
	fmt.Printf("── LocalStack: %v\n", time.Since(begin).Round(100*time.Millisecond))
	l.err = l.point()
	l.pointed = l.err == nil
	return l.err
}

// point takes over what localstack/env sets.
func (l *localstack) point() error {
	out, err := exec.Command("bash", "-c", ". localstack/env && env -0").Output()
	if err != nil {
		return err
	}
	for _, v := range strings.Split(string(out), "\x00") {
		if name, value, ok := strings.Cut(v, "="); ok && (strings.HasPrefix(name, "AWS_") || strings.HasPrefix(name, "DURABLE_TEST_")) {
			if err := os.Setenv(name, value); err != nil {
				return err
			}
		}
	}
	return nil
}

func (l *localstack) down() {
	if !l.started {
		return
	}
	if out, err := exec.Command("localstack/down").CombinedOutput(); err != nil {
		fmt.Printf("LocalStack does not stop: %v: %s\n", err, out)
	}
}

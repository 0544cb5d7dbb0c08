// Package readme compiles and runs what the README shows.
package readme_test

import (
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

var program = regexp.MustCompile("(?s)<!-- the test in tests/readme[^\n]*\n```go\n(.*?)```")

func TestTheSmallestProgram(t *testing.T) {
	t.Parallel()
	readme, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	found := program.FindSubmatch(readme)
	if found == nil {
		t.Fatal("the README has no smallest program")
	}
	binary := build(t, found[1])
	addr := freeAddr(t)
	cmd := exec.Command(binary)
	cmd.Env = append(os.Environ(), "DURABLE_ADDR="+addr, "DURABLE_DATA="+filepath.Join(t.TempDir(), "data"))
	var out strings.Builder
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cmd.Process.Kill(); cmd.Wait() })
	reply := ask(t, "http://"+addr+"/runtime/webhooks/durabletask/orchestrators/Hello?timeout=10", `"Ada"`)
	if reply != `"Hello, Ada"` {
		t.Errorf("the program answered %s\n%s", reply, out.String())
	}
}

// build compiles the program inside the module, so that it finds the packages it imports.
func build(t *testing.T, source []byte) string {
	t.Helper()
	dir, err := os.MkdirTemp(".", "program")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	if err := os.WriteFile(filepath.Join(dir, "main.go"), source, 0o600); err != nil {
		t.Fatal(err)
	}
	binary := filepath.Join(t.TempDir(), "program")
	if out, err := exec.Command("go", "build", "-o", binary, "./"+dir).CombinedOutput(); err != nil {
		t.Fatalf("the README's program does not compile: %v\n%s", err, out)
	}
	return binary
}

func freeAddr(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// ask posts body as soon as somebody listens.
func ask(t *testing.T, url, body string) string {
	t.Helper()
	for range 200 {
		resp, err := http.Post(url, "application/json", strings.NewReader(body))
		if err != nil {
			time.Sleep(25 * time.Millisecond)
			continue
		}
		defer resp.Body.Close()
		reply, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		return string(reply)
	}
	t.Fatal("the program does not listen")
	return ""
}

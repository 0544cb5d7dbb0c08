//go:build clients

package clients_test

import (
	"bufio"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"
)

var (
	inPython = regexp.MustCompile("(?s)\n```python\n(.*?)```")
	inNode   = regexp.MustCompile("(?s)\n```js\n(.*?)```")
	address  = regexp.MustCompile(`http://127\.0\.0\.1:\d+`)
)

// TestTheDocsPrograms does what docs/http-api.md tells: it serves the order demonstration, prints its binding, and runs the programs.
func TestTheDocsPrograms(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("../../docs/http-api.md")
	if err != nil {
		t.Fatal(err)
	}
	home, err := tools()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	durable := filepath.Join(dir, "durable")
	if out, err := exec.Command("go", "build", "-o", durable, "../../cmd/durable").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	order, err := os.ReadFile("../../examples/orders/order.json")
	if err != nil {
		t.Fatal(err)
	}
	binding, err := exec.Command(durable, "binding", demonstration(t, durable, filepath.Join(dir, "data"))).Output()
	if err != nil {
		t.Fatal(err)
	}
	put(t, filepath.Join(dir, "binding.json"), binding)
	put(t, filepath.Join(dir, "examples", "orders", "order.json"), order)
	for _, c := range []struct {
		name, file string
		source     *regexp.Regexp
		command    func(home string, args ...string) *exec.Cmd
	}{{"python", "program.py", inPython, python}, {"node", "program.cjs", inNode, node}} {
		t.Run(c.name, func(t *testing.T) {
			found := c.source.FindSubmatch(page)
			if found == nil {
				t.Fatal("the page has no such program")
			}
			put(t, filepath.Join(dir, c.file), found[1])
			cmd := c.command(home, c.file)
			cmd.Dir = dir
			var said strings.Builder
			cmd.Stderr = &said // where aiohttp regrets a session that the package does not close
			out, err := cmd.Output()
			if err != nil || !strings.HasPrefix(string(out), `200 {`) || !strings.Contains(string(out), `"parcel-`) {
				t.Errorf("%v: it says\n%s%s", err, out, &said)
			}
		})
	}
}

func put(t *testing.T, name string, content []byte) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, content, 0o600); err != nil {
		t.Fatal(err)
	}
}

// demonstration runs durable dev until the test ends, and returns where it is.
func demonstration(t *testing.T, durable, data string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	cmd := exec.CommandContext(ctx, durable, "dev", "--addr", "127.0.0.1:0", "--data", data)
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cancel(); _ = cmd.Wait() })
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		if found := address.FindString(lines.Text()); found != "" && !strings.HasSuffix(found, ":0") {
			return found
		}
	}
	t.Fatal("the server does not say where it is")
	return ""
}

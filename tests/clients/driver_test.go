//go:build clients

package clients_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// tools is where the clients are; it installs them.
var tools = sync.OnceValues(func() (string, error) {
	cmd := exec.Command("./tools")
	var said bytes.Buffer
	cmd.Stderr = &said
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("%w\n%s", err, &said)
	}
	return strings.TrimSpace(string(out)), nil
})

func python(home string, args ...string) *exec.Cmd {
	return exec.Command(filepath.Join(home, "python", "bin", "python"), args...)
}

func node(home string, args ...string) *exec.Cmd {
	cmd := exec.Command("node", args...)
	cmd.Env = append(os.Environ(), "NODE_PATH="+filepath.Join(home, "node", "node_modules"))
	return cmd
}

// kind is one of the clients.
type kind struct {
	name    string
	command func(home string) *exec.Cmd
	// byLinks has it use the links of the binding: it does where there is no URL for RPC.
	byLinks bool
}

var kinds = []kind{
	{name: "python", command: func(home string) *exec.Cmd { return python(home, "driver.py") }},
	{name: "node", command: func(home string) *exec.Cmd { return node(home, "driver.cjs") }},
	{name: "node by links", command: func(home string) *exec.Cmd { return node(home, "driver.cjs") }, byLinks: true},
}

func (k kind) python() bool { return k.name == "python" }

// driver is a process that calls a client.
type driver struct {
	kind
	in  io.Writer
	out *bufio.Scanner
}

// patience is how long a call may take.
const patience = 30 * time.Second

func (k kind) start(t *testing.T) *driver {
	t.Helper()
	home, err := tools()
	if err != nil {
		t.Fatal(err)
	}
	cmd := k.command(home)
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := errors.Join(in.Close(), cmd.Wait()); err != nil {
			t.Errorf("the driver of %s ended with %v", k.name, err)
		}
	})
	lines := bufio.NewScanner(out)
	lines.Buffer(nil, 16<<20)
	return &driver{kind: k, in: in, out: lines}
}

// args are those of a call; what a language leaves out is not there.
type args map[string]any

// call has the client do something. The text of its error is empty when it did.
func (d *driver) call(t *testing.T, do string, a args) (ok any, failed string) {
	t.Helper()
	line := map[string]any{"do": do}
	for k, v := range a {
		line[k] = v
	}
	data, err := json.Marshal(line)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := d.in.Write(append(data, '\n')); err != nil {
		t.Fatal(err)
	}
	late := time.AfterFunc(patience, func() { panic("the client does not answer to " + string(data)) })
	defer late.Stop()
	if !d.out.Scan() {
		t.Fatalf("the driver of %s has ended: %v", d.name, d.out.Err())
	}
	var answer struct {
		OK    any
		Error *string
	}
	if err := json.Unmarshal(d.out.Bytes(), &answer); err != nil {
		t.Fatalf("%v: %s", err, d.out.Bytes())
	}
	if answer.Error != nil {
		if *answer.Error == "" {
			return nil, "an error without a word"
		}
		return nil, *answer.Error
	}
	return answer.OK, ""
}

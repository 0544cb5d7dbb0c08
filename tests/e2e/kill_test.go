//go:build e2e

package e2e_test

import (
	"bytes"
	"encoding/base64"
	"encoding/xml"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/durable-lambda/durable-lambda/durable/history"
)

// killWhileHandling kills what runs a function while it handles a message of a kind for an instance.
func killWhileHandling(t *testing.T, function, resource, id string, kind history.Kind) {
	t.Helper()
	url := queue(t, resource)
	soon(t, "a message of "+id+" is being handled", func() bool { return inFlight(t, url, id, kind) })
	kill(t, function)
}

// soon asks often, for what lasts a moment only.
func soon(t *testing.T, what string, done func() bool) {
	t.Helper()
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); <-tick.C {
		if done() {
			return
		}
	}
	t.Fatalf("after %v it has not come true that %s", patience, what)
}

// inFlight reports whether a function has received a message of the kind for the instance and not yet answered. LocalStack shows its
// messages to those who ask, which AWS does not.
func inFlight(t *testing.T, queue, id string, kind history.Kind) bool {
	t.Helper()
	page := fetch(t, "/_aws/sqs/messages?ShowInvisible=true&QueueUrl="+url.QueryEscape(queue))
	var shown struct {
		Messages []struct {
			Body       string
			Attributes []struct{ Name, Value string } `xml:"Attribute"`
		} `xml:"ReceiveMessageResult>Message"`
	}
	if err := xml.Unmarshal(page, &shown); err != nil {
		t.Fatalf("the messages: %v: %s", err, page)
	}
	for _, m := range shown.Messages {
		body, err := base64.StdEncoding.DecodeString(m.Body)
		if err != nil {
			continue // somebody else's
		}
		if is, err := history.DecodeMessage(body); err != nil || is.Instance != id || is.Event.Kind != kind {
			continue
		}
		for _, a := range m.Attributes {
			if a.Name == "IsVisible" && a.Value == "false" {
				return true
			}
		}
	}
	return false
}

// kill kills whatever runs a function and is not at rest, with SIGKILL.
func kill(t *testing.T, function string) {
	t.Helper()
	name := hub.outputs[function]
	if len(processes(name)) == 0 {
		killContainers(t, name)
		return
	}
	soon(t, "a process of "+name+" is at work", func() bool {
		killed := false
		for _, pid := range processes(name) {
			if atRest(pid) {
				continue
			}
			if err := syscall.Kill(pid, syscall.SIGKILL); err == nil {
				t.Logf("killed process %d of %s", pid, name)
				killed = true
			}
		}
		return killed
	})
}

// processes are those of a function, where LocalStack runs functions as processes of this machine.
func processes(function string) (pids []int) {
	files, err := filepath.Glob("/proc/[0-9]*/environ")
	if err != nil {
		panic(err) // only for a wrong pattern
	}
	for _, file := range files {
		environment, err := os.ReadFile(file)
		if err != nil {
			continue // it ended, or is somebody else's
		}
		if bytes.Contains(append([]byte{0}, environment...), []byte("\x00AWS_LAMBDA_FUNCTION_NAME="+function+"\x00")) {
			if pid, err := strconv.Atoi(filepath.Base(filepath.Dir(file))); err == nil {
				pids = append(pids, pid)
			}
		}
	}
	return pids
}

// atRest reports whether a process is stopped, as those are that have no event to handle, or has ended.
func atRest(pid int) bool {
	stat, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "stat"))
	if err != nil {
		return true
	}
	_, fields, _ := bytes.Cut(stat, []byte(") ")) // the name before may hold anything
	return len(fields) == 0 || bytes.ContainsAny(fields[:1], "TtZX")
}

// killContainers is for a LocalStack in Docker, which runs each function in containers named after it.
func killContainers(t *testing.T, function string) {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "docker", "ps", "-q", "--filter", "name=-lambda-"+strings.ToLower(function)+"-").Output()
	if err != nil {
		t.Fatalf("%s runs neither as a process of this machine nor in a container: docker ps: %v", function, err)
	}
	containers := strings.Fields(string(out))
	if len(containers) == 0 {
		t.Fatalf("%s runs neither as a process of this machine nor in a container", function)
	}
	if out, err := exec.CommandContext(t.Context(), "docker", append([]string{"kill"}, containers...)...).CombinedOutput(); err != nil {
		t.Fatalf("docker kill: %v: %s", err, out)
	}
}

package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/durable-lambda/durable-lambda/durable/backend"
	"github.com/durable-lambda/durable-lambda/durable/backend/pebble"
	"github.com/durable-lambda/durable-lambda/durable/history"
)

// asProgram makes the test binary be the command.
const asProgram = "DURABLE_TEST_AS_PROGRAM"

func TestMain(m *testing.M) {
	if os.Getenv(asProgram) != "" {
		main()
		os.Exit(0)
	}
	os.Exit(m.Run())
}

func program(args ...string) *exec.Cmd {
	cmd := exec.Command(os.Args[0], args...)
	cmd.Env = append(os.Environ(), asProgram+"=1")
	return cmd
}

// run runs the command to its end.
func run(t *testing.T, args ...string) (stdout, stderr string, status int) {
	t.Helper()
	cmd := program(args...)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return out.String(), errs.String(), cmd.ProcessState.ExitCode()
}

// start runs the server as a process of its own.
func start(t *testing.T, data string) (*server, *exec.Cmd) {
	t.Helper()
	cmd := program("dev", "--addr", "127.0.0.1:0", "--data", data)
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	return &server{t: t, base: where(t, out)}, cmd
}

// large is an order that waits for its approval.
const large = `{"id":"%s","customer":{"name":"Ada","email":"ada@example.com"},"currency":"EUR",
 "items":[{"sku":"BOOK-1","quantity":2,"unitPrice":90000}],
 "shipTo":{"street":"1 Main St","city":"Berlin","postcode":"10115","country":"DE"},"payment":{"token":"tok_visa"}}`

func (s *server) waitsForApproval(id string) {
	s.t.Helper()
	s.eventually(id+" waits for its approval", func() bool {
		_, body := s.request("GET", "/runtime/webhooks/durabletask/instances/"+id, "")
		return strings.Contains(body, `"awaiting approval"`) || strings.Contains(strings.ToLower(body), "approval")
	})
}

// A server is killed, its folder is damaged, and doctor finds that and has the order go on to its end.
func TestDoctorRepairsAFolder(t *testing.T) {
	t.Parallel()
	data := filepath.Join(t.TempDir(), "data")
	s, process := start(t, data)
	for _, id := range []string{"lost", "fine"} {
		if code, body := s.request("POST", "/orders", fmt.Sprintf(large, id)); code != 202 {
			t.Fatalf("the order is answered with %d: %s", code, body)
		}
		s.waitsForApproval("order-" + id)
	}
	if _, stderr, status := run(t, "doctor", "--data", data); status != 2 || !strings.Contains(stderr, "in use by another process: stop that process") {
		t.Errorf("beside the server: status %d, %s", status, stderr)
	}
	_ = process.Process.Kill()
	_ = process.Wait()

	if out, stderr, status := run(t, "doctor", "--data", data, "--all"); status != 0 || out != "2 instances looked at, nothing is wrong\n" {
		t.Fatalf("before the damage: status %d\n%s%s", status, out, stderr)
	}
	lose(t, data, "order-lost")
	const problem = "✗ order-lost: the activity "
	out, _, status := run(t, "doctor", "--data", data)
	if lines := strings.Split(out, "\n"); status != 1 || len(lines) != 4 || !strings.HasPrefix(lines[0], problem) ||
		!strings.HasSuffix(lines[0], " (2d 0h) → --repair would send again whatever it waits for") || !strings.Contains(lines[1], " of the wake cannot be read: ") || lines[2] != "2 instances looked at, 2 found" {
		t.Errorf("status %d\n%s", status, out)
	}
	if out, _, status = run(t, "doctor", "--data", data, "--repair", "--", "order-lost"); status != 0 || !strings.HasSuffix(out,
		" → repaired: send again whatever it waits for\n1 instance looked at, 1 found, 1 repaired, 0 left\n") {
		t.Errorf("the repair: status %d\n%s", status, out)
	}
	if out, _, status = run(t, "doctor", "--data", data, "order-lost", "order-fine"); status != 0 {
		t.Errorf("after the repair: status %d\n%s", status, out)
	}
	out, _, status = run(t, "dlq", "list", "--data", data)
	if id, rest, _ := strings.Cut(out, " "); status != 0 || len(id) != 10 || !strings.HasPrefix(rest, "wake cannot be read, 1 receive: ") || !strings.HasSuffix(rest, "\n1 dead letter\n") {
		t.Errorf("dead letters: status %d\n%s", status, out)
	} else if out, _, status = run(t, "dlq", "show", "--data", data, id); status != 0 || !strings.Contains(out, `"body": "68656c6c6f"`) {
		t.Errorf("the dead letter: status %d\n%s", status, out)
	}

	s, _ = start(t, data)
	s.waitsForApproval("order-lost")
	if code, body := s.request("POST", "/runtime/webhooks/durabletask/instances/order-lost/raiseEvent/Approval", `{"approved":true,"by":"Grace"}`); code != 202 {
		t.Fatalf("the approval is answered with %d: %s", code, body)
	}
	s.eventually("the order is completed", func() bool {
		_, body := s.request("GET", "/runtime/webhooks/durabletask/instances/order-lost", "")
		return strings.Contains(body, `"runtimeStatus":"Completed"`)
	})
}

// lose takes an instance back to its first segment, of two days ago, without the messages that it waits for, and puts a
// message that nobody can read into a queue.
func lose(t *testing.T, data, id string) {
	t.Helper()
	db, err := pebble.Open(data, pebble.Options{})
	if err != nil {
		t.Fatal(err)
	}
	ctx, b := context.Background(), db.Backend()
	check := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	items, err := b.Table.Query(ctx, "i#"+id, "", "", 1000)
	check(err)
	var custom []byte
	first := true
	for _, item := range items {
		switch {
		case item.Sort == "row":
			plain, err := new(history.Tail).Expand(item.Value)
			check(err)
			row, err := history.DecodeRow(plain)
			check(err)
			row.Status, row.Custom = history.StatusRunning, history.Payload{Bytes: custom}
			item.Value, item.Sequence = row.Encode(), backend.Sequence{Number: 1}
			check(b.Table.Put(ctx, item, backend.Always()))
		case first:
			first = false
			plain, err := new(history.Tail).Expand(item.Value)
			check(err)
			seg, err := history.DecodeSegment(plain)
			check(err)
			for _, e := range seg.Events {
				if e.Kind == history.CustomStatusSet {
					custom = e.Data.Bytes
				}
			}
			seg.Time = time.Now().Add(-48 * time.Hour)
			item.Value = seg.Encode()
			check(b.Table.Put(ctx, item, backend.Always()))
		default:
			check(b.Table.Delete(ctx, item.Key))
		}
	}
	for _, q := range []backend.Queue{b.Wake, b.Inbox, b.Activities} { // after a kill some come again
		for {
			batch, err := q.Receive(ctx, backend.MaxBatch, 0)
			check(err)
			if len(batch) == 0 {
				break
			}
			check(q.Ack(ctx, batch))
		}
	}
	check(errors.Join(b.Wake.Send(ctx, []backend.Message{{Body: []byte("hello")}})...))
	check(db.Close())
}

func TestCommandLinesThatMeanNothing(t *testing.T) {
	t.Parallel()
	for line, want := range map[string]string{
		"doctor --data nowhere":           "there is no data folder at nowhere: name the one that the server was started with by --data, or a deployed hub by --hub",
		"doctor --grace 1m":               "--grace 1m0s is too short",
		"doctor --hub x --data y":         "--data and --hub can't be used together",
		"dlq redrive --data nowhere":      "name the ids of dead letters, as dlq list shows them, or --all",
		"dlq redrive --all x --data here": "name the ids of dead letters, as dlq list shows them, or --all",
	} {
		if _, stderr, status := run(t, strings.Fields(line)...); status != 2 || !strings.Contains(stderr, want) {
			t.Errorf("%s: status %d, %s; want %s", line, status, stderr, want)
		}
	}
}

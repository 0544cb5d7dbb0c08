//go:build template

package cold_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"github.com/durable-lambda/durable-lambda/durable"
	"github.com/durable-lambda/durable-lambda/durable/backend"
	"github.com/durable-lambda/durable-lambda/durable/client"
	"github.com/durable-lambda/durable-lambda/durable/store"
	"github.com/durable-lambda/durable-lambda/durable/worker"
	"github.com/durable-lambda/durable-lambda/examples/drills"
	"github.com/durable-lambda/durable-lambda/examples/drills/bodies"
	"github.com/durable-lambda/durable-lambda/tests/budget/endpoint"
)

// smallest is the least memory that Lambda gives a function, in MB, and maxResident what a process may have of it at its peak. Lambda counts the whole
// sandbox, pages of the binary that are mapped among it, as the resident size does, and a little of its own: what is left is for that.
const (
	smallest    = 128
	maxResident = 100
)

// TestMemory has the orchestrator's function, in a process that knows nothing yet and has 128 MB, take a batch of ten outcomes of instances with a thousand
// activities each, and the starter's take a hundred orders.
func TestMemory(t *testing.T) {
	e := endpoint.New(endpoint.Options{Visibility: time.Hour, ActivityVisibility: time.Hour})
	ports := e.Backend()
	instances := chains(t, ports)
	batch, err := ports.Inbox.Receive(t.Context(), backend.MaxBatch, 0)
	if err != nil || len(batch) != instances {
		t.Fatalf("%d outcomes, %v", len(batch), err)
	}
	t.Run("orchestrator", func(t *testing.T) {
		f := serve(t, "orchestrator", e)
		if answer := f.invoke(t, sqsEvent("inbox.fifo", batch)); !strings.Contains(answer, `"batchItemFailures":[]`) {
			t.Fatalf("it answers %s", answer)
		}
		f.hold(t)
		c := client.New(store.New(store.Config{Backend: ports}))
		for i := range instances {
			if in, err := c.Get(t.Context(), id(i)); err != nil || in.Status != durable.Completed || string(in.Output) != strconv.Itoa(drills.MaxActivities) {
				t.Fatalf("%s is %s with %s, %v", id(i), in.Status, in.Output, err)
			}
		}
	})
	t.Run("starter", func(t *testing.T) {
		f := serve(t, "starter", e)
		for i := range 100 {
			answer := f.invoke(t, placed(t, fmt.Sprint("order-", i)))
			if !strings.Contains(answer, `"statusCode":202`) {
				t.Fatalf("it answers %s", answer)
			}
		}
		f.hold(t)
	})
}

func id(i int) string { return fmt.Sprint("chain-", i) }

// chains runs instances, here, until each waits for its last outcome, which is in the inbox. It returns how many there are.
func chains(t *testing.T, ports backend.Backend) int {
	st := store.New(store.Config{Backend: ports})
	w, err := worker.New(worker.Config{Store: st, Handlers: append(bodies.Orchestrations(), bodies.Activities()...), Warm: 64 << 20, SpinTurns: -1})
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	for i := range backend.MaxBatch {
		if _, err := drills.Chain.Submit(t.Context(), client.New(st), drills.Load{Activities: drills.MaxActivities}, durable.ID(id(i))); err != nil {
			t.Fatal(err)
		}
	}
	take := func(q backend.Queue, handle func([]backend.Delivery) []worker.Outcome) {
		batch, err := q.Receive(t.Context(), backend.MaxBatch, 0)
		if err != nil || len(batch) != backend.MaxBatch {
			t.Fatalf("%d messages, %v", len(batch), err)
		}
		for _, o := range handle(batch) {
			if !o.Ack {
				t.Fatal(o.Err)
			}
		}
		if err := q.Ack(t.Context(), batch); err != nil {
			t.Fatal(err)
		}
	}
	turns := func(b []backend.Delivery) []worker.Outcome { return w.Inbox(t.Context(), b) }
	take(ports.Wake, func(b []backend.Delivery) []worker.Outcome { return w.Wake(t.Context(), b) })
	for n := range drills.MaxActivities {
		if n > 0 {
			take(ports.Inbox, turns)
		}
		take(ports.Activities, func(b []backend.Delivery) (outcomes []worker.Outcome) {
			for _, d := range b {
				outcomes = append(outcomes, w.Activity(t.Context(), d))
			}
			return outcomes
		})
	}
	return backend.MaxBatch
}

// sqsEvent is what Lambda makes of deliveries.
func sqsEvent(queue string, batch []backend.Delivery) []byte {
	var e events.SQSEvent
	for i, d := range batch {
		e.Records = append(e.Records, events.SQSMessage{MessageId: strconv.Itoa(i), ReceiptHandle: d.Receipt, Body: base64.StdEncoding.EncodeToString(d.Body),
			EventSource: "aws:sqs", EventSourceARN: "arn:aws:sqs:eu-central-1:000000000000:" + queue,
			Attributes: map[string]string{"ApproximateReceiveCount": strconv.Itoa(d.Receives), "MessageGroupId": d.Group}})
	}
	out, err := json.Marshal(e)
	if err != nil {
		panic(err)
	}
	return out
}

// placed is what Lambda makes of a request that places the example's order.
func placed(t *testing.T, id string) []byte {
	t.Helper()
	text, err := os.ReadFile("../../examples/orders/order.json")
	if err != nil {
		t.Fatal(err)
	}
	var order map[string]any
	if err := json.Unmarshal(text, &order); err != nil {
		t.Fatal(err)
	}
	order["id"] = id
	if text, err = json.Marshal(order); err != nil {
		t.Fatal(err)
	}
	e := events.APIGatewayV2HTTPRequest{Version: "2.0", RawPath: "/orders", Headers: map[string]string{"content-type": "application/json"}, Body: string(text)}
	e.RequestContext.HTTP.Method, e.RequestContext.HTTP.Path = http.MethodPost, "/orders"
	out, err := json.Marshal(e)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// process is a function's, on a runtime API of this test and with the endpoint for AWS.
type process struct {
	cmd     *exec.Cmd
	events  chan []byte
	answers chan string
}

func serve(t *testing.T, name string, e *endpoint.Endpoint) *process {
	p := &process{events: make(chan []byte), answers: make(chan string)}
	api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost {
			body, _ := io.ReadAll(r.Body)
			w.WriteHeader(http.StatusAccepted)
			p.answers <- string(body)
			return
		}
		select {
		case event := <-p.events:
			w.Header().Set("Lambda-Runtime-Aws-Request-Id", "one")
			w.Header().Set("Lambda-Runtime-Deadline-Ms", strconv.FormatInt(time.Now().Add(time.Minute).UnixMilli(), 10))
			_, _ = w.Write(event)
		case <-r.Context().Done():
		}
	}))
	aws := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		answer, err := e.RoundTrip(r)
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		for k, v := range answer.Header {
			w.Header()[k] = v
		}
		w.WriteHeader(answer.StatusCode)
		_, _ = io.Copy(w, answer.Body)
	}))
	var log bytes.Buffer
	p.cmd = exec.Command(build(t, name))
	p.cmd.Env = append(environment, "AWS_LAMBDA_RUNTIME_API="+api.Listener.Addr().String(), "AWS_ENDPOINT_URL="+aws.URL, "AWS_LAMBDA_FUNCTION_MEMORY_SIZE="+strconv.Itoa(smallest),
		fmt.Sprintf("GOMEMLIMIT=%dMiB", smallest*8/10), "GOMAXPROCS=2", "DURABLE_TABLE=hub", "DURABLE_BUCKET=payloads",
		"DURABLE_INBOX_URL="+aws.URL+"/1/inbox.fifo", "DURABLE_WAKE_URL="+aws.URL+"/1/wake", "DURABLE_ACTIVITIES_URL="+aws.URL+"/1/work")
	p.cmd.Stdout, p.cmd.Stderr = &log, &log
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = p.cmd.Process.Kill()
		_ = p.cmd.Wait()
		api.Close()
		aws.Close()
		if t.Failed() {
			t.Log(log.String())
		}
	})
	return p
}

func (p *process) invoke(t *testing.T, event []byte) string {
	t.Helper()
	for sent := p.events; ; {
		select {
		case sent <- event:
			sent = nil
		case answer := <-p.answers:
			return answer
		case <-time.After(time.Minute):
			t.Fatal("it does not answer")
		}
	}
}

var peak = regexp.MustCompile(`VmHWM:\s+(\d+) kB`)

// hold reads the peak of the resident size, which Linux keeps.
func (p *process) hold(t *testing.T) {
	t.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.cmd.Process.Pid))
	if err != nil {
		t.Skipf("this system does not say how much a process has: %v", err)
	}
	found := peak.FindSubmatch(status)
	if found == nil {
		t.Fatalf("there is no peak in %s", status)
	}
	kb, _ := strconv.Atoi(string(found[1]))
	t.Logf("%.1f MB", float64(kb)/1024)
	if kb > maxResident<<10 {
		t.Errorf("it has had %d MB, more than %d", kb>>10, maxResident)
	}
}

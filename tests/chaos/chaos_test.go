// Package chaos kills the development server, again and again, under load, and holds what is left against what was
// promised. It runs the real binary with SIGKILL on a real folder.
package chaos_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/durable-lambda/durable-lambda/durable/backend/pebble"
	"github.com/durable-lambda/durable-lambda/durable/history"
	"github.com/durable-lambda/durable-lambda/durable/store"
)

const (
	total = 200
	kills = 5
)

// order is the i-th order of the test, and how its instance must end. Every path is among them.
func order(i int) (body, status string) {
	token, price, status := "tok_visa", 1250, "Completed"
	switch {
	case i%20 == 3:
		token, status = "tok_declined", "Failed"
	case i%20 == 7:
		token = "tok_flaky"
	case i%20 == 11:
		price = 250_000 // two of them need approval
	}
	return fmt.Sprintf(`{"id":"c%d","customer":{"name":"Ada","email":"ada@example.com"},"currency":"EUR",
		"items":[{"sku":"BOOK-1","quantity":2,"unitPrice":%d}],
		"shipTo":{"street":"1 Main St","city":"Berlin","postcode":"10115","country":"DE"},"payment":{"token":%q}}`,
		i, price, token), status
}

func TestKilledUnderLoadLosesNothing(t *testing.T) {
	s := newServer(t)
	s.start()
	var wg sync.WaitGroup
	for i := range total {
		wg.Go(func() { s.place(i) })
	}
	for k := range kills {
		ended := s.awaitEnded(5 + k*total/kills)
		s.kill()
		t.Logf("killed with %d orders ended", ended)
		s.start()
	}
	wg.Wait()
	want := map[string]int{}
	for i := range total {
		_, status := order(i)
		want[status]++
		s.await(i, status)
	}
	s.checkMails()
	s.kill()
	charged := s.checkHistories()
	t.Logf("%d orders, %d kills: %v; %d charged", total, kills, want, charged)
}

// awaitEnded waits until so many orders have ended, while others have not: so each kill comes in the middle of the work.
func (s *server) awaitEnded(n int) int {
	for range 6000 {
		_, reply := s.request("GET", "/runtime/webhooks/durabletask/instances?runtimeStatus=Completed,Failed&showInput=false&top=1000", "")
		var ended []struct{}
		if json.Unmarshal([]byte(reply), &ended) == nil && len(ended) >= n {
			if len(ended) >= total {
				s.t.Errorf("all %d orders had ended before the server was killed", total)
			}
			return len(ended)
		}
		time.Sleep(5 * time.Millisecond)
	}
	s.t.Fatalf("%d orders do not end", n)
	return 0
}

type server struct {
	t            *testing.T
	binary, data string
	addr         string
	process      *exec.Cmd
}

func newServer(t *testing.T) *server {
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &server{t: t, data: filepath.Join(t.TempDir(), "data"), addr: free.Addr().String()}
	free.Close()
	s.binary = filepath.Join(t.TempDir(), "durable")
	if out, err := exec.Command("go", "build", "-o", s.binary, "../../cmd/durable").CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	t.Cleanup(func() { s.process.Process.Kill(); s.process.Wait() })
	return s
}

func (s *server) start() {
	s.process = exec.Command(s.binary, "dev", "--addr", s.addr, "--data", s.data)
	var out strings.Builder
	s.process.Stdout, s.process.Stderr = &out, &out
	if err := s.process.Start(); err != nil {
		s.t.Fatal(err)
	}
	for range 200 {
		if resp, err := http.Get("http://" + s.addr + "/mail.json?limit=1"); err == nil {
			resp.Body.Close()
			return
		}
		time.Sleep(25 * time.Millisecond)
	}
	s.process.Process.Kill()
	s.process.Wait()
	s.t.Fatalf("the server does not answer:\n%s", out.String())
}

// kill ends the process with SIGKILL: it gets no chance to put anything in order.
func (s *server) kill() {
	s.process.Process.Kill()
	s.process.Wait()
}

// place posts an order until it is accepted, and approves it where that is needed. What fails because the server is down
// is done again: the order's id makes it the same order.
func (s *server) place(i int) {
	body, _ := order(i)
	for range 600 {
		status, reply := s.request("POST", "/orders", body)
		if status == http.StatusAccepted {
			break
		}
		if status != 0 && status < 500 {
			s.t.Errorf("order %d: %d %s", i, status, reply)
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
	if i%20 != 11 {
		return
	}
	for range 600 { // raised once it is asked for; raised again it would be another approval, kept and not looked at
		_, reply := s.request("GET", s.instance(i), "")
		if strings.Contains(reply, "awaiting approval") {
			if status, _ := s.request("POST", s.instance(i)+"/raiseEvent/Approval", `{"approved":true,"by":"chaos"}`); status == http.StatusAccepted {
				return
			}
		}
		if strings.Contains(reply, `"Completed"`) {
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
}

func (s *server) instance(i int) string {
	return fmt.Sprintf("/runtime/webhooks/durabletask/instances/order-c%d", i)
}

// request returns status 0 when there is no answer.
func (s *server) request(method, path, body string) (int, string) {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, method, "http://"+s.addr+path, strings.NewReader(body))
	if err != nil {
		s.t.Error(err)
		return 0, ""
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, err.Error()
	}
	defer resp.Body.Close()
	reply, err := io.ReadAll(resp.Body)
	if err != nil {
		return 0, err.Error()
	}
	return resp.StatusCode, string(reply)
}

// await waits for the end of an order that was accepted: one that is not there is lost.
func (s *server) await(i int, want string) {
	var reply string
	for range 1200 {
		var code int
		code, reply = s.request("GET", s.instance(i), "")
		var in struct{ RuntimeStatus string }
		if json.Unmarshal([]byte(reply), &in) == nil && in.RuntimeStatus == want {
			return
		}
		if code == http.StatusNotFound || in.RuntimeStatus == "Completed" || in.RuntimeStatus == "Failed" {
			break
		}
		time.Sleep(50 * time.Millisecond)
	}
	s.t.Errorf("order %d did not end %s: %s", i, want, reply)
}

// checkMails holds the mailbox against the orders: each mail that an order's end implies is there, and there once.
func (s *server) checkMails() {
	_, reply := s.request("GET", "/mail.json", "")
	var mails []struct{ InstanceID, Subject string }
	if err := json.Unmarshal([]byte(reply), &mails); err != nil {
		s.t.Fatal(err)
	}
	count := map[string]int{}
	for _, m := range mails {
		count[m.InstanceID+": "+m.Subject[strings.LastIndex(m.Subject, ":")+2:]]++
	}
	for _, k := range slices.Sorted(maps.Keys(count)) {
		if count[k] != 1 {
			s.t.Errorf("the mail %s is there %d times", k, count[k])
		}
	}
	for i := range total {
		_, status := order(i)
		want := []string{"received", "failed and refunded"}
		if status == "Completed" {
			want = []string{"received", "shipped", "billed", "completed"}
		}
		if i%20 == 11 {
			want = append(want, "awaiting approval", "approved")
		}
		for _, kind := range want {
			if count[fmt.Sprintf("order-c%d: %s", i, kind)] == 0 {
				s.t.Errorf("order %d: the mail %q is missing", i, kind)
			}
		}
	}
}

// checkHistories reads the folder that the killed server left, and returns how many orders were charged.
func (s *server) checkHistories() (charged int) {
	db, err := pebble.Open(s.data, pebble.Options{})
	if err != nil {
		s.t.Fatal(err)
	}
	defer db.Close()
	st := store.New(store.Config{Backend: db.Backend()})
	for i := range total {
		id := fmt.Sprintf("order-c%d", i)
		row, err := st.Row(s.t.Context(), id)
		if err != nil || row == nil {
			s.t.Errorf("%s: no row: %v", id, err)
			continue
		}
		h, err := st.Load(s.t.Context(), id, row.Incarnation, row.Generation)
		if err != nil {
			s.t.Fatal(err)
		}
		charged += s.checkHistory(id, h)
	}
	return charged
}

// checkHistory holds one history against the promises: one outcome for each operation, one charge for an order.
func (s *server) checkHistory(id string, h *store.History) (charges int) {
	asked, outcomes := map[string]string{}, map[string]int{}
	for _, seg := range h.Segments {
		for _, e := range seg.Events {
			switch e.Kind {
			case history.TaskScheduled:
				asked[e.Op] = e.Name
			case history.TaskCompleted, history.TaskFailed:
				outcomes[e.Op]++
				if asked[e.Op] == "ChargeCard" && e.Kind == history.TaskCompleted {
					charges++
				}
			}
		}
	}
	for op, name := range asked {
		if outcomes[op] != 1 {
			s.t.Errorf("%s: %s (operation %s) has %d outcomes", id, name, op, outcomes[op])
		}
	}
	if charges > 1 {
		s.t.Errorf("%s was charged %d times", id, charges)
	}
	return charges
}

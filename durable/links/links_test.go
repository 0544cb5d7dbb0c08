package links_test

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"html"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/durable-lambda/durable-lambda/durable"
	"github.com/durable-lambda/durable-lambda/durable/backend"
	"github.com/durable-lambda/durable-lambda/durable/durabletest"
	"github.com/durable-lambda/durable-lambda/durable/links"
)

type answer struct {
	Approved bool   `json:"approved"`
	Note     string `json:"note,omitempty"`
}

var (
	approval = durable.NewEvent[answer]("Approval")
	other    = durable.NewEvent[answer]("Other")
	ask      = durable.NewActivity[string, string]("Ask")
	collect  = durable.NewOrchestration[string, []answer]("Collect")
)

// client counts what is raised, and fails on demand.
type client struct {
	durable.Client
	raised atomic.Int32
	err    error
	meet   *sync.WaitGroup // all that raise wait for each other
}

func (c *client) Raise(ctx context.Context, req durable.EventRequest) error {
	c.raised.Add(1)
	if c.meet != nil {
		c.meet.Done()
		c.meet.Wait()
	}
	if c.err != nil {
		return c.err
	}
	return c.Client.Raise(ctx, req)
}

// table fails its puts on demand.
type table struct {
	backend.Table
	err error
}

func (t *table) Put(ctx context.Context, item backend.Item, cond backend.Condition) error {
	if t.err != nil {
		return t.err
	}
	return t.Table.Put(ctx, item, cond)
}

// hub has instances that collect answers for ten hours; each asks for its own with a link.
type hub struct {
	*durabletest.System
	t      *testing.T
	client *client
	table  *table
	ring   links.Ring
	links  *links.Links
	log    bytes.Buffer
	tries  int // attempts of the activity that fail after they have made their link
	made   []string
}

func newHub(t *testing.T) *hub {
	h := &hub{t: t, ring: links.Ring{Current: "a", Keys: map[string][]byte{"a": bytes.Repeat([]byte("k"), 32)}}}
	h.System = durabletest.New(t)
	h.client, h.table = &client{Client: h.Client}, &table{Table: h.Table}
	var mu sync.Mutex
	h.links = links.New(links.Config{
		Keys:    func(context.Context) (links.Ring, error) { return h.ring, nil },
		BaseURL: func(context.Context) (string, error) { return "https://hub.example/v1/", nil },
		Table:   h.table, Client: h.client, Now: h.Now, Log: slog.New(slog.NewTextHandler(locked{&mu, &h.log}, nil)),
	})
	h.Deploy("links", h.links.Handlers([]durable.Handler{
		ask.Bind(func(ctx context.Context, note string) (string, error) {
			link, err := links.URL(ctx, approval, durable.InstanceID(ctx), answer{true, note}, h.Now().Add(time.Hour))
			h.made = append(h.made, link)
			if h.tries--; h.tries >= 0 {
				err = errors.New("the mail does not go out")
			}
			return link, err
		}),
		collect.Bind(func(ctx durable.Context, note string) (all []answer, err error) {
			if _, err := durable.Go(ctx, func(ctx durable.Context) (string, error) {
				return ask.With(durable.Retry{Attempts: 3, Initial: time.Second}).Call(ctx, note)
			}).Await(); err != nil {
				return nil, err
			}
			for deadline := ctx.Now().Add(10 * time.Hour); ; {
				a, err := approval.Within(ctx, max(0, deadline.Sub(ctx.Now())))
				if errors.Is(err, durable.ErrTimeout) {
					return all, nil
				} else if err != nil {
					return nil, err
				}
				all = append(all, a)
			}
		}),
	})...)
	return h
}

type locked struct {
	mu *sync.Mutex
	w  io.Writer
}

func (l locked) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.w.Write(p)
}

// start runs an instance and returns the token of its link.
func (h *hub) start(id, note string) string {
	h.t.Helper()
	if _, err := collect.Submit(h.t.Context(), h.Client, note, durable.ID(id)); err != nil {
		h.t.Fatal(err)
	}
	h.Advance(time.Minute)
	token, ok := strings.CutPrefix(h.made[len(h.made)-1], "https://hub.example/v1/links/")
	if !ok {
		h.t.Fatalf("the link is %q", h.made[len(h.made)-1])
	}
	return token
}

// mint makes a link outside of an activity.
func (h *hub) mint(id string, note string, d time.Duration) string {
	h.t.Helper()
	link, err := links.URL(links.With(h.t.Context(), h.links), approval, id, answer{true, note}, h.Now().Add(d))
	if err != nil {
		h.t.Fatal(err)
	}
	return link[strings.LastIndexByte(link, '/')+1:]
}

func (h *hub) send(method, path, body string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	if method == http.MethodPost {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	w := httptest.NewRecorder()
	h.links.Handler().ServeHTTP(w, r)
	return w
}

func (h *hub) get(token string) *httptest.ResponseRecorder { return h.send("GET", "/links/"+token, "") }

func (h *hub) post(token string) *httptest.ResponseRecorder {
	return h.send("POST", "/links/use", url.Values{"token": {token}}.Encode())
}

// answers are what an instance was told in all, once it has ended.
func (h *hub) answers(id string) string {
	h.t.Helper()
	h.Advance(11 * time.Hour)
	in, err := h.Client.Get(h.t.Context(), id)
	if err != nil || in.Status != durable.Completed {
		h.t.Fatalf("instance %s: %s, %v, %s", id, in.Status, err, in.Output)
	}
	return string(in.Output)
}

func (h *hub) wants(w *httptest.ResponseRecorder, status int, text string) {
	h.t.Helper()
	if w.Code != status || !strings.Contains(w.Body.String(), text) {
		h.t.Errorf("answered %d, want %d with %q:\n%s", w.Code, status, text, w.Body)
	}
}

func TestALinkRaisesItsEventOnce(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	token := h.start("one", "fine")
	h.wants(h.get(token), 200, "fine")
	h.wants(h.post(token), 200, "Done")
	h.wants(h.post(token), 410, "used before")
	h.wants(h.get(token), 410, "used before")
	if n := h.client.raised.Load(); n != 1 {
		t.Errorf("it was raised %d times", n)
	}
	if got := h.answers("one"); got != `[{"approved":true,"note":"fine"}]` {
		t.Errorf("the instance was told %s", got)
	}
	log := h.log.String()
	if strings.Count(log, "msg=audit") != 2 || !strings.Contains(log, "outcome=raised") || !strings.Contains(log, "outcome=used") || !strings.Contains(log, "instance=one") {
		t.Errorf("the log is\n%s", log)
	}
	if strings.Contains(log, token) || strings.Contains(log, token[len(token)-40:]) || strings.Contains(log, "kkkk") {
		t.Errorf("the log has a link or a key:\n%s", log)
	}
}

func TestLookingChangesNothing(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	token := h.start("one", "")
	for _, method := range []string{"GET", "HEAD", "PUT", "DELETE", "OPTIONS", "PATCH"} {
		h.send(method, "/links/"+token, "")
		h.send(method, "/links/use?token="+token, "")
	}
	h.send("POST", "/links/"+token, "")
	h.send("POST", "/links/"+token, url.Values{"token": {token}}.Encode())
	h.send("POST", "/links/use?token="+token, "")
	if n := h.client.raised.Load(); n != 0 {
		t.Errorf("it was raised %d times", n)
	}
	if got := h.log.String(); strings.Contains(got, token) {
		t.Errorf("the log has the link:\n%s", got)
	}
	h.wants(h.post(token), 200, "Done")
}

func TestWhatIsNoLinkIsOneAndTheSamePage(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	right, wrong := h.start("one", ""), map[string]string{}
	h.start("two", "")
	flip := func(change func([]byte) []byte) string {
		raw, err := base64.RawURLEncoding.DecodeString(right)
		if err != nil {
			t.Fatal(err)
		}
		return base64.RawURLEncoding.EncodeToString(change(bytes.Clone(raw)))
	}
	replace := func(old, new string) string {
		return flip(func(b []byte) []byte {
			if !bytes.Contains(b, []byte(old)) {
				t.Fatalf("the token has no %q", old)
			}
			return bytes.Replace(b, []byte(old), []byte(new), 1)
		})
	}
	wrong["nothing"], wrong["no base64"], wrong["a word"] = "", "a.b~c", "use"
	wrong["another instance"] = replace("one", "two")
	wrong["an instance that is not there"] = replace("one", "six")
	wrong["another event"] = replace("Approval", "Dismissa")
	wrong["another payload"] = replace(`"approved":true`, `"approved":null`[:15])
	wrong["another key's name"] = replace("\x01a", "\x01b")
	wrong["no signature"] = flip(func(b []byte) []byte { return b[:len(b)-32] })
	wrong["cut"] = right[:len(right)-4]
	wrong["longer"] = right + "AAAA"
	wrong["huge"] = strings.Repeat("A", 7000)
	wrong["a huge right one"] = right + strings.Repeat("A", 70000)
	wrong["padded"] = right + "="                             // another spelling
	wrong["lengths that move"] = flip(func(b []byte) []byte { // "Approval" + "one" as "Approvalo" + "ne"
		i := bytes.Index(b, []byte("\x08Approval\x03one"))
		return append(append(b[:i:i], "\x09Approvalo\x02ne"...), b[i+13:]...)
	})
	for i := range len(right) * 3 / 4 {
		wrong[fmt.Sprintf("byte %d", i)] = flip(func(b []byte) []byte { b[i] ^= 1; return b })
	}
	wrong["a key that is not there, guessed to be zeros"] = flip(func(b []byte) []byte {
		b = bytes.Replace(b[:len(b)-32:len(b)-32], []byte("\x01a"), []byte("\x01z"), 1)
		mac := hmac.New(sha256.New, make([]byte, 32))
		mac.Write(append([]byte("durable/links/1\x00"), b...))
		return mac.Sum(b)
	})
	for note := range 3 { // of three lengths, some leave bits that mean nothing
		token := h.mint("one", strings.Repeat("x", note), time.Hour)
		raw, _ := base64.RawURLEncoding.DecodeString(token)
		for c := byte('0'); c <= 'z'; c++ {
			spelling := token[:len(token)-1] + string(c)
			if again, err := base64.RawURLEncoding.DecodeString(spelling); err == nil && spelling != token && bytes.Equal(raw, again) {
				wrong["another spelling "+spelling[len(spelling)-3:]] = spelling
			}
		}
	}
	foreign := newHub(t)
	foreign.ring.Keys["a"] = bytes.Repeat([]byte("x"), 32)
	wrong["another hub's"] = foreign.start("one", "")
	h.ring.Keys["b"], h.ring.Current = bytes.Repeat([]byte("n"), 32), "b"
	wrong["rotated away"] = h.mint("one", "", time.Hour)
	h.wants(h.get(wrong["rotated away"]), 200, "confirm")
	h.wants(h.get(right), 200, "confirm") // both keys are in the ring
	delete(h.ring.Keys, "b")
	h.ring.Current = "a"

	want := h.post("").Body.String()
	for name, token := range wrong {
		posted := h.post(token)
		if posted.Code != 404 || posted.Body.String() != want {
			t.Errorf("%s: POST: %d\n%s", name, posted.Code, posted.Body)
		}
		looked := h.send("GET", "/links/"+url.PathEscape(token), "")
		if looked.Code != 404 || looked.Body.String() != want {
			t.Errorf("%s: GET: %d\n%s", name, looked.Code, looked.Body)
		}
	}
	if n := h.client.raised.Load(); n != 0 {
		t.Errorf("it was raised %d times", n)
	}
	if got := h.answers("one"); got != "null" && got != "[]" {
		t.Errorf("the instance was told %s", got)
	}
}

func TestLinksThatAreOver(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	late := h.start("late", "")
	h.Advance(time.Hour)
	h.wants(h.get(late), 410, "expired")
	h.wants(h.post(late), 410, "expired")

	ended := h.mint("late", "", 100*time.Hour)
	h.Advance(10 * time.Hour)
	h.wants(h.get(ended), 410, "This is over")
	h.wants(h.post(ended), 410, "This is over")
	if _, err := collect.Submit(t.Context(), h.Client, "", durable.ID("late")); err != nil { // another life
		t.Fatal(err)
	}
	h.wants(h.get(ended), 410, "This is over")
	h.wants(h.post(ended), 410, "This is over")

	h.start("gone", "")
	gone := h.mint("gone", "", 100*time.Hour)
	h.Advance(10 * time.Hour)
	if err := h.Client.Purge(t.Context(), "gone"); err != nil {
		t.Fatal(err)
	}
	h.wants(h.post(gone), 410, "This is over")
	if n := h.client.raised.Load(); n != 0 {
		t.Errorf("it was raised %d times", n)
	}
}

func TestManyAtOnceRaiseOnce(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	token := h.start("one", "")
	var done atomic.Int32
	var wg sync.WaitGroup
	h.client.meet = new(sync.WaitGroup) // so that none sees the mark of another before it raises
	h.client.meet.Add(16)
	for range 16 {
		wg.Go(func() {
			switch w := h.post(token); w.Code {
			case 200:
				done.Add(1)
			case 410:
			default:
				t.Errorf("answered %d", w.Code)
			}
		})
	}
	wg.Wait()
	if done.Load() != 1 {
		t.Errorf("%d were told that it is done", done.Load())
	}
	if got := h.answers("one"); strings.Count(got, "approved") != 1 {
		t.Errorf("the instance was told %s", got)
	}
}

func TestACrashBetweenTheEventAndTheMark(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	token := h.start("one", "")
	h.table.err = errors.New("the table is away")
	h.wants(h.post(token), 503, "at the moment")
	h.Settle() // the instance has the event, and may have acted on it
	h.table.err = nil
	h.wants(h.post(token), 200, "Done")
	h.wants(h.post(token), 410, "used before")
	if got := h.answers("one"); strings.Count(got, "approved") != 1 {
		t.Errorf("the instance was told %s", got)
	}
}

func TestWhatCannotBeRaisedIsNotUsed(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	token := h.start("one", "")
	h.client.err = errors.New("the queue is away")
	h.wants(h.post(token), 503, "at the moment")
	h.client.err = nil
	h.wants(h.post(token), 200, "Done")
}

func TestAttemptsOfACallMakeOneLink(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	h.tries = 2
	h.start("one", "")
	if len(h.made) != 3 {
		t.Fatalf("there were %d attempts", len(h.made))
	}
	first, last := h.made[0], h.made[2]
	h.wants(h.post(first[strings.LastIndexByte(first, '/')+1:]), 200, "Done")
	h.wants(h.post(last[strings.LastIndexByte(last, '/')+1:]), 410, "used before")
	if h.mint("one", "", time.Hour) == h.mint("one", "", time.Hour) {
		t.Error("two links that no call has made are one")
	}
}

func TestThePage(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	const evil = `</dd><script>alert(1)</script>"'><img src=x>`
	id := `<b>"one"`
	token := h.start(id, evil)
	w := h.get(token)
	body := w.Body.String()
	h.wants(w, 200, html.EscapeString("<b>"))
	if strings.Contains(body, "<script") || strings.Contains(body, "<img") || strings.Contains(body, "<b>") || !strings.Contains(body, "yes") {
		t.Errorf("the page is\n%s", body)
	}
	style := regexp.MustCompile(`(?s)<style>(.*?)</style>`).FindStringSubmatch(body)
	if style == nil {
		t.Fatal("the page has no style")
	}
	hash := sha256.Sum256([]byte(style[1]))
	want := map[string]string{
		"Content-Security-Policy": "default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(hash[:]) +
			"'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
		"Referrer-Policy": "no-referrer", "Cache-Control": "no-store", "X-Content-Type-Options": "nosniff",
		"X-Robots-Tag": "noindex, nofollow", "Content-Type": "text/html; charset=utf-8",
	}
	for _, w := range []*httptest.ResponseRecorder{w, h.get("x"), h.post("x"), h.post(token), h.post(token)} {
		for name, value := range want {
			if got := w.Header().Get(name); got != value {
				t.Errorf("%d: %s is %q, want %q", w.Code, name, got, value)
			}
		}
	}
	form := regexp.MustCompile(`name="token" value="([^"]*)"`).FindStringSubmatch(body)
	if form == nil || form[1] != token || !strings.Contains(body, `<form method="post" action="use">`) {
		t.Errorf("the form is %q", form)
	}
}

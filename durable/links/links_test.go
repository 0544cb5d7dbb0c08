package links_test

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/durable-lambda/durable-lambda/durable"
	"github.com/durable-lambda/durable-lambda/durable/backend"
	"github.com/durable-lambda/durable-lambda/durable/durabletest"
	"github.com/durable-lambda/durable-lambda/durable/links"
)

func TestALinkApprovesOnceAndOnlyWhenItIsPosted(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.start("order-1001")
	u := s.link("mail 1", "order-1001", decision{Approved: true, By: "Ada"}, links.Title("Approve order 1001"))
	if !strings.HasPrefix(u, "https://shop.example.com/v1/links/") || len(u) > 400 {
		t.Errorf("the link is %s", u)
	}
	for _, method := range []string{"GET", "HEAD", "GET", "PUT", "DELETE", "OPTIONS"} {
		status, body, h := s.send(method, u)
		if n := s.events("order-1001"); n != 0 {
			t.Fatalf("%s has raised %d events", method, n)
		}
		if method == "GET" && (status != 200 || !strings.Contains(body, "<h1>Approve order 1001</h1>") || !strings.Contains(body, "<dt>approved</dt><dd>yes</dd>") ||
			!strings.Contains(body, `method="post"`) || !strings.Contains(body, "Nothing has happened yet")) {
			t.Errorf("the page is %d %s", status, body)
		}
		if method == "HEAD" && (status != 200 || body != "") || method == "PUT" && status != 405 {
			t.Errorf("%s is answered %d %s", method, status, body)
		}
		if method == "GET" && (!strings.HasPrefix(h.Get("Content-Security-Policy"), "default-src 'none'") || h.Get("Cache-Control") != "no-store" || h.Get("Referrer-Policy") != "no-referrer" ||
			h.Get("X-Content-Type-Options") != "nosniff" || !strings.Contains(h.Get("X-Robots-Tag"), "noindex")) {
			t.Errorf("the headers are %v", h)
		}
	}
	if status, body, _ := s.send("POST", u); status != 200 || !strings.Contains(body, "Done.") || s.events("order-1001") != 1 {
		t.Errorf("it is answered %d %s, with %d events", status, body, s.events("order-1001"))
	}
	for _, again := range []string{u, s.link("mail 1", "order-1001", decision{Approved: true, By: "Ada"})} { // another attempt has mailed it again
		for _, method := range []string{"GET", "POST"} {
			if status, body, _ := s.send(method, again); status != 410 || !strings.Contains(body, "used before") || s.events("order-1001") != 1 {
				t.Errorf("used before, %s is answered %d %s", method, status, body)
			}
		}
	}
	if status, _, _ := s.send("POST", s.link("mail 2", "order-1001", decision{Approved: true, By: "Ada"})); status != 200 || s.events("order-1001") != 2 {
		t.Errorf("the link of another call is answered %d", status)
	}
	if lines := s.log.String(); strings.Count(lines, `"outcome":"done"`) != 2 || strings.Count(lines, `"outcome":"used before"`) != 2 || !strings.Contains(lines, `"instance":"order-1001"`) ||
		strings.Contains(lines, u[len(u)-40:]) {
		t.Errorf("the audit lines are\n%s", lines)
	}
}

func TestALinkThatCouldNotBeMarkedIsFollowedAgainAndRaisesOneEvent(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.start("order-1")
	u := s.link("c", "order-1", decision{Approved: true})
	*s.failPut = true
	if status, body, h := s.send("POST", u); status != 503 || !strings.Contains(body, "try again") || h.Get("Retry-After") == "" {
		t.Errorf("it is answered %d %s", status, body)
	}
	*s.failPut = false
	if status, _, _ := s.send("POST", u); status != 200 || s.events("order-1") != 1 {
		t.Errorf("it is answered %d, and there are %d events", status, s.events("order-1"))
	}
}

func TestFollowedAtTheSameTimeItRaisesOneEvent(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.start("order-1")
	u := strings.TrimPrefix(s.link("c", "order-1", decision{Approved: true}), "https://shop.example.com/v1")
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() { s.l.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("POST", u, nil)) })
	}
	all.Wait()
	s.sys.Settle()
	if n := s.events("order-1"); n != 1 {
		t.Errorf("there are %d events", n)
	}
}

// TestWhatIsNoLinkOfOursIsAnsweredAlike tampers with a link in every way.
func TestWhatIsNoLinkOfOursIsAnsweredAlike(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.start("order-1")
	s.start("order-2")
	u := s.link("c", "order-1", decision{})
	cut := strings.LastIndexByte(u, '/') + 1
	token, err := base64.RawURLEncoding.DecodeString(u[cut:])
	if err != nil {
		t.Fatal(err)
	}
	bad := []string{"", "x", "..", "%2e%2e", url.PathEscape("../../etc/passwd"), "<script>", strings.Repeat("A", 100), strings.Repeat("A", 10_000), u[cut : len(u)-1], u[cut:] + "A", u[cut:] + "/", u[cut:] + "=",
		strings.ToUpper(u[cut:])}
	for i := range token { // each byte, the signature's as well
		b := bytes.Clone(token)
		b[i] ^= 1
		bad = append(bad, base64.RawURLEncoding.EncodeToString(b))
	}
	for n := range token {
		bad = append(bad, base64.RawURLEncoding.EncodeToString(token[:n]), base64.RawURLEncoding.EncodeToString(token[n:]))
	}
	for from, to := range map[string]string{"order-1": "order-2", "Approval": "Approvbl", `{"approved":false}`: `{"approved":true }`} {
		if !bytes.Contains(token, []byte(from)) {
			t.Fatalf("the token has no %s", from)
		}
		bad = append(bad, base64.RawURLEncoding.EncodeToString(bytes.Replace(token, []byte(from), []byte(to), 1)))
	}
	stranger := newSite(t)
	stranger.start("order-1")
	foreign := stranger.link("c", "order-1", decision{Approved: true})
	bad = append(bad, foreign[cut:]) // of another hub's key, which has the same name
	_, want, _ := s.send("GET", "/links/nothing")
	for _, tok := range bad {
		if tok == u[cut:] || base64.RawURLEncoding.EncodeToString(nil) == tok && tok == u[cut:] {
			continue
		}
		for _, method := range []string{"GET", "POST"} {
			r := httptest.NewRequest(method, "/links/", nil)
			r.URL.Path = "/links/" + tok
			w := httptest.NewRecorder()
			s.l.ServeHTTP(w, r)
			if w.Code != 404 || w.Body.String() != want {
				t.Fatalf("%s %.80q is answered %d %s", method, tok, w.Code, w.Body)
			}
		}
	}
	s.sys.Settle()
	if s.events("order-1")+s.events("order-2") > 0 || s.log.Len() > 0 {
		t.Errorf("something was raised, or written down:\n%s", s.log)
	}
}

func TestLinksThatAreOver(t *testing.T) {
	t.Parallel()
	follow := func(t *testing.T, s *site, u string, status int, says string) {
		t.Helper()
		for _, method := range []string{"GET", "POST"} {
			if got, body, _ := s.send(method, u); got != status || !strings.Contains(body, says) || strings.Contains(body, "<form") {
				t.Errorf("%s is answered %d %s, want %d and %q", method, got, body, status, says)
			}
		}
	}
	t.Run("expired", func(t *testing.T) {
		t.Parallel()
		s := newSite(t)
		s.start("order-1")
		u := s.link("c", "order-1", decision{Approved: true})
		s.sys.Advance(time.Hour)
		follow(t, s, u, 410, "has expired")
		if s.events("order-1") > 0 {
			t.Error("it was raised")
		}
	})
	t.Run("ended", func(t *testing.T) {
		t.Parallel()
		s := newSite(t)
		s.start("order-1")
		u, no := s.link("c", "order-1", decision{Approved: true}), s.link("c", "order-1", decision{})
		if status, _, _ := s.send("POST", no); status != 200 {
			t.Fatalf("it is answered %d", status)
		}
		follow(t, s, u, 410, "Nobody waits")
	})
	t.Run("another life of the instance", func(t *testing.T) {
		t.Parallel()
		s := newSite(t)
		s.start("order-1")
		u := s.link("c", "order-1", decision{Approved: true})
		s.send("POST", s.link("c", "order-1", decision{}))
		s.start("order-1")
		follow(t, s, u, 410, "Nobody waits")
		if s.events("order-1") > 0 {
			t.Error("the new one has got it")
		}
	})
	t.Run("purged", func(t *testing.T) {
		t.Parallel()
		s := newSite(t)
		s.start("order-1")
		u := s.link("c", "order-1", decision{Approved: true})
		s.send("POST", s.link("c", "order-1", decision{}))
		if err := s.sys.Client.Purge(t.Context(), "order-1"); err != nil {
			t.Fatal(err)
		}
		follow(t, s, u, 410, "Nobody waits")
	})
	t.Run("not now", func(t *testing.T) {
		t.Parallel()
		s := newSite(t)
		s.start("order-1")
		u := s.link("c", "order-1", decision{Approved: true})
		*s.fail = true
		follow(t, s, u, 503, "Nothing is lost")
		*s.fail = false
		if status, _, _ := s.send("POST", u); status != 200 || s.events("order-1") != 1 {
			t.Errorf("afterwards it is answered %d", status)
		}
	})
}

func TestKeysAreRotated(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.start("order-1")
	old := s.link("a", "order-1", decision{Approved: true})
	s.ring = links.Ring{Current: "new", Keys: map[string][]byte{"new": bytes.Repeat([]byte("k"), 32), s.ring.Current: s.ring.Keys[s.ring.Current]}}
	fresh := s.link("b", "order-1", decision{Approved: true})
	for _, u := range []string{old, fresh} {
		if status, _, _ := s.send("GET", u); status != 200 {
			t.Errorf("with both keys it is answered %d", status)
		}
	}
	delete(s.ring.Keys, durabletest.Epoch.UTC().Format("2006-01-02"))
	if status, _, _ := s.send("POST", old); status != 404 {
		t.Errorf("a link whose key is gone is answered %d", status)
	}
	if status, _, _ := s.send("POST", fresh); status != 200 {
		t.Errorf("a link of the new key is answered %d", status)
	}
}

func TestRings(t *testing.T) {
	t.Parallel()
	r := links.NewRing(time.Now())
	again, err := links.ParseRing(r.Encode())
	if err != nil || again.Current != r.Current || !bytes.Equal(again.Keys[r.Current], r.Keys[r.Current]) {
		t.Errorf("%v is read as %v, %v", r, again, err)
	}
	if bytes.Equal(r.Keys[r.Current], links.NewRing(time.Now()).Keys[r.Current]) {
		t.Error("two rings have the same key")
	}
	short := base64.StdEncoding.EncodeToString([]byte("a secret"))
	for _, text := range []string{"", "{}", `{"current":"a"}`, `{"current":"a","keys":{"a":"` + short + `"}}`, `{"current":"a","keys":{"a":"a secret"}}`} {
		if _, err := links.ParseRing([]byte(text)); err == nil || strings.Contains(err.Error(), "secret") || strings.Contains(err.Error(), short) {
			t.Errorf("%s: %v", text, err)
		}
	}
}

func TestLinksThatCannotBeMade(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.start("order-1")
	s.start("over")
	s.send("POST", s.link("c", "over", decision{}))
	now := s.sys.Now()
	for name, c := range map[string]struct {
		ctx     context.Context
		id      string
		v       decision
		expires time.Time
		opts    []links.Option
		want    error
	}{
		"no links":       {t.Context(), "order-1", decision{}, now.Add(time.Hour), nil, links.ErrNone},
		"too long":       {s.call("c"), "order-1", decision{By: strings.Repeat("x", 2048)}, now.Add(time.Hour), nil, durable.ErrInvalid},
		"a long title":   {s.call("c"), "order-1", decision{}, now.Add(time.Hour), []links.Option{links.Title(strings.Repeat("x", 201))}, durable.ErrInvalid},
		"over already":   {s.call("c"), "order-1", decision{}, now, nil, durable.ErrInvalid},
		"for ever":       {s.call("c"), "order-1", decision{}, now.Add(400 * 24 * time.Hour), nil, durable.ErrInvalid},
		"no time":        {s.call("c"), "order-1", decision{}, time.Time{}, nil, durable.ErrInvalid},
		"no instance":    {s.call("c"), "nobody", decision{}, now.Add(time.Hour), nil, durable.ErrNotFound},
		"ended":          {s.call("c"), "over", decision{}, now.Add(time.Hour), nil, durable.ErrEnded},
		"as long as can": {s.call("c"), "order-1", decision{By: strings.Repeat("x", 2000)}, now.Add(365 * 24 * time.Hour), []links.Option{links.Title(strings.Repeat("x", 200))}, nil},
	} {
		u, err := links.URL(c.ctx, approval, c.id, c.v, c.expires, c.opts...)
		if !errors.Is(err, c.want) || (err == nil) != (c.want == nil) {
			t.Errorf("%s: %v", name, err)
		}
		if err == nil {
			if status, _, _ := s.send("GET", u); status != 200 {
				t.Errorf("%s: %d bytes are answered %d", name, len(u), status)
			}
		}
	}
	if _, err := links.New(links.Config{}); err == nil {
		t.Error("links of nothing can be made")
	}
}

func TestPagesShowTextAsText(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.start("<b>1")
	u, err := links.URL(s.call("c"), other, "<b>1", decision{By: `"><script>alert(1)</script>`}, s.sys.Now().Add(time.Hour), links.Title("</h1><img src=x>"))
	if err != nil {
		t.Fatal(err)
	}
	if status, body, _ := s.send("GET", u); status != 200 || strings.Contains(body, "<script>") || strings.Contains(body, "<img") || strings.Contains(body, "<b>") {
		t.Errorf("the page is %d %s", status, body)
	}
}

// TestActivitiesFindTheLinks runs an activity that makes one, in a system of its own.
func TestActivitiesFindTheLinks(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.start("order-1")
	mails := durable.NewActivity[string, string]("Mails")
	asks := durable.NewOrchestration[string, string]("Asks")
	sys := durabletest.New(t, s.l.Handlers([]durable.Handler{
		mails.Bind(func(ctx context.Context, id string) (string, error) {
			return links.URL(ctx, approval, id, decision{Approved: true}, s.sys.Now().Add(time.Hour))
		}),
		asks.Bind(func(ctx durable.Context, id string) (string, error) { return mails.Call(ctx, id) }),
	})...)
	run, err := asks.Submit(t.Context(), sys.Client, "order-1")
	if err != nil {
		t.Fatal(err)
	}
	sys.Settle()
	u, err := run.Wait(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if status, _, _ := s.send("POST", u); status != 200 || s.events("order-1") != 1 {
		t.Errorf("%s is answered %d", u, status)
	}
}

func TestServedByAServer(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.start("order-1")
	mux := http.NewServeMux()
	mux.Handle(links.Path, s.l)
	server := httptest.NewServer(mux)
	defer server.Close()
	u := server.URL + strings.TrimPrefix(s.link("c", "order-1", decision{Approved: true}), "https://shop.example.com/v1")
	resp, err := http.Post(u, "application/x-www-form-urlencoded", strings.NewReader(""))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, _ := io.ReadAll(resp.Body)
	s.sys.Settle()
	if resp.StatusCode != 200 || s.events("order-1") != 1 {
		t.Errorf("it is answered %d %s", resp.StatusCode, body)
	}
}

// TestLinksOfAWeakKeyAreNotBelieved: a ring that did not come through ParseRing may have a key that everybody can guess.
func TestLinksOfAWeakKeyAreNotBelieved(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.start("order-1")
	u := s.link("c", "order-1", decision{Approved: true})
	good := s.ring
	for _, weak := range [][]byte{nil, {}, []byte("secret")} {
		token, err := base64.RawURLEncoding.DecodeString(u[strings.LastIndexByte(u, '/')+1:])
		if err != nil {
			t.Fatal(err)
		}
		said := token[:len(token)-sha256.Size]
		mac := hmac.New(sha256.New, weak)
		mac.Write(append([]byte("durable link\x00"), said...))
		forged := "/links/" + base64.RawURLEncoding.EncodeToString(mac.Sum(said))
		s.ring = links.Ring{Current: "new", Keys: map[string][]byte{"new": bytes.Repeat([]byte("k"), 32), good.Current: weak}}
		for _, method := range []string{"GET", "POST"} {
			if status, body, _ := s.send(method, forged); status != 503 || strings.Contains(body, "approved") || s.events("order-1") != 0 {
				t.Errorf("with the key %q %s is answered %d", weak, method, status)
			}
		}
	}
	if strings.Contains(s.log.String(), "secret") || !strings.Contains(s.log.String(), "at least 32") {
		t.Errorf("the log has %s", s.log)
	}
	s.ring = good
	if status, _, _ := s.send("GET", u); status != 200 {
		t.Errorf("with its own key the link is answered %d", status)
	}
}

// TestTheMarkOutlivesEveryLinkThatItIsFor: one that was made with the used one may be good for longer.
func TestTheMarkOutlivesEveryLinkThatItIsFor(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.start("order-1")
	first := s.link("c", "order-1", decision{Approved: true})
	last, err := links.URL(s.call("c"), approval, "order-1", decision{Approved: true}, s.sys.Now().Add(links.MaxLife))
	if err != nil {
		t.Fatal(err)
	}
	var mark backend.Item
	s.table.(flaky).puts(func(i backend.Item) { mark = i })
	if status, _, _ := s.send("POST", first); status != 200 {
		t.Fatalf("it is answered %d", status)
	}
	if status, _, _ := s.send("GET", last); status != 410 || mark.Expires.Before(s.sys.Now().Add(links.MaxLife)) {
		t.Errorf("the other link is answered %d, and the mark is gone by %v", status, mark.Expires)
	}
}

func TestARingShowsNoKey(t *testing.T) {
	t.Parallel()
	r := links.Ring{Current: "new", Keys: map[string][]byte{"new": []byte("a secret of thirty-two bytes, yes")}}
	var log bytes.Buffer
	for _, l := range []*slog.Logger{slog.New(slog.NewJSONHandler(&log, nil)), slog.New(slog.NewTextHandler(&log, nil))} {
		l.Info("it", "ring", r)
	}
	fmt.Fprintf(&log, "%v %+v %#v %s %x %v %+v", r, r, r, r, r, []links.Ring{r}, struct{ R links.Ring }{r})
	for _, key := range []string{"a secret", "YSBzZWNyZX", "97 32 115", "0x61, 0x20", "6120736563"} {
		if strings.Contains(log.String(), key) {
			t.Errorf("it shows %q: %s", key, log.String())
		}
	}
	if !strings.Contains(log.String(), "new") {
		t.Errorf("it does not say which it is: %s", log.String())
	}
}

package asynchttp_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/durable-lambda/durable-lambda/durable"
	"github.com/durable-lambda/durable-lambda/durable/durabletest"
	"github.com/durable-lambda/durable-lambda/examples/patterns/asynchttp"
)

// buy has one system render for another one, over HTTP. The clocks of both go on together, for half an hour.
func buy(t *testing.T, f asynchttp.Film) (in durable.Instance, answers []string) {
	t.Helper()
	server := durabletest.New(t, asynchttp.Render.Bind(asynchttp.Serve),
		asynchttp.RenderMinute.Bind(func(_ context.Context, n int) (none durable.None, err error) {
			if n == 13 {
				err = errors.New("the reel is torn")
			}
			return none, err
		}))
	h, err := asynchttp.Handler(server.Client)
	if err != nil {
		t.Fatal(err)
	}
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		rec := httptest.NewRecorder()
		h.ServeHTTP(rec, r)
		answers = append(answers, r.Method+" "+http.StatusText(rec.Code)+" "+rec.Header().Get("Retry-After"))
		for k, v := range rec.Header() {
			w.Header()[k] = v
		}
		w.WriteHeader(rec.Code)
		_, _ = w.Write(rec.Body.Bytes())
	}))
	defer web.Close()

	caller := durabletest.New(t, asynchttp.Buy.Bind(asynchttp.Call))
	run, err := asynchttp.Buy.Submit(t.Context(), caller.Client, asynchttp.Order{Server: web.URL, Film: f})
	if err != nil {
		t.Fatal(err)
	}
	for range 30 {
		server.Advance(time.Minute)
		caller.Advance(time.Minute)
	}
	if in, err = run.Status(t.Context()); err != nil {
		t.Fatal(err)
	}
	return in, answers
}

func TestTheCallerAsksUntilTheFilmIsThere(t *testing.T) {
	t.Parallel()
	in, answers := buy(t, asynchttp.Film{Name: "Jaws", Minutes: 2})
	if in.Status != durable.Completed || string(in.Output) != `"Jaws.mp4"` {
		t.Errorf("%s: %s", in.Status, in.Output)
	}
	if answers[0] != "POST Accepted 10" || answers[len(answers)-1] != "GET OK " || slices.Index(answers, "GET Accepted 5") != 1 {
		t.Errorf("the server answered %q", answers)
	}
	if n := len(answers); n < 20 || n > 40 {
		t.Errorf("the server was asked %d times in two minutes", n)
	}
}

func TestTheCallerLearnsThatItWillNeverBe(t *testing.T) {
	t.Parallel()
	in, _ := buy(t, asynchttp.Film{Name: "Rain", Minutes: 20})
	if in.Status != durable.Failed || !strings.Contains(string(in.Output), "the reel is torn") {
		t.Errorf("%s: %s", in.Status, in.Output)
	}
	in, answers := buy(t, asynchttp.Film{Name: "a/b", Minutes: 1})
	if in.Status != durable.Failed || !slices.Equal(answers, []string{"POST Bad Request "}) {
		t.Errorf("%s: %s, after %q", in.Status, in.Output, answers)
	}
}

func TestTheSameRequestAgainFindsTheSameWork(t *testing.T) {
	t.Parallel()
	sys := durabletest.New(t, asynchttp.Render.Bind(asynchttp.Serve))
	h, err := asynchttp.Handler(sys.Client)
	if err != nil {
		t.Fatal(err)
	}
	post := func(body string) *http.Response {
		rec := httptest.NewRecorder()
		h.ServeHTTP(rec, httptest.NewRequest("POST", "http://films.example/films", strings.NewReader(body)))
		return rec.Result()
	}
	first, again := post(`{"name":"Jaws","minutes":2}`), post(`{"name":"Jaws","minutes":2}`)
	if first.StatusCode != 202 || again.StatusCode != 202 || first.Header.Get("Location") == "" || first.Header.Get("Location") != again.Header.Get("Location") {
		t.Errorf("%v, and again %v", first, again)
	}
	if other := post(`{"name":"Jaws","minutes":3}`); other.StatusCode != http.StatusConflict {
		t.Errorf("another film of the same name: %v", other.Status)
	}
}

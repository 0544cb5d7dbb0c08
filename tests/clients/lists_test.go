//go:build clients

package clients_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/durable-lambda/durable-lambda/durable/access"
	"github.com/durable-lambda/durable-lambda/durable/dev"
)

// pageSize is how many instances a list has that does not say how many: the clients cannot say.
const pageSize = 100

func ids(list any) (out []string) {
	for _, v := range list.([]any) {
		out = append(out, v.(map[string]any)["id"].(string))
	}
	slices.Sort(out)
	return out
}

func ago(d time.Duration) string {
	return time.Now().UTC().Add(-d).Format("2006-01-02T15:04:05.000+00:00")
}

// some starts two instances that end and one that does not.
func some(s session) {
	s.ended("a-1")
	s.until(s.start("Brittle", args{"id": "a-2"}), "Failed")
	s.listens("b-1")
}

var lists = []scene{
	{name: "a list of nothing", do: func(s session) {
		s.same("the list", s.do("list", nil), []any{})
	}},
	{name: "a list", do: func(s session) {
		some(s)
		s.same("the list", ids(s.do("list", nil)), []string{"a-1", "a-2", "b-1"})
	}},
	{name: "a list by status", do: func(s session) {
		some(s)
		s.same("one", ids(s.do("listBy", args{"statuses": []string{"Failed"}})), []string{"a-2"})
		s.same("two", ids(s.do("listBy", args{"statuses": []string{"Running", "Completed"}})), []string{"a-1", "b-1"})
	}},
	{name: "a list by time", do: func(s session) {
		some(s)
		s.same("since", ids(s.do("listBy", args{"from": ago(time.Hour)})), []string{"a-1", "a-2", "b-1"})
		s.same("until", s.do("listBy", args{"to": ago(time.Hour)}), []any{})
		s.same("within", ids(s.do("listBy", args{"from": ago(time.Hour), "to": ago(-time.Hour), "statuses": []string{"Running"}})), []string{"b-1"})
	}},
	{name: "a list by the beginning of ids", only: "python", do: func(s session) {
		some(s)
		s.same("the list", ids(s.do("listBy", args{"prefix": "a-"})), []string{"a-1", "a-2"})
	}},
	{name: "more than a page", do: func(s session) {
		var want []string
		for n := range pageSize + 5 {
			id := fmt.Sprintf("i-%03d", n)
			want = append(want, s.start("Which", args{"id": id}))
		}
		got := ids(s.do("list", nil))
		if s.python() { // this client reads no more than one
			if len(got) != pageSize {
				s.Errorf("there are %d, want %d", len(got), pageSize)
			}
			return
		}
		s.same("the list", got, want)
	}},
	{name: "a purge of many", do: func(s session) {
		some(s)
		s.same("before", s.do("purgeBy", args{"from": ago(2 * time.Hour), "to": ago(time.Hour)}), 0)
		s.same("by status", s.do("purgeBy", args{"from": ago(time.Hour), "statuses": []string{"Failed"}}), 1)
		s.same("what has not ended", s.do("purgeBy", args{"from": ago(time.Hour), "statuses": []string{"Running"}}), 0)
		s.same("all that have ended", s.do("purgeBy", args{"from": ago(time.Hour)}), 1)
		s.same("what is left", ids(s.do("list", nil)), []string{"b-1"})
	}},
}

// The clients cannot sign, but they can send a key.
func TestKeys(t *testing.T) {
	t.Parallel()
	for _, k := range kinds {
		t.Run(k.name, func(t *testing.T) {
			t.Parallel()
			s := session{t, k.start(t), serve(t, func(c *dev.Config) { c.Keys = true })}
			s.open(binding(t, s.hub.origin, nil))
			s.refused("start", args{"name": "Echo"}, "key")
			key := s.hub.key(t, access.All)
			if k.byLinks {
				s.open(binding(t, s.hub.origin, map[string][]string{"code": {key}}))
			} else {
				s.open(binding(t, "http://:"+key+"@"+s.hub.origin[len("http://"):], nil))
			}
			s.until(s.start("Echo", nil), "Completed")
			if code, _ := s.follow("GET", s.do("links", args{"id": "x"}).(map[string]any)["statusQueryGetUri"], ""); (code == 401) == k.byLinks {
				t.Errorf("a link is answered with %d; only those of a binding with a code have one", code)
			}
		})
	}
}

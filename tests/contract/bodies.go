package contract

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
)

// continuation is the header of a page that has another one after it, and of the request for that.
const continuation = "X-Ms-Continuation-Token"

// contains wants a member of the body's object, and this in it.
func contains(member, text string) check {
	return func(a answer) error {
		_, values, err := object(a.body)
		if err != nil {
			return err
		}
		if !strings.Contains(string(values[member]), text) {
			return fmt.Errorf("%s is %s; want %s in it", member, values[member], text)
		}
		return nil
	}
}

// with wants the body to have this text, without not to have it.
func with(text string) check {
	return func(a answer) error {
		if !strings.Contains(string(a.body), text) {
			return fmt.Errorf("want %s in it", text)
		}
		return nil
	}
}

func without(text string) check {
	return func(a answer) error {
		if strings.Contains(string(a.body), text) {
			return fmt.Errorf("want no %s in it", text)
		}
		return nil
	}
}

// another wants an instance that is not {id}.
func another(a answer) error {
	var got struct{ ID string }
	if err := a.read(&got); err != nil || got.ID == "" || got.ID == a.id {
		return fmt.Errorf("it is about %q, %v; want another than %s", got.ID, err, a.id)
	}
	return nil
}

// listed are the ids of a list of status objects.
func listed(body []byte) ([]string, error) {
	var all []json.RawMessage
	if err := json.Unmarshal(body, &all); err != nil {
		return nil, err
	}
	var ids []string
	for _, one := range all {
		if err := isStatus(one); err != nil {
			return nil, err
		}
		var in struct{ InstanceID string }
		if err := json.Unmarshal(one, &in); err != nil {
			return nil, err
		}
		ids = append(ids, in.InstanceID)
	}
	slices.Sort(ids)
	return ids, nil
}

// ids wants a list of these instances, in any order.
func ids(want ...string) check {
	return func(a answer) error {
		got, err := listed(a.body)
		return a.same(got, want, err)
	}
}

func (a answer) same(got, want []string, err error) error {
	if err != nil {
		return err
	}
	want = strings.Split(a.vars.Replace(strings.Join(want, "\n")), "\n")
	if !slices.Equal(got, want) {
		return fmt.Errorf("it lists %v, want %v", got, want)
	}
	return nil
}

// pages wants a list that does not end with its first page, and these instances in all pages together.
func pages(want ...string) check {
	return func(a answer) error {
		got, err := listed(a.body)
		if err != nil {
			return err
		}
		if len(got) >= len(want) || a.Header.Get(continuation) == "" {
			return fmt.Errorf("it has %d of %d instances, and the token %q", len(got), len(want), a.Header.Get(continuation))
		}
		for token := a.Header.Get(continuation); token != ""; {
			next, err := http.NewRequestWithContext(a.run.ctx, http.MethodGet, a.Request.URL.String(), nil)
			if err != nil {
				return err
			}
			next.Header.Set(continuation, token)
			page, err := a.run.do(next, a.vars)
			if err != nil {
				return err
			}
			more, err := listed(page.body)
			if err != nil || page.StatusCode != http.StatusOK {
				return fmt.Errorf("the next page is %d %s, %w", page.StatusCode, page.body, err)
			}
			got, token = append(got, more...), page.Header.Get(continuation)
			if len(got) > len(want) {
				break
			}
		}
		slices.Sort(got)
		return a.same(got, want, nil)
	}
}

// shown is an event of a history.
type shown map[string]json.RawMessage

func (a answer) history() (events []shown, err error) {
	var in struct{ HistoryEvents []shown }
	if err = a.read(&in); err == nil && in.HistoryEvents == nil {
		err = fmt.Errorf("it has no history")
	}
	return in.HistoryEvents, err
}

// history wants exactly these events, each with its time.
func history(want ...string) check {
	return func(a answer) error {
		events, err := a.history()
		if err != nil {
			return err
		}
		var got []string
		for _, e := range events {
			if len(e["Timestamp"]) == 0 {
				return fmt.Errorf("an event has no Timestamp")
			}
			got = append(got, strings.Trim(string(e["EventType"]), `"`))
		}
		return a.same(got, want, nil)
	}
}

// eventsLack wants a history whose events do not have the member.
func eventsLack(member string) check {
	return func(a answer) error {
		events, err := a.history()
		if err != nil {
			return err
		}
		for _, e := range events {
			if e[member] != nil {
				return fmt.Errorf("%s has %s %s", e["EventType"], member, e[member])
			}
		}
		return nil
	}
}

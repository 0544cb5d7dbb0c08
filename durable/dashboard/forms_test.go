package dashboard_test

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/durable-lambda/durable-lambda/durable"
	"github.com/google/go-cmp/cmp"
)

func TestFormsReachTheClient(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		verb     string
		form     url.Values
		events   []durable.EventRequest
		commands []durable.ManageRequest
		done     string
	}{
		{verb: "raise", form: url.Values{"event": {" Approval "}, "data": {` {"ok": true} `}},
			events: []durable.EventRequest{{Instance: "x", Name: "Approval", Data: json.RawMessage(`{"ok": true}`)}},
			done:   "The event is on its way to the instance."},
		{verb: "raise", form: url.Values{"event": {"Approval"}, "data": {""}},
			events: []durable.EventRequest{{Instance: "x", Name: "Approval", Data: json.RawMessage{}}},
			done:   "The event is on its way to the instance."},
		{verb: "terminate", form: url.Values{"reason": {"out of stock"}},
			commands: []durable.ManageRequest{{Instance: "x", Command: durable.Terminate, Reason: "out of stock"}},
			done:     "The instance is asked to terminate."},
		{verb: "suspend", commands: []durable.ManageRequest{{Instance: "x", Command: durable.Suspend}}, done: "The instance is asked to suspend."},
		{verb: "resume", commands: []durable.ManageRequest{{Instance: "x", Command: durable.Resume}}, done: "The instance is asked to resume."},
		{verb: "rewind", commands: []durable.ManageRequest{{Instance: "x", Command: durable.Rewind}}, done: "The instance is asked to run again what failed."},
	} {
		t.Run(tc.verb, func(t *testing.T) {
			t.Parallel()
			f := &fake{instances: []durable.Instance{instance("x", durable.Running)}}
			page := post(t, f, "/i/x/"+tc.verb, tc.form)
			if page.code != http.StatusSeeOther || page.location != "/i/x?done="+tc.verb {
				t.Errorf("status %d to %q, want 303 back to the instance", page.code, page.location)
			}
			if diff := cmp.Diff(tc.events, f.events); diff != "" {
				t.Errorf("events (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(tc.commands, f.commands); diff != "" {
				t.Errorf("commands (-want +got):\n%s", diff)
			}
			get(t, f, page.location).check(t, http.StatusOK, tc.done)
		})
	}
}

func TestFormsAreRefusedInSentences(t *testing.T) {
	t.Parallel()
	raise := url.Values{"event": {"Approval"}, "data": {"1"}}
	for _, tc := range []struct {
		rule, target string
		form         url.Values
		err          error
		code         int
		want         string
	}{
		{"an event without a name", "/i/x/raise", url.Values{"data": {"1"}}, nil, 400, "Name the event that is to be raised."},
		{"data that is not JSON", "/i/x/raise", url.Values{"event": {"Approval"}, "data": {"yes"}}, nil, 400, "The data is not valid JSON."},
		{"ended", "/i/x/raise", raise, durable.ErrEnded, 410, "Nothing was done: the instance has ended."},
		{"suspended already", "/i/x/suspend", nil, durable.ErrSuspended, 409, "Nothing was done: the instance is suspended already."},
		{"not suspended", "/i/x/resume", nil, durable.ErrNotSuspended, 409, "Nothing was done: the instance is not suspended."},
		{"not failed", "/i/x/rewind", nil, durable.ErrNotFailed, 409, "Nothing was done: the instance has not failed."},
		{"invalid", "/i/x/raise", raise, errors.Join(durable.ErrInvalid, errors.New("the name is too long")), 400, "the name is too long."},
		{"a backend that fails", "/i/x/terminate", nil, errors.New("send: throttled"), 500, "It is not known whether anything was done: the backend says: send: throttled."},
		{"unknown", "/i/y/terminate", nil, durable.ErrNotFound, 404, "there is no instance with this id."},
		{"a form over 16 MiB", "/i/x/raise", url.Values{"data": {strings.Repeat("x", 16<<20)}}, nil, 413, "The form is too large"},
	} {
		t.Run(tc.rule, func(t *testing.T) {
			t.Parallel()
			f := &fake{instances: []durable.Instance{instance("x", durable.Running)}, err: tc.err}
			post(t, f, tc.target, tc.form).check(t, tc.code, tc.want)
		})
	}
}

func TestPurge(t *testing.T) {
	t.Parallel()
	sure := url.Values{"sure": {"yes"}}
	for _, tc := range []struct {
		rule   string
		form   url.Values
		err    error
		code   int
		want   string
		purged []string
	}{
		{"sure", sure, nil, 303, "", []string{"x"}},
		{"not sure", nil, nil, 400, "Nothing was done: tick the box", nil},
		{"not ended", sure, durable.ErrNotEnded, 409, "Nothing was done: the instance has not ended. Terminate it first.", []string{"x"}},
		{"a backend that fails", sure, errors.New("delete: throttled"), 500, "Part of it may be gone: the backend says: delete: throttled. Purge it again.", []string{"x"}},
	} {
		t.Run(tc.rule, func(t *testing.T) {
			t.Parallel()
			f := &fake{instances: []durable.Instance{instance("x", durable.Completed)}, err: tc.err}
			page := post(t, f, "/i/x/purge", tc.form)
			page.check(t, tc.code, tc.want)
			if diff := cmp.Diff(tc.purged, f.purged); diff != "" {
				t.Errorf("purged (-want +got):\n%s", diff)
			}
			if tc.code == http.StatusSeeOther {
				if page.location != "/?done=purge" {
					t.Errorf("it goes on to %q, want the list", page.location)
				}
				get(t, f, page.location).check(t, http.StatusOK, "The instance is purged: nothing of it is left.")
			}
		})
	}
}

func TestOnlyWhatHasEndedIsOfferedToPurgeAndOnlyWhatHasFailedToRewind(t *testing.T) {
	t.Parallel()
	for status, offered := range map[durable.Status]bool{durable.Pending: false, durable.Running: false, durable.Suspended: false,
		durable.Completed: true, durable.Failed: true, durable.Terminated: true} {
		page := get(t, &fake{instances: []durable.Instance{instance("x", status)}}, "/i/x")
		forms := page.find(`action="/i/x/([^"]*)"`)
		ended := []string{"purge"}
		if status == durable.Failed {
			ended = []string{"rewind", "purge"}
		}
		if got := cmp.Equal(forms, ended); got != offered || !offered && len(forms) != 3 {
			t.Errorf("of an instance that is %s the forms are %q", status, forms)
		}
		if offered && len(page.find(`<input type="checkbox" name="sure" value="yes" (required)>`)) != 1 {
			t.Errorf("nothing asks whether %s is to be gone:\n%s", status, page.html)
		}
	}
	if page := get(t, &fake{}, "/"); strings.Contains(page.text, "purged") {
		t.Errorf("the list says that something is purged:\n%s", page.text)
	}
}

func TestARefusedEventIsFilledInAgain(t *testing.T) {
	t.Parallel()
	f := &fake{instances: []durable.Instance{instance("x", durable.Running)}}
	page := post(t, f, "/i/x/raise", url.Values{"event": {"Approval"}, "data": {"<yes>"}})
	if name, data := page.find(`name="event" value="([^"]*)"`), page.find(`<textarea[^>]*>([^<]*)<`); !cmp.Equal(name, []string{"Approval"}) || !cmp.Equal(data, []string{"<yes>"}) {
		t.Errorf("the form has %q and %q", name, data)
	}
	if got, want := page.find(`<a href="([^"]*)">Follow`), []string{"/i/x?follow=1"}; !cmp.Equal(got, want) {
		t.Errorf("the page that follows is %q, want %q, which can be got", got, want)
	}
}

func TestFormsOfOtherSitesAreRefused(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		rule    string
		headers []string
		ok      bool
	}{
		{"another site", []string{"Sec-Fetch-Site", "cross-site"}, false},
		{"another port of this host", []string{"Sec-Fetch-Site", "same-site"}, false},
		{"another origin, from an old browser", []string{"Origin", "http://evil.example"}, false},
		{"no origin", []string{"Origin", "null"}, false},
		{"the dashboard itself", []string{"Sec-Fetch-Site", "same-origin"}, true},
		{"the dashboard itself, from an old browser", []string{"Origin", "http://example.com"}, true},
		{"no browser", nil, true},
	} {
		t.Run(tc.rule, func(t *testing.T) {
			t.Parallel()
			f := &fake{instances: []durable.Instance{instance("x", durable.Running)}}
			page := post(t, f, "/i/x/terminate", url.Values{"reason": {"x"}}, tc.headers...)
			if tc.ok != (page.code == http.StatusSeeOther) || tc.ok != (len(f.commands) == 1) {
				t.Errorf("status %d and %v", page.code, f.commands)
			}
			if !tc.ok {
				page.check(t, http.StatusForbidden, "This form was sent by another site, so nothing was done.")
			}
		})
	}
}

func TestPagesMayNotBeFramedNorRunScripts(t *testing.T) {
	t.Parallel()
	w := httptest.NewRecorder()
	newDashboard(&fake{}).ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/", nil))
	policy := w.Header().Get("Content-Security-Policy")
	for _, want := range []string{"default-src 'none'", "frame-ancestors 'none'", "form-action 'self'"} {
		if !strings.Contains(policy, want) {
			t.Errorf("the policy %q lacks %q", policy, want)
		}
	}
}

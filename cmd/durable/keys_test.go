package main

import (
	"strings"
	"testing"
	"time"

	"github.com/durable-lambda/durable-lambda/durable/access"
	"github.com/durable-lambda/durable-lambda/durable/backend/pebble"
)

func TestWhatAKeyIsGoodFor(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)
	for want, k := range map[string]access.Key{
		"may read, operate":                                    {May: access.Read | access.Operate},
		"may administer, until 2026-05-02 12:00:00Z":           {May: access.Administer, Expires: now.Add(24 * time.Hour)},
		"may read, operate, administer, and expired 1d 1h ago": {May: access.All, Expires: now.Add(-25 * time.Hour)},
	} {
		if got := good(k, now); got != want {
			t.Errorf("it is %q, want %q", got, want)
		}
	}
}

// TestKeysOfAHub makes, lists and takes back keys of a data folder as somebody at a terminal does.
func TestKeysOfAHub(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	db, err := pebble.Open(data, pebble.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		args   []string
		status int
		says   string
	}{
		{[]string{"list"}, 0, "0 keys"},
		{[]string{"add", "shop", "--may", "read,operate", "--expires", "24h"}, 0, "shown only now"},
		{[]string{"add", "on call", "--may", "all"}, 0, "may read, operate, administer"},
		{[]string{"add", "shop", "--may", "read"}, 2, "already"},
		{[]string{"add", "x", "--may", "root"}, 2, "must be one of"},
		{[]string{"add", "x"}, 2, "--may"},
		{[]string{"add", "x", "--may", "read", "--expires=-1h"}, 2, "to come"},
		{[]string{"list"}, 0, "2 keys"},
		{[]string{"remove", "shop"}, 0, "within a minute"},
		{[]string{"remove", "shop"}, 2, "keys list"},
		{[]string{"list"}, 0, "1 key\n"},
	} {
		out, errs, status := run(t, append(append([]string{"keys"}, c.args...), "--data", data)...)
		if status != c.status || !strings.Contains(out+errs, c.says) {
			t.Errorf("keys %v: status %d, it says\n%s%s", c.args, status, out, errs)
		}
	}
}

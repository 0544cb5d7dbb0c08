package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/durable-lambda/durable-lambda/durable/access"
	"github.com/durable-lambda/durable-lambda/durable/doctor"
)

type keysCommand struct {
	Add    keysAdd    `cmd:"" help:"Make a key, and print it: it is shown only now."`
	List   keysList   `cmd:"" help:"List the keys: their names, what they are good for, and until when."`
	Remove keysRemove `cmd:"" help:"Take a key back: within a minute it is not good any more."`
}

func (keysCommand) Help() string {
	return "Keys are for clients that cannot sign requests, where the hub asks for keys: deployed with ApiKeys=true. The hub keeps their hashes only. " +
		"To rotate one, add another, have the client use it, and remove the old one."
}

// stored is where a hub has its keys.
func stored(c doctor.Config) access.Stored { return access.Stored{Table: c.Store.Backend().Table} }

type keysAdd struct {
	hubFlags `embed:""`
	Name     string        `arg:"" help:"Who uses it: shown in lists and in audit lines."`
	May      []string      `required:"" enum:"read,operate,administer,all" help:"What it is good for: read (see instances), operate (start, raise, terminate, suspend, resume, restart), administer (rewind, reset, purge), or all." placeholder:"PERMISSION"`
	Expires  time.Duration `help:"For how long it is good, such as 2160h for 90 days; for ever without it." placeholder:"2160h"`
}

// Run makes a key.
func (a *keysAdd) Run() error {
	return a.onHub(func(ctx context.Context, c doctor.Config, t *terminal) error {
		may, err := access.Parse(a.May...)
		switch {
		case err != nil:
			return err
		case a.Expires < 0:
			return fmt.Errorf("--expires is %v: it must be a time to come, such as 2160h", a.Expires)
		}
		var expires time.Time
		if a.Expires != 0 {
			expires = c.Store.Now().Add(a.Expires).UTC().Truncate(time.Second)
		}
		text, key, err := access.NewKey(a.Name, may, expires)
		if err != nil {
			return err
		}
		if err := stored(c).Edit(ctx, func(f *access.File) error { return f.Add(key) }); err != nil {
			return err
		}
		t.line(0, span{bold, text})
		t.line(0, span{faint, "It is shown only now. Send it as the header x-functions-key. It "}, span{plain, good(key, c.Store.Now())})
		return nil
	})
}

// good says what a key is good for, and for how long.
func good(k access.Key, now time.Time) string {
	text := "may " + strings.ReplaceAll(k.May.String(), ",", ", ")
	switch {
	case k.Expires.IsZero():
		return text
	case k.Expires.After(now):
		return text + ", until " + k.Expires.UTC().Format("2006-01-02 15:04:05Z")
	}
	return text + ", and expired " + ago(now.Sub(k.Expires)) + " ago"
}

type keysList struct {
	hubFlags `embed:""`
}

// Run lists the keys.
func (l *keysList) Run() error {
	return l.onHub(func(ctx context.Context, c doctor.Config, t *terminal) error {
		f, err := stored(c).Read(ctx)
		if err != nil {
			return err
		}
		for _, k := range f.Keys {
			color := plain
			if !k.Expires.IsZero() && !k.Expires.After(c.Store.Now()) {
				color = red
			}
			t.line(2, span{bold, k.Name}, span{color, " " + good(k, c.Store.Now())}, span{faint, ", hash " + k.Hash[:8] + "…"})
		}
		t.line(0, span{plain, count(len(f.Keys), "key")})
		return nil
	})
}

type keysRemove struct {
	hubFlags `embed:""`
	Name     string `arg:"" help:"As it is listed."`
}

// Run takes a key back.
func (r *keysRemove) Run() error {
	return r.onHub(func(ctx context.Context, c doctor.Config, t *terminal) error {
		if err := stored(c).Edit(ctx, func(f *access.File) error { return f.Remove(r.Name) }); err != nil {
			return fmt.Errorf("%w; durable keys list shows those that there are", err)
		}
		t.line(0, span{green, "✓ "}, span{plain, "the key "}, span{bold, r.Name}, span{plain, " is not good any more, within a minute"})
		return nil
	})
}

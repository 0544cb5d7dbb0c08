package access_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/durable-lambda/durable-lambda/durable/access"
	"github.com/durable-lambda/durable-lambda/durable/backend/memory"
)

// made makes a key and a file with it.
func made(t *testing.T, may access.Permission, expires time.Time) (string, access.File) {
	t.Helper()
	text, k, err := access.NewKey("shop", may, expires)
	if err != nil {
		t.Fatal(err)
	}
	var f access.File
	if err := f.Add(k); err != nil {
		t.Fatal(err)
	}
	return text, f
}

func request(edit func(*http.Request)) *http.Request {
	r := httptest.NewRequest("GET", "/instances?top=1", nil)
	edit(r)
	return r
}

func TestKeysAreFoundWhereClientsPutThem(t *testing.T) {
	t.Parallel()
	key, f := made(t, access.Read|access.Operate, time.Time{})
	keys := access.NewKeys(func(context.Context) (access.File, error) { return f, nil })
	for name, c := range map[string]struct {
		edit func(*http.Request)
		good bool
	}{
		"none":                           {func(*http.Request) {}, false},
		"header":                         {func(r *http.Request) { r.Header.Set("X-Functions-Key", key) }, true},
		"code":                           {func(r *http.Request) { r.URL.RawQuery += "&code=" + key }, true},
		"code in any case":               {func(r *http.Request) { r.URL.RawQuery = "CODE=" + key + "&top=1" }, true},
		"code, escaped":                  {func(r *http.Request) { r.URL.RawQuery = "c%6fde=" + strings.Replace(key, "_", "%5f", 1) }, true},
		"password":                       {func(r *http.Request) { r.SetBasicAuth("anybody", key) }, true},
		"user":                           {func(r *http.Request) { r.SetBasicAuth(key, "") }, false},
		"bearer":                         {func(r *http.Request) { r.Header.Set("Authorization", "bearer "+key) }, true},
		"another scheme":                 {func(r *http.Request) { r.Header.Set("Authorization", "Digest "+key) }, false},
		"wrong":                          {func(r *http.Request) { r.Header.Set("X-Functions-Key", key+"x") }, false},
		"the hash":                       {func(r *http.Request) { r.Header.Set("X-Functions-Key", f.Keys[0].Hash) }, false},
		"empty":                          {func(r *http.Request) { r.URL.RawQuery = "code=" }, false},
		"wrong, and good somewhere else": {func(r *http.Request) { r.Header.Set("X-Functions-Key", "x"); r.URL.RawQuery = "code=" + key }, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			caller, err := keys.Caller(request(c.edit))
			if good := err == nil; good != c.good {
				t.Fatalf("it is %v, %v", caller, err)
			}
			if c.good && (caller.Name != "shop" || caller.May != access.Read|access.Operate) {
				t.Errorf("it is %v", caller)
			}
			if !c.good && !errors.Is(err, access.ErrUnknown) {
				t.Errorf("it says why: %v", err)
			}
		})
	}
}

func TestKeysExpireAndAreTakenBack(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		key, f := made(t, access.All, time.Now().Add(time.Hour))
		reads := 0
		var broken error
		keys := access.NewKeys(func(context.Context) (access.File, error) { reads++; return f, broken })
		good := func() bool {
			_, err := keys.Caller(request(func(r *http.Request) { r.Header.Set("x-functions-key", key) }))
			return err == nil
		}
		for range 100 {
			if !good() {
				t.Fatal("a good key is refused")
			}
		}
		if reads != 1 {
			t.Errorf("100 requests read the keys %d times", reads)
		}
		time.Sleep(time.Hour)
		if good() {
			t.Error("a key is good when it has expired")
		}

		key, f = made(t, access.All, time.Time{})
		time.Sleep(time.Minute)
		if !good() {
			t.Error("a new key is not good after a minute")
		}
		broken = errors.New("throttled")
		time.Sleep(5 * time.Minute)
		before := reads
		if !good() || !good() || reads != before+1 {
			t.Errorf("while the source fails it was asked %d times, and the key does not hold", reads-before)
		}
		time.Sleep(6 * time.Minute)
		if good() {
			t.Error("keys hold for ever when they cannot be read")
		}
		broken = nil
		time.Sleep(5 * time.Second)
		if !good() {
			t.Error("the source is well, and the key is not good")
		}
		if err := f.Remove("shop"); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Minute)
		if good() {
			t.Error("a key that was taken back is good after a minute")
		}
	})
}

func TestWithoutKeysToCompareWithNobodyIsKnown(t *testing.T) {
	t.Parallel()
	keys := access.NewKeys(func(context.Context) (access.File, error) { return access.File{}, errors.New("no such parameter") })
	_, err := keys.Caller(request(func(r *http.Request) { r.Header.Set("x-functions-key", "x") }))
	if err == nil || errors.Is(err, access.ErrUnknown) || !strings.Contains(err.Error(), "no such parameter") {
		t.Errorf("it says %v", err)
	}
}

func TestFilesThatAreNotExactlySoAreRefused(t *testing.T) {
	t.Parallel()
	sum := strings.Repeat("ab", 32)
	for name, c := range map[string]struct{ file, says string }{
		"nothing":            {``, "durable keys"},
		"no JSON":            {`keys`, "durable keys"},
		"misspelt":           {`{"keys":[{"name":"a","hash":"` + sum + `","may":["read"],"expire":"2020-01-01T00:00:00Z"}]}`, "expire"},
		"more":               {`{"keys":[]} {}`, "something follows"},
		"no name":            {`{"keys":[{"hash":"` + sum + `","may":["read"]}]}`, "1 to 100 bytes"},
		"a line in the name": {`{"keys":[{"name":"a\nb","hash":"` + sum + `","may":["read"]}]}`, "control characters"},
		"the key itself":     {`{"keys":[{"name":"a","hash":"durable_abc","may":["read"]}]}`, "SHA-256"},
		"upper case":         {`{"keys":[{"name":"a","hash":"` + strings.ToUpper(sum) + `","may":["read"]}]}`, "lower-case"},
		"may nothing":        {`{"keys":[{"name":"a","hash":"` + sum + `"}]}`, "may do nothing"},
		"may what":           {`{"keys":[{"name":"a","hash":"` + sum + `","may":["root"]}]}`, `no permission "root"`},
		"twice":              {`{"keys":[{"name":"a","hash":"` + sum + `","may":["read"]},{"name":"b","hash":"` + sum + `","may":["read"]}]}`, "the same key"},
	} {
		if _, err := access.ReadFile([]byte(c.file)); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: it says %v, without %q", name, err, c.says)
		}
	}
	_, f := made(t, access.All, time.Date(2030, 1, 2, 3, 4, 5, 0, time.UTC))
	again, err := access.ReadFile(f.Encode())
	if err != nil || len(again.Keys) != 1 || again.Keys[0] != f.Keys[0] {
		t.Errorf("%s is read as %v, %v", f.Encode(), again, err)
	}
	if empty, err := access.ReadFile(access.File{}.Encode()); err != nil || len(empty.Keys) != 0 {
		t.Errorf("no keys are %v, %v", empty, err)
	}
	if err := f.Add(f.Keys[0]); err == nil || !strings.Contains(err.Error(), "already") {
		t.Errorf("a second key of the name: %v", err)
	}
	if err := f.Remove("nobody"); err == nil {
		t.Error("a key that is not there can be removed")
	}
}

func TestKeysAreNotInWhatIsKept(t *testing.T) {
	t.Parallel()
	one, f := made(t, access.All, time.Time{})
	two, _ := made(t, access.All, time.Time{})
	if one == two || len(one) < 40 || strings.Contains(string(f.Encode()), one) {
		t.Errorf("keys %q and %q, and a file\n%s", one, two, f.Encode())
	}
}

func TestAHubKeepsItsKeys(t *testing.T) {
	t.Parallel()
	stored := access.Stored{Table: memory.New(memory.Options{}).Backend().Table}
	if f, err := stored.Read(t.Context()); err != nil || len(f.Keys) != 0 {
		t.Errorf("a new hub has %v, %v", f, err)
	}
	var all sync.WaitGroup
	for i := range 5 { // at the same time: none may be lost
		all.Go(func() {
			_, k, _ := access.NewKey(fmt.Sprint("key ", i), access.Read, time.Time{})
			if err := stored.Edit(t.Context(), func(f *access.File) error { return f.Add(k) }); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if err := stored.Edit(t.Context(), func(f *access.File) error { return f.Remove("key 3") }); err != nil {
		t.Error(err)
	}
	if err := stored.Edit(t.Context(), func(f *access.File) error { return f.Remove("key 3") }); err == nil {
		t.Error("a key is removed twice")
	}
	if f, err := stored.Read(t.Context()); err != nil || len(f.Keys) != 4 {
		t.Errorf("it has %v, %v", f, err)
	}
}

func TestPermissionsAreNamed(t *testing.T) {
	t.Parallel()
	p, err := access.Parse("operate", "read")
	if err != nil || p != access.Read|access.Operate || p.String() != "read,operate" || p.Has(access.Administer) || p.Has(access.All) || !p.Has(access.Read) {
		t.Errorf("it is %v, %v", p, err)
	}
	if p, err := access.Parse("all"); err != nil || p != access.All {
		t.Errorf("all is %v, %v", p, err)
	}
}

// TestWhoHangsUpDoesNotKeepOthersOut: a request that is given up while the keys are read must not count as a source that fails. Whoever has
// an old key could keep it good like that, and everybody out of a process that is new.
func TestWhoHangsUpDoesNotKeepOthersOut(t *testing.T) {
	t.Parallel()
	key, f := made(t, access.All, time.Time{})
	keys := access.NewKeys(func(ctx context.Context) (access.File, error) { return f, ctx.Err() })
	gone, hangUp := context.WithCancel(t.Context())
	hangUp()
	_, _ = keys.Caller(request(func(r *http.Request) { r.Header.Set("x-functions-key", "x") }).WithContext(gone))
	if _, err := keys.Caller(request(func(r *http.Request) { r.Header.Set("x-functions-key", key) })); err != nil {
		t.Errorf("after somebody else hung up: %v", err)
	}
}

// TestASourceThatHangsIsLeftAlone: it must not hold up every request for as long as it likes.
func TestASourceThatHangsIsLeftAlone(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		keys := access.NewKeys(func(ctx context.Context) (access.File, error) { <-ctx.Done(); return access.File{}, ctx.Err() })
		begin := time.Now()
		_, err := keys.Caller(request(func(r *http.Request) { r.Header.Set("x-functions-key", "x") }).WithContext(t.Context()))
		if err == nil || errors.Is(err, access.ErrUnknown) || time.Since(begin) > 10*time.Second {
			t.Errorf("after %v: %v", time.Since(begin), err)
		}
	})
}

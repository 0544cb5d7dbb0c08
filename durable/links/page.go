package links

import (
	"bytes"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"html"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
)

//go:embed page.css
var style string

// policy lets nothing in but this style, and forms post to this server only.
var policy = "default-src 'none'; style-src 'sha256-" + digest(style) + "'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

func digest(s string) string {
	sum := sha256.Sum256([]byte(s))
	return base64.StdEncoding.EncodeToString(sum[:])
}

type fact struct{ name, value string }

var sentences = map[outcome]string{
	unknown: "This is no link of ours. Perhaps a part of it was lost: open it from the mail once more.",
	expired: "This link has expired.",
	used:    "This link was used before. It works once.",
	over:    "Nobody waits for this any more.",
	trouble: "Something does not work at the moment. Nothing is lost: try again in a minute.",
	done:    "Done. You can close this page.",
}

// render answers with the page. Of what is no link of ours it says the same whatever is wrong.
func (l *Links) render(w http.ResponseWriter, r *http.Request, c claim, o outcome) {
	body := write(c, o)
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Security-Policy", policy)
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Robots-Tag", "noindex, nofollow")
	h.Set("Cache-Control", "no-store")
	if o == trouble {
		h.Set("Retry-After", "60")
	}
	w.WriteHeader(statuses[o])
	if r.Method != http.MethodHead {
		_, _ = io.WriteString(w, body) // a browser that has gone away cannot be told
	}
}

// write writes the page. It is so small that a template would cost a function more than all the rest of it: text is escaped by hand.
func write(c claim, o outcome) string {
	title := "This link does not work"
	switch {
	case o == unknown || c.event == "":
	case c.title != "":
		title = c.title
	default:
		title = c.event
	}
	var b strings.Builder
	put := func(parts ...string) { // markup and text in turn
		for i, part := range parts {
			if i%2 == 1 {
				part = html.EscapeString(part)
			}
			b.WriteString(part)
		}
	}
	put(`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>`, title, `</title>
<style>`+style+`</style>
</head>
<body>
<main>
<h1>`, title, `</h1>
`)
	if o != unknown && c.event != "" {
		put(`<p class="quiet">`, c.instance, "</p>\n")
		if all := facts(c.payload); len(all) > 0 {
			put("<dl>")
			for _, f := range all {
				if f.name == "" {
					put(`<dd class="only">`, f.value, "</dd>")
				} else {
					put("<dt>", f.name, "</dt><dd>", f.value, "</dd>")
				}
			}
			put("</dl>\n")
		}
	}
	switch o {
	case open:
		put(`<form method="post">
<button type="submit">Confirm</button>
</form>
<p class="quiet">Nothing has happened yet. This can be done once, until `, c.expires.UTC().Format("2 January 2006, 15:04 MST"), ".</p>\n")
	case done:
		put(`<p class="done">`, sentences[o], "</p>\n")
	default:
		put(`<p>`, sentences[o], "</p>\n")
	}
	put("</main>\n</body>\n</html>\n")
	return b.String()
}

// facts are what a payload says, for people: the members of an object, or the value itself.
func facts(payload []byte) []fact {
	d := json.NewDecoder(bytes.NewReader(payload))
	d.UseNumber()
	var v any
	if d.Decode(&v) != nil || v == nil {
		return nil
	}
	object, ok := v.(map[string]any)
	if !ok {
		return []fact{{"", say(v)}}
	}
	var all []fact
	for _, name := range slices.Sorted(maps.Keys(object)) {
		all = append(all, fact{name, say(object[name])})
	}
	return all
}

func say(v any) string {
	switch v := v.(type) {
	case bool:
		return map[bool]string{true: "yes", false: "no"}[v]
	case nil:
		return "–"
	case string:
		return v
	case json.Number:
		return v.String()
	}
	b, err := json.Marshal(v)
	if err != nil {
		return fmt.Sprint(v)
	}
	return strings.TrimSpace(string(b))
}

package links

import (
	"bytes"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"encoding/json"
	"html/template"
	"log/slog"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

var (
	//go:embed page/page.html
	source string
	//go:embed page/style.css
	style string

	page = template.Must(template.New("page").Parse(source))

	// policy lets a page have its own style and post to its own server, and nothing else.
	policy = func() string {
		hash := sha256.Sum256([]byte(style))
		return "default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(hash[:]) + "'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
	}()
)

// outcome is what becomes of a request, and what its page says.
type outcome struct {
	word   string // in the audit line
	status int
	level  slog.Level
	// Tone is the class of the page's banner.
	tone, title, sentence string
}

var (
	ready       = outcome{"ready", http.StatusOK, slog.LevelInfo, "", "Please confirm", "Nothing has been done yet. Look at what this is about, and press the button."}
	raised      = outcome{"raised", http.StatusOK, slog.LevelInfo, "good", "Done", "Thank you. Your answer is on its way; you may close this page."}
	used        = outcome{"used", http.StatusGone, slog.LevelInfo, "warn", "This link was used before", "It works once. Nothing was done now."}
	expired     = outcome{"expired", http.StatusGone, slog.LevelInfo, "warn", "This link has expired", "Nothing was done. Ask whoever sent it for a new one."}
	ended       = outcome{"ended", http.StatusGone, slog.LevelInfo, "warn", "This is over", "What the link is about has ended, so nothing was done."}
	unknown     = outcome{"unknown", http.StatusNotFound, slog.LevelWarn, "bad", "There is no such link", "It may have been cut on its way: open it from the mail once more, or copy all of it. Nothing was done."}
	unavailable = outcome{"failed", http.StatusServiceUnavailable, slog.LevelError, "bad", "This does not work at the moment", "Please open the link again in a minute. It does not matter how often you do: it counts once."}
)

// line is a value of the payload.
type line struct{ Name, Value string }

// write answers with the page of an outcome. What a link says is shown to whoever has a right one.
func write(w http.ResponseWriter, o outcome, c *claim, token string) {
	view := struct {
		Style                        template.CSS
		Title, Sentence, Tone, Token string
		Event, Instance, Until       string
		Lines                        []line
	}{Style: template.CSS(style), Title: o.title, Sentence: o.sentence, Tone: o.tone}
	if c != nil {
		view.Event, view.Instance, view.Lines = c.event, c.instance, lines(c.payload)
	}
	if o == ready {
		view.Token, view.Until = token, c.expires.UTC().Format("2 January 2006, 15:04 UTC")
	}
	var body bytes.Buffer
	if err := page.Execute(&body, view); err != nil {
		http.Error(w, "The page cannot be shown.", http.StatusInternalServerError)
		return
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Security-Policy", policy)
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Robots-Tag", "noindex, nofollow")
	if o == unavailable {
		h.Set("Retry-After", "60")
	}
	w.WriteHeader(o.status)
	_, _ = w.Write(body.Bytes()) // a browser that has gone away cannot be told
}

// lines puts a payload into words, a value a line.
func lines(payload []byte) []line {
	decoder := json.NewDecoder(bytes.NewReader(payload))
	decoder.UseNumber() // numbers as they are written
	var v any
	if decoder.Decode(&v) != nil {
		return []line{{"value", string(payload)}}
	}
	return appendLines(nil, "", v)
}

func appendLines(out []line, name string, v any) []line {
	below := func(part string) string {
		if name == "" {
			return part
		}
		return name + " › " + part
	}
	text := ""
	switch v := v.(type) {
	case map[string]any:
		for _, k := range slices.Sorted(maps.Keys(v)) {
			out = appendLines(out, below(k), v[k])
		}
		return out
	case []any:
		for i, e := range v {
			out = appendLines(out, below(strconv.Itoa(i+1)), e)
		}
		return out
	case nil:
		if name == "" {
			return out
		}
		text = "none"
	case bool:
		text = map[bool]string{true: "yes", false: "no"}[v]
	case json.Number:
		text = v.String()
	case string:
		text = strings.TrimSpace(v)
	}
	if name == "" {
		name = "value"
	}
	return append(out, line{name, text})
}

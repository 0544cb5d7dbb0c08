package mail

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"errors"
	"html/template"
	"net/http"
	"net/url"
	"strconv"
)

//go:embed mailbox.html
var pageText string

var page = template.Must(template.New("mailbox").Parse(pageText))

// pageSize is how many mails the page shows at once.
const pageSize = 50

// contentPolicy lets the page, and the frames with mail in it, which inherit it, have inline style and nothing else: no
// script runs and nothing is loaded from elsewhere.
const contentPolicy = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// Handler serves the mailbox to people and to tests. It answers
//
//	GET /mail          a page with the newest mail; ?instance=ID for that about one instance
//	GET /mail/{id}     a page with one mail
//	GET /mail.json     an array of {to, from, subject, text, html, instanceId, sentAt}, newest first; all of it, or
//	                   ?limit=N of it, or ?instance=ID for that about one instance
//
// and is to be mounted at /mail, /mail/ and /mail.json. It shows mail to whoever asks: it is for a machine of one's own.
// The HTML of a mail is shown in a sandboxed frame, in which no script runs.
func (b *Mailbox) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /mail", b.servePage)
	mux.HandleFunc("GET /mail/{id}", b.serveMail)
	mux.HandleFunc("GET /mail.json", b.serveJSON)
	return mux
}

type pageData struct {
	Title    string
	Instance string
	Mails    []Stored
	Open     bool
	Older    string
	Home     string
}

func (b *Mailbox) servePage(w http.ResponseWriter, r *http.Request) {
	instance := r.URL.Query().Get("instance")
	found, err := b.List(r.Context(), Query{InstanceID: instance, Limit: pageSize, Continue: r.URL.Query().Get("continue")})
	if err != nil {
		b.fail(w, r, err)
		return
	}
	data := pageData{Title: "Mail", Instance: instance, Mails: found.Mails}
	if found.Continue != "" {
		query := url.Values{"continue": {found.Continue}}
		if instance != "" {
			query.Set("instance", instance)
		}
		data.Older = "/mail?" + query.Encode()
	}
	b.render(w, r, data)
}

func (b *Mailbox) serveMail(w http.ResponseWriter, r *http.Request) {
	stored, err := b.Get(r.Context(), r.PathValue("id"))
	if err != nil {
		b.fail(w, r, err)
		return
	}
	b.render(w, r, pageData{Title: stored.Subject, Instance: stored.InstanceID, Mails: []Stored{stored}, Open: true})
}

func (b *Mailbox) render(w http.ResponseWriter, r *http.Request, data pageData) {
	data.Home = b.opts.Home
	var buf bytes.Buffer
	if err := page.Execute(&buf, data); err != nil {
		b.fail(w, r, err)
		return
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Security-Policy", contentPolicy)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cache-Control", "no-store")
	_, _ = w.Write(buf.Bytes())
}

// sentMail is a mail as /mail.json shows it.
type sentMail struct {
	Mail
	SentAt string `json:"sentAt"`
}

func (b *Mailbox) serveJSON(w http.ResponseWriter, r *http.Request) {
	query := Query{InstanceID: r.URL.Query().Get("instance")}
	// Like the management API, an optional value that makes no sense is ignored.
	if n, err := strconv.Atoi(r.URL.Query().Get("limit")); err == nil && n > 0 {
		query.Limit = n
	}
	found, err := b.List(r.Context(), query)
	if err != nil {
		b.fail(w, r, err)
		return
	}
	mails := make([]sentMail, 0, len(found.Mails))
	for _, m := range found.Mails {
		mails = append(mails, sentMail{Mail: m.Mail, SentAt: m.SentAt.Format("2006-01-02T15:04:05.000Z")})
	}
	body, err := json.Marshal(mails)
	if err != nil {
		b.fail(w, r, err)
		return
	}
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cache-Control", "no-store")
	_, _ = w.Write(append(body, '\n'))
}

func (b *Mailbox) fail(w http.ResponseWriter, r *http.Request, err error) {
	if errors.Is(err, ErrNotFound) {
		http.Error(w, "There is no such mail.", http.StatusNotFound)
		return
	}
	b.opts.Log.ErrorContext(r.Context(), "mailbox page", "error", err)
	http.Error(w, "The mailbox could not be read. The server's log says why.", http.StatusInternalServerError)
}

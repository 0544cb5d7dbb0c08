package dashboard

import (
	"bytes"
	"embed"
	"html/template"
	"net/http"

	"github.com/durable-lambda/durable-lambda/durable"
)

// Config says what a dashboard shows. Client is required.
type Config struct {
	Client durable.Client
	// Hub is the name of the task hub, for the page's head.
	Hub string
	// MailURL is where sent mail can be read; empty shows no link.
	MailURL string
}

//go:embed page
var files embed.FS

type dashboard struct {
	client  durable.Client
	hub     string
	mailURL string
	style   template.CSS
	pages   map[string]*template.Template
}

// New returns the handler that serves the dashboard at / and below /i/. It panics when Config.Client is missing.
func New(cfg Config) http.Handler {
	if cfg.Client == nil {
		panic("dashboard: Config.Client is missing")
	}
	d := &dashboard{client: cfg.Client, hub: cfg.Hub, mailURL: cfg.MailURL, pages: map[string]*template.Template{}}
	for _, name := range []string{"list", "instance", "message"} {
		d.pages[name] = template.Must(template.ParseFS(files, "page/layout.html", "page/"+name+".html"))
	}
	style, err := files.ReadFile("page/style.css")
	if err != nil {
		panic(err)
	}
	d.style = template.CSS(style)

	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", d.list)
	mux.HandleFunc("GET /i/{id}", d.instance)
	mux.HandleFunc("POST /i/{id}/raise", d.raise)
	mux.HandleFunc("POST /i/{id}/terminate", d.manage(durable.Terminate, "terminate"))
	mux.HandleFunc("POST /i/{id}/suspend", d.manage(durable.Suspend, "suspend"))
	mux.HandleFunc("POST /i/{id}/resume", d.manage(durable.Resume, "resume"))
	mux.HandleFunc("POST /i/{id}/rewind", d.manage(durable.Rewind, "rewind"))
	mux.HandleFunc("POST /i/{id}/purge", d.purge)
	mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) {
		d.message(w, http.StatusNotFound, "There is no such page.")
	})

	sameOrigin := http.NewCrossOriginProtection()
	sameOrigin.SetDenyHandler(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		d.message(w, http.StatusForbidden, "This form was sent by another site, so nothing was done. Send it from the dashboard itself.")
	}))
	return sameOrigin.Handler(mux)
}

// head is what every page shows around its content.
type head struct {
	Title, Hub, MailURL string
	Style               template.CSS
	// Follow makes the browser load the page again every few seconds.
	Follow bool
	// Again is the URL of this page with Follow the other way.
	Again string
}

func (d *dashboard) head(title string) head {
	return head{Title: title, Hub: d.hub, MailURL: d.mailURL, Style: d.style}
}

func (d *dashboard) render(w http.ResponseWriter, status int, page string, data any) {
	var body bytes.Buffer
	if err := d.pages[page].ExecuteTemplate(&body, "layout", data); err != nil {
		http.Error(w, "The page cannot be shown: "+err.Error(), http.StatusInternalServerError)
		return
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	// The status is out: a browser that has gone away cannot be told.
	_, _ = w.Write(body.Bytes())
}

type messagePage struct {
	head
	Sentence string
}

// message shows a page that is one sentence.
func (d *dashboard) message(w http.ResponseWriter, status int, sentence string) {
	d.render(w, status, "message", messagePage{d.head(http.StatusText(status)), sentence})
}

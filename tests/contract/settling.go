package contract

import (
	"net/http"
	"sync"
	"time"

	"github.com/durable-lambda/durable-lambda/durable/durabletest"
)

// Settling is a transport within the process: serve answers, and whatever can happen in the system happens meanwhile and thereafter.
func Settling(sys *durabletest.System, serve func(*http.Request) (*http.Response, error)) http.RoundTripper {
	return &settling{sys: sys, serve: serve}
}

type settling struct {
	mu    sync.Mutex // the system is for one at a time
	sys   *durabletest.System
	serve func(*http.Request) (*http.Response, error)
}

func (s *settling) RoundTrip(r *http.Request) (resp *http.Response, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	r = r.Clone(r.Context())
	if r.Body == nil {
		r.Body = http.NoBody
	}
	answered := make(chan struct{})
	go func() { defer close(answered); resp, err = s.serve(r) }()
	for {
		select {
		case <-answered:
			s.sys.Settle()
			if err == nil {
				resp.Request = r
			}
			return resp, err
		case <-time.After(time.Millisecond): // it waits for an instance
			s.sys.Settle()
		}
	}
}

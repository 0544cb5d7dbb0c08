package dev

import (
	"net"
	"net/http"
	"net/netip"

	"github.com/durable-lambda/durable-lambda/durable/api"
)

// guard keeps other web sites away from a server that asks nobody who they are: their pages may not post to it, and, while it
// listens on the loopback interface, may not reach it under a name of theirs that they point to this machine.
func guard(addr net.Addr, setting string, next http.Handler) http.Handler {
	crossOrigin := http.NewCrossOriginProtection()
	crossOrigin.SetDenyHandler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		api.Problem(w, http.StatusForbidden, "This request comes from a page of another site", "Send it from a page of this server, or not from a browser.")
	}))
	next = crossOrigin.Handler(next)
	bound, err := netip.ParseAddrPort(addr.String())
	if err != nil || !bound.Addr().IsLoopback() {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !local(r.Host) {
			api.Problem(w, http.StatusMisdirectedRequest, "This server is only for this machine",
				"Ask for it as "+addr.String()+", or set "+setting+" to another address.")
			return
		}
		next.ServeHTTP(w, r)
	})
}

// local reports whether a Host header names this machine without asking any name server.
func local(host string) bool {
	name, _, err := net.SplitHostPort(host)
	if err != nil {
		name = host
	}
	if name == "localhost" {
		return true
	}
	ip, err := netip.ParseAddr(name)
	return err == nil && ip.IsLoopback()
}

package sim

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
)

// logHandler puts what a worker logs into the trace.
type logHandler struct {
	a     *actor
	attrs []slog.Attr
}

func (h *logHandler) Enabled(context.Context, slog.Level) bool { return h.a.w.trace.on && !h.a.dead }

func (h *logHandler) Handle(_ context.Context, r slog.Record) error {
	var b strings.Builder
	show := func(attr slog.Attr) bool {
		if attr.Key != "stack" {
			fmt.Fprintf(&b, " %s=%v", attr.Key, attr.Value)
		}
		return true
	}
	for _, attr := range h.attrs {
		show(attr)
	}
	r.Attrs(show)
	h.a.w.trace.add(h.a, "log: %s%s", r.Message, b.String())
	return nil
}

func (h *logHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	return &logHandler{h.a, append(h.attrs[:len(h.attrs):len(h.attrs)], attrs...)}
}

func (h *logHandler) WithGroup(string) slog.Handler { return h }

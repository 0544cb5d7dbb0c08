package pebble

import (
	"fmt"
	"log/slog"
)

// logger is Pebble's way to the program's log.
type logger struct{ log *slog.Logger }

func (l logger) Infof(format string, args ...any) {
	l.log.Debug("pebble", "report", fmt.Sprintf(format, args...))
}

func (l logger) Errorf(format string, args ...any) {
	l.log.Error("pebble", "report", fmt.Sprintf(format, args...))
}

// Fatalf must not return: Pebble calls it when it cannot tell any more what is durable.
func (l logger) Fatalf(format string, args ...any) {
	report := fmt.Sprintf(format, args...)
	l.log.Error("pebble", "report", report)
	panic("pebble: " + report)
}

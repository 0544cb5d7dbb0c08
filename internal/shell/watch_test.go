package shell_test

import (
	"bytes"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"github.com/durable-lambda/durable-lambda/internal/shell"
)

func TestAStuckTurnIsGivenUpOnceAndNotRunAgain(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		w := shell.Watch(slog.New(slog.NewTextHandler(&log, nil)), 5*time.Second)
		if ran := false; !w("good", func() { ran = true }) || !ran {
			t.Error("a turn that ends was given up")
		}
		release := make(chan struct{})
		runs := 0
		if w("bad", func() { runs++; <-release }) || w("bad", func() { runs++ }) {
			t.Error("a turn that does not end was waited for")
		}
		if runs != 1 {
			t.Errorf("it was run %d times", runs)
		}
		if !bytes.Contains(log.Bytes(), []byte("stuck")) {
			t.Error("nobody was told")
		}
		close(release)
	})
}

package durabletest

import (
	"fmt"
	"io"
)

// T is what a System needs of a test: *testing.T and *testing.B have it.
type T interface {
	Helper()
	Fatal(args ...any)
	Errorf(format string, args ...any)
	Output() io.Writer
}

// Standalone is a T for examples and programs: what would fail a test panics.
type Standalone struct{}

// Helper does nothing.
func (Standalone) Helper() {}

// Fatal panics.
func (Standalone) Fatal(args ...any) { panic(fmt.Sprint(args...)) }

// Errorf panics.
func (Standalone) Errorf(format string, args ...any) { panic(fmt.Sprintf(format, args...)) }

// Output discards.
func (Standalone) Output() io.Writer { return io.Discard }

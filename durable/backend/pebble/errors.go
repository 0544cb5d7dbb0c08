package pebble

import "errors"

// Why Open refuses a folder. It wraps one of these in an error that says what to do.
var (
	// ErrForeign says that the folder holds something else.
	ErrForeign = errors.New("not a durable data folder")
	// ErrNewer says that a newer version of the program wrote the folder.
	ErrNewer = errors.New("written by a newer version")
	// ErrDamaged says that the folder's content is not what was written. A call that reads returns it, too.
	ErrDamaged = errors.New("damaged")
	// ErrInUse says that this or another process has the folder open.
	ErrInUse = errors.New("in use by another process")
)

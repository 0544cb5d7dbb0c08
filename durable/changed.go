package durable

import "github.com/durable-lambda/durable-lambda/durable/history"

// Changed lets one body serve instances that began before a change of it, and those that came, or come, to the change later:
//
//	if durable.Changed(ctx, "check-credit") {
//		if _, err := CheckCredit.Call(ctx, order); err != nil { … }
//	}
//
// It is true when the code comes to it for the first time, and the history keeps a mark of that; it is false when the history has
// passed the place before there was the change. Every later question with the same id, anywhere in the run, has the same answer, so
// that several places can be parts of one change. A run that continues as new begins without marks.
//
// It takes no number of an operation. When no instance is left for which it was false, the question and the old side can be removed:
// marks that nobody asks for do no harm. An id must not be used for another change while instances have its mark.
func Changed(ctx Context, id string) bool {
	if err := history.CheckName("change", id); err != nil {
		ctx.run.Refuse(err)
	}
	return ctx.run.Changed(id)
}

package dashboard

import (
	"encoding/json"
	"errors"
	"net/http"
	"strings"

	"github.com/durable-lambda/durable-lambda/durable"
)

// maxForm is how large a form may be: an event's data and its encoding.
const maxForm = 16 << 20

// done says what a form has done, once the browser is back at the instance. A command takes effect when a worker gets to
// it.
var done = map[string]string{
	"raise":     "The event is on its way to the instance.",
	"terminate": "The instance is asked to terminate.",
	"suspend":   "The instance is asked to suspend.",
	"resume":    "The instance is asked to resume.",
	"rewind":    "The instance is asked to run again what failed.",
}

// purged says what a purge has done, once the browser is at the list.
const purged = "The instance is purged: nothing of it is left."

func (d *dashboard) raise(w http.ResponseWriter, r *http.Request) {
	if !d.parse(w, r) {
		return
	}
	name, data := strings.TrimSpace(r.PostFormValue("event")), strings.TrimSpace(r.PostFormValue("data"))
	form := refused{status: http.StatusBadRequest, event: name, data: data}
	switch {
	case name == "":
		form.sentence = "Name the event that is to be raised."
	case data != "" && !json.Valid([]byte(data)):
		form.sentence = "The data is not valid JSON. Text needs quotes, as in \"yes\"."
	}
	if form.sentence != "" {
		d.showInstance(w, r, form)
		return
	}
	err := d.client.Raise(r.Context(), durable.EventRequest{Instance: r.PathValue("id"), Name: name, Data: json.RawMessage(data)})
	d.answer(w, r, "raise", form, err)
}

func (d *dashboard) manage(command durable.Command, verb string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if !d.parse(w, r) {
			return
		}
		err := d.client.Manage(r.Context(), durable.ManageRequest{
			Instance: r.PathValue("id"), Command: command, Reason: strings.TrimSpace(r.PostFormValue("reason")),
		})
		d.answer(w, r, verb, refused{}, err)
	}
}

// purge has no way back, so that the form asks once more; and there is no instance to go back to.
func (d *dashboard) purge(w http.ResponseWriter, r *http.Request) {
	if !d.parse(w, r) {
		return
	}
	if r.PostFormValue("sure") == "" {
		d.showInstance(w, r, refused{status: http.StatusBadRequest, sentence: "Nothing was done: tick the box if the instance is to be gone for ever."})
		return
	}
	err := d.client.Purge(r.Context(), r.PathValue("id"))
	switch status := statusOf(err); {
	case err == nil:
		http.Redirect(w, r, "/?done=purge", http.StatusSeeOther)
	case status == http.StatusInternalServerError:
		d.showInstance(w, r, refused{status: status, sentence: "Part of it may be gone: " + sentence(err) + " Purge it again."})
	default:
		d.showInstance(w, r, refused{status: status, sentence: "Nothing was done: " + sentence(err)})
	}
}

func (d *dashboard) parse(w http.ResponseWriter, r *http.Request) bool {
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	err := r.ParseForm()
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		d.message(w, http.StatusRequestEntityTooLarge, "The form is too large: an event's data may have 10 MiB.")
	case err != nil:
		d.message(w, http.StatusBadRequest, "The form cannot be read: "+full(err.Error()))
	}
	return err == nil
}

// answer sends the browser back to the instance, or shows the instance with why the form was refused.
func (d *dashboard) answer(w http.ResponseWriter, r *http.Request, verb string, form refused, err error) {
	if err != nil {
		form.status, form.sentence = statusOf(err), "Nothing was done: "+sentence(err)
		if form.status == http.StatusInternalServerError {
			form.sentence = "It is not known whether anything was done: " + sentence(err) + " Look at the history before you try again."
		}
		d.showInstance(w, r, form)
		return
	}
	http.Redirect(w, r, instanceURL(r.PathValue("id"))+"?done="+verb, http.StatusSeeOther)
}

// sentence says what an error of the client means.
func sentence(err error) string {
	switch {
	case errors.Is(err, durable.ErrNotFound):
		return "there is no instance with this id."
	case errors.Is(err, durable.ErrEnded):
		return "the instance has ended."
	case errors.Is(err, durable.ErrNotEnded):
		return "the instance has not ended. Terminate it first."
	case errors.Is(err, durable.ErrNotFailed):
		return "the instance has not failed."
	case errors.Is(err, durable.ErrSuspended):
		return "the instance is suspended already."
	case errors.Is(err, durable.ErrNotSuspended):
		return "the instance is not suspended."
	case errors.Is(err, durable.ErrInvalid), errors.Is(err, durable.ErrNotResettable):
		return full(err.Error())
	}
	return "the backend says: " + full(err.Error())
}

func statusOf(err error) int {
	switch {
	case errors.Is(err, durable.ErrNotFound):
		return http.StatusNotFound
	case errors.Is(err, durable.ErrEnded):
		return http.StatusGone
	case errors.Is(err, durable.ErrSuspended), errors.Is(err, durable.ErrNotSuspended), errors.Is(err, durable.ErrNotEnded), errors.Is(err, durable.ErrNotFailed):
		return http.StatusConflict
	case errors.Is(err, durable.ErrInvalid):
		return http.StatusBadRequest
	}
	return http.StatusInternalServerError
}

package doctor

import (
	"encoding/hex"
	"encoding/json"
	"time"

	"github.com/durable-lambda/durable-lambda/durable/history"
)

// Title says in a few words what the message is.
func (l Letter) Title() string {
	e := &l.Message.Event
	what := e.Name
	if what == "" {
		what = e.Op
	}
	if what == "" {
		return e.Kind.String()
	}
	return e.Kind.String() + " " + what
}

// MarshalJSON shows the whole letter: a message decoded, payloads that are JSON as they are, and what cannot be read in
// hexadecimal.
func (l Letter) MarshalJSON() ([]byte, error) {
	v := fields{"id": l.ID, "queue": l.Queue, "receives": l.Receives}
	if l.Err != nil {
		v["error"], v["body"] = l.Err.Error(), hex.EncodeToString(l.Body)
		return json.Marshal(v)
	}
	m := l.Message
	v["message"] = fields{"id": m.ID, "instance": m.Instance, "incarnation": m.Incarnation, "generation": m.Generation,
		"attempt": m.Attempt, "number": m.Number, "redrives": m.Redrives, "sent": m.Sent, "waiting": m.Waiting,
		"replaces": replaces(m.Replaces), "event": event(&m.Event)}.compact()
	return json.Marshal(v)
}

// fields are an object's members. Its keys come in their order, which json sees to.
type fields map[string]any

// compact leaves out what is zero.
func (f fields) compact() fields {
	for k, v := range f {
		switch v := v.(type) {
		case string:
			if v == "" {
				delete(f, k)
			}
		case time.Time:
			if v.IsZero() {
				delete(f, k)
			}
		case uint32, uint64, bool, time.Duration, nil:
			if v == uint32(0) || v == uint64(0) || v == false || v == time.Duration(0) || v == nil {
				delete(f, k)
			}
		case fields:
			if v == nil {
				delete(f, k)
			}
		}
	}
	return f
}

func replaces(v *history.Version) fields {
	if v == nil {
		return nil
	}
	return fields{"incarnation": v.Incarnation, "generation": v.Generation, "number": v.Number}
}

func event(e *history.Event) fields {
	f := fields{"kind": e.Kind.String(), "op": e.Op, "epoch": e.Epoch, "attempt": e.Attempt, "name": e.Name, "version": e.Version,
		"at": e.At, "messageId": e.MessageID, "reason": e.Reason, "build": e.Build}
	switch {
	case e.Data.Blob != "":
		f["blob"], f["size"] = e.Data.Blob, e.Data.Size
	case json.Valid(e.Data.Bytes):
		f["data"] = json.RawMessage(e.Data.Bytes)
	case len(e.Data.Bytes) > 0:
		f["data"] = string(e.Data.Bytes)
	}
	if e.Failure != nil {
		f["failure"] = e.Failure
	}
	if e.Policy != nil {
		f["policy"] = e.Policy
	}
	if e.Start != nil {
		f["start"] = e.Start
	}
	return f.compact()
}

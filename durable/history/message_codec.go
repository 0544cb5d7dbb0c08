package history

// Encode returns the message as the body of a queue's message.
func (m *Message) Encode() []byte {
	w := &writer{b: append(make([]byte, 0, 96+m.Event.Size()), FormatVersion, compressionNone)}
	w.string(1, m.ID)
	w.string(2, m.Instance)
	w.string(3, m.Incarnation)
	w.uint(4, m.Generation)
	w.nested(5, func(w *writer) { writeEvent(w, &m.Event) })
	w.uint(6, uint64(m.Attempt))
	w.time(7, m.Sent)
	w.time(8, m.Waiting)
	if v := m.Replaces; v != nil {
		w.nested(9, func(w *writer) {
			w.string(1, v.Incarnation)
			w.uint(2, v.Generation)
			w.uint(3, v.Number)
		})
	}
	w.uint(10, m.Number)
	w.uint(12, uint64(m.Redrives))
	w.time(13, m.Pending)
	return w.b
}

// DecodeMessage reads what Encode wrote. The message shares memory with b, which must not change afterwards.
func DecodeMessage(b []byte) (*Message, error) {
	if err := checkHeader(b); err != nil {
		return nil, formatError("message", err)
	}
	m := new(Message)
	r := newReader(b)
	for r.next(0) {
		readMessageField(&r, m)
	}
	switch {
	case r.err != nil:
	case m.Event.Kind == 0:
		r.fail("it carries no event")
	case m.Incarnation == "":
		r.fail("it names no incarnation")
	case m.Event.Kind.isCall() && m.Event.MessageID == "":
		r.fail("it carries a %s that says not which call it is", m.Event.Kind)
	default:
		r.err = CheckInstanceID(m.Instance)
	}
	if r.err != nil {
		return nil, formatError("message", r.err)
	}
	return m, nil
}

func readMessageField(r *reader, m *Message) {
	switch r.field {
	case 1:
		m.ID = r.string()
	case 2:
		m.Instance = r.string()
	case 3:
		m.Incarnation = r.string()
	case 4:
		m.Generation = r.uint()
	case 5:
		sub := r.enter()
		readEvent(&sub, &m.Event)
		r.leave(&sub)
	case 6:
		m.Attempt = r.uint32()
	case 7:
		m.Sent = r.time()
	case 8:
		m.Waiting = r.time()
	case 9:
		m.Replaces = new(Version)
		sub := r.enter()
		readVersion(&sub, m.Replaces)
		r.leave(&sub)
	case 10:
		m.Number = r.uint()
	case 12:
		m.Redrives = r.uint32()
	case 13:
		m.Pending = r.time()
	default:
		r.unknown()
	}
}

func readVersion(r *reader, v *Version) {
	for r.next(0) {
		switch r.field {
		case 1:
			v.Incarnation = r.string()
		case 2:
			v.Generation = r.uint()
		case 3:
			v.Number = r.uint()
		default:
			r.unknown()
		}
	}
}

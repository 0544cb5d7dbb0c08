package history

import (
	"maps"
	"slices"
)

// maxCauses bounds how deep the causes of a failure nest: what is deeper is not written.
const maxCauses = 16

// maxWide bounds how many causes one failure has.
const maxWide = 64

func writeFailure(w *writer, f *Failure, depth int) {
	w.string(1, f.Kind)
	w.string(2, f.Message)
	w.string(3, f.Activity)
	w.uint(4, uint64(f.Attempt))
	w.bool(5, f.Permanent)
	for i := range f.Causes[:min(len(f.Causes), maxWide)] {
		if depth < maxCauses {
			w.nested(6, func(w *writer) { writeFailure(w, &f.Causes[i], depth+1) })
		}
	}
	if len(f.Properties) > 0 {
		w.nested(7, func(w *writer) {
			for _, k := range slices.Sorted(maps.Keys(f.Properties)) {
				w.nested(1, func(w *writer) {
					w.string(1, k)
					w.string(2, f.Properties[k])
				})
			}
		})
	}
	w.string(8, f.Instance)
	w.string(9, f.Stack)
}

func readFailure(r *reader, f *Failure, depth int) {
	if depth > maxCauses {
		r.fail("causes nest deeper than %d", maxCauses)
		return
	}
	for r.next(6) {
		switch r.field {
		case 1:
			f.Kind = r.string()
		case 2:
			f.Message = r.string()
		case 3:
			f.Activity = r.string()
		case 4:
			f.Attempt = r.uint32()
		case 5:
			f.Permanent = r.uint() != 0
		case 6:
			if len(f.Causes) == maxWide {
				r.fail("more than %d causes of a failure", maxWide)
				return
			}
			var cause Failure
			sub := r.enter()
			readFailure(&sub, &cause, depth+1)
			r.leave(&sub)
			f.Causes = append(f.Causes, cause)
		case 7:
			sub := r.enter()
			readProperties(&sub, f)
			r.leave(&sub)
		case 8:
			f.Instance = r.string()
		case 9:
			f.Stack = r.string()
		default:
			r.unknown()
		}
	}
}

func readProperties(r *reader, f *Failure) {
	for r.next(1) {
		if r.field != 1 {
			r.unknown()
			return
		}
		var k, v string
		sub := r.enter()
		readTag(&sub, &k, &v)
		r.leave(&sub)
		if f.Properties == nil {
			f.Properties = map[string]string{}
		}
		f.Properties[k] = v
	}
}

// Size is about how many bytes the failure takes.
func (f *Failure) Size() int {
	n := 24 + len(f.Kind) + len(f.Message) + len(f.Activity) + len(f.Instance) + len(f.Stack)
	for i := range f.Causes {
		n += f.Causes[i].Size()
	}
	for k, v := range f.Properties {
		n += 8 + len(k) + len(v)
	}
	return n
}

package replay

// index finds operations by their path. Most paths are one small number, so those are in a slice, where they are found
// without hashing; all others are in a map.
type index struct {
	root []*operation
	rest map[string]*operation
}

// number is the path as a number, when it is one as nextPath writes it.
func number(path string) (n int, ok bool) {
	if len(path) == 0 || len(path) > 9 || path[0] == '0' && len(path) > 1 {
		return 0, false
	}
	for _, c := range []byte(path) {
		if c < '0' || c > '9' {
			return 0, false
		}
		n = 10*n + int(c-'0')
	}
	return n, true
}

func (x *index) get(path string) *operation {
	if n, ok := number(path); ok && n < len(x.root) && x.root[n] != nil {
		return x.root[n]
	}
	return x.rest[path]
}

// put adds an operation, and reports false when the path has one.
func (x *index) put(path string, op *operation) bool {
	if x.get(path) != nil {
		return false
	}
	if n, ok := number(path); ok && n <= 2*len(x.root)+64 { // a damaged history may have any number
		for len(x.root) <= n {
			x.root = append(x.root, nil)
		}
		x.root[n] = op
		return true
	}
	if x.rest == nil {
		x.rest = map[string]*operation{}
	}
	x.rest[path] = op
	return true
}

package access

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// Permission is a set of what a caller may do. One does not include another.
type Permission uint8

const (
	// Read shows instances, their inputs, outputs and histories.
	Read Permission = 1 << iota
	// Operate starts and restarts instances, raises events, reports outcomes, terminates, suspends and resumes. To wait for an end, and be
	// shown what it comes to, is to read, too.
	Operate
	// Administer changes what has happened: it rewinds, resets and purges.
	Administer

	// All is everything.
	All = Read | Operate | Administer
)

// permissionNames are those of the bits, from the lowest.
var permissionNames = []string{"read", "operate", "administer"}

// Has reports whether p has all of need.
func (p Permission) Has(need Permission) bool { return p&need == need }

// String lists the permissions by name, with a comma between them.
func (p Permission) String() string {
	var names []string
	for i, name := range permissionNames {
		if p.Has(1 << i) {
			names = append(names, name)
		}
	}
	return strings.Join(names, ",")
}

// Parse reads names of permissions: read, operate, administer, or all.
func Parse(names ...string) (p Permission, err error) {
	for _, name := range names {
		switch i := slices.Index(permissionNames, name); {
		case name == "all":
			p |= All
		case i < 0:
			return 0, fmt.Errorf("there is no permission %q: there are read, operate, administer, and all for the three", name)
		default:
			p |= 1 << i
		}
	}
	return p, nil
}

// MarshalJSON writes the names as a list.
func (p Permission) MarshalJSON() ([]byte, error) {
	return json.Marshal(strings.Split(p.String(), ","))
}

// UnmarshalJSON reads what MarshalJSON writes.
func (p *Permission) UnmarshalJSON(b []byte) (err error) {
	var names []string
	if err = json.Unmarshal(b, &names); err != nil {
		return fmt.Errorf("permissions are a list of names: %w", err)
	}
	*p, err = Parse(names...)
	return err
}

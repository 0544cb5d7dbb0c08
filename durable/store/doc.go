// Package store is the one data layout over the ports of package backend: where segments, status rows, the index, due
// rows and payloads live, and how each is written so that the commit protocol holds. It knows nothing of code, and
// decides nothing about messages; package worker does. docs/format.md has the table of keys.
package store

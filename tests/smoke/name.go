package main

import (
	"crypto/rand"
	"encoding/hex"
	"regexp"
)

// Every stack of this command has a name of its own, so that nothing that belongs to somebody else can bear it.
const prefix = "durable-smoke-"

var named = regexp.MustCompile(`^` + prefix + `[0-9a-f]{8}$`)

func newName() string {
	var b [4]byte
	rand.Read(b[:]) // never fails
	return prefix + hex.EncodeToString(b[:])
}

func isName(s string) bool { return named.MatchString(s) }

// codeBucket is the name of the bucket that the code of the functions is deployed from: names of buckets are everybody's, so
// it has the account's number.
func codeBucket(stack, account string) string { return stack + "-code-" + account }

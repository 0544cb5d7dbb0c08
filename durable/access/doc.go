// Package access says who sends a request of the HTTP API and what they may do, by keys: for clients that cannot sign requests. On AWS the
// API asks for signed requests by default, and IAM decides; then nothing of this is needed.
//
// A key is text with 256 random bits in it. Only its hash is kept, in a file of JSON that says as well what the key is called, what it is
// good for, and until when. A hub has such a file in its table:
//
//	{"keys": [
//	  {"name": "web shop", "hash": "9f86d0…", "may": ["read", "operate"], "expires": "2027-06-30T00:00:00Z"},
//	  {"name": "on call", "hash": "60303a…", "may": ["read", "operate", "administer"]}
//	]}
//
// durable keys adds, lists and removes keys. Several keys may be good at the same time, which is how one is rotated: add the new key, have
// the client use it, remove the old one.
//
// A client sends its key in any of the ways that clients of Durable Functions know: the query's code, the header x-functions-key, or the
// password of HTTP Basic, whatever the user's name. Authorization: Bearer is understood, too. A query is written into logs that others keep:
// prefer a header.
package access

// Package links makes URLs that raise an event: for people who get a mail with two buttons, and have no account.
//
//	approve, err := links.URL(ctx, orders.Approval, id, orders.Decision{Approved: true}, expires, links.Title("Approve order 1001"))
//
// is called in an activity. Whoever has the URL can do what it says, once, up to its expiry, and nothing else: it is for one event, of one
// life of one instance, with one payload. It is signed with HMAC-SHA256, so that no part of it can be changed.
//
// The URL leads to a page that says what is about to happen, and asks for it to be confirmed: a program that only follows links, as those
// do which look into mails for viruses, approves nothing.
//
// Attempts of one call of an activity make links that count as one: when the mail is sent twice, one of its buttons works, once.
//
// Links signs and serves:
//
//	l, err := links.New(links.Config{Keys: …, Address: …, Table: table, Client: client})
//	handler = l.Before(handler)        // where nobody is asked for a key or a signature
//	handlers = l.Handlers(handlers)    // so that URL finds it in the contexts of activities
//
// Servers of package dev, and functions of package awslambda that are told where keys are, have links without any of this.
//
// # Keys
//
// A Ring has keys by name. One is for new links, the others are for those that were made before. To rotate: add a key and make it current; when
// the links that the old one has signed are over, take it out. Whoever has a key can make any link.
package links

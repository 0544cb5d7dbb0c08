// Package dev runs a whole task hub in one process: the worker, timers, the HTTP API, a page that shows instances and a
// mailbox, over a folder on disk. It is the same engine, protocol and code as on AWS; only the adapters differ. Kill it at
// any moment, start it again on the same folder, and every instance goes on.
//
//	dev.Run(Greet.Bind(greet), Hello.Bind(hello)) // everything there is to it
//
// It serves the loopback interface by default and asks nobody who they are: it is for development.
package dev

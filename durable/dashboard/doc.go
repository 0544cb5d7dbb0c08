// Package dashboard is a web page over a durable.Client: what instances there are, what happened in each, and forms to
// raise events, to terminate, suspend and resume, to rewind what has failed, and to purge what has ended. It is plain HTML, rendered here, without scripts.
//
// It is a tool for whoever may manage the task hub, meant to be served on the loopback interface: it does not
// authenticate. It refuses forms that another site sent.
package dashboard

// Package worker is the loop that moves instances: a message arrives, the history is loaded, the code is replayed and
// run, what it asks for is committed as one segment, sent, and shown in the status row; then the message is acknowledged.
//
// Everything that decides is synchronous. The package starts no goroutine, reads no clock but the store's, and does all
// I/O through the store; a shell (package dev in one process, package awslambda on AWS) receives messages, calls the worker
// with them, and acknowledges what it says. So a simulator can run workers one port call at a time and crash them
// anywhere.
//
// The rules that the code keeps to are in docs/protocol.md; comments name them by number.
package worker

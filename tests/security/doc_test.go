// Package security sends a whole server what it must refuse: over TCP, byte for byte, as somebody would who means harm. The server is the order
// demonstration, with every door that it has.
//
// Each file has a table. A row says what is sent and what is answered; what stays is the same for all: nothing has changed. The list of
// instances, each history and all mail are compared before and after each row, and once more when everything that could be under way has arrived.
// What is not refused but shown, such as HTML in the fields of an order, is in tables of its own.
package security_test

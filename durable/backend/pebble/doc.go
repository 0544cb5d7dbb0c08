// Package pebble is the embedded default: a durable backend in one folder, for the development server and the command
// line. It owns the folder's format; what items and messages mean it does not know.
//
// # Durability
//
// Put, Delete, Send and Blobs.Put return when their effect is synced; calls made at the same time share a sync. No read
// returns what is not synced yet, so nothing that was seen is lost with the process. An item and its index entry change
// together. A worker of the same process sends by the ports of Relay, which do not wait for the sync: the log keeps the order in which it sends, syncs and
// acknowledges, so that no crash can take what it sent and leave what it did after. Two things are given up for speed, and cost a redelivery at most: an Ack is written at once but not waited
// for, and who has received what is known in memory only, so that after a restart every message that is not acknowledged
// is ready at once, unless its delay has not ended. Deduplication begins anew with a restart.
//
// # Damage
//
// Open refuses a folder that lost what it had, before it changes anything. After a Close every file must have its size;
// after a crash the manifest, which lists the tables, must have what it had when the folder was opened, and every table
// that it lists its size. Damage inside a file is found by checksums, by Open or by the call that reads it. Both return
// ErrDamaged.
//
// After a crash, what was written last cannot be told from what the crash cut off. Not found is then that a log is gone or
// lost its end, that something in the last 32 KB of the newest log changed, and that the manifest lost what it got since
// the folder was opened: what is missing is taken for never written. Nor is it found that the whole folder was replaced by
// an older copy.
//
// When the disk fails under a write, the process panics: what is in memory can no longer be told from what is durable.
//
// # Folder
//
//	HUB    what the folder is, in lines
//	LOCK   locked by the process that has the folder open
//	db/    the Pebble database
//
// The lines of HUB:
//
//	durable data folder
//	format 1
//	state new, state ready or state clean
//	for each recorded file of db/, its name, a space and its size in bytes
//	end
//
// HUB is written as HUB.tmp, synced and renamed. Its state is new until the database was created, and lists nothing. It is
// ready while the database is open and after a crash, and lists the manifest with the size it had at least; when a crash
// came before a newer manifest was recorded, the newer one counts. Close makes it clean, and lists the manifest, the tables
// and the logs with their exact sizes. Open makes it ready before it changes anything else.
//
// # Keys and values
//
//	key                                                               value
//	't' ‖ text(partition) ‖ sort                                      item record
//	'i' ‖ text(index partition) ‖ text(index sort) ‖ text(partition) ‖ sort   summary
//	'x' ‖ expiry in Unix seconds, 8 bytes ‖ text(partition) ‖ sort    nothing
//	'q' ‖ queue, 1 byte ‖ number of the message, 8 bytes              message record
//	'b' ‖ key                                                         blob record
//
// Numbers are big-endian; a time has its sign bit flipped. text ends a string with 00 01 and writes a 00 in it as 00 FF, so
// that keys sort as the tuples of their parts do. The queues are 'i', 'w' and 'a'.
//
// A record is a byte with its version, 1, and its fields: integers as varints, strings and bytes behind their length.
//
//	item      owner, generation, number, flags, [expiry], [index partition, index sort, summary], value
//	message   id, group, due in Unix nanoseconds, body
//	blob      time it was put in Unix milliseconds, data
//
// Of an item's flags, 1 says that it has an expiry and 2 that it is listed in the index.
package pebble

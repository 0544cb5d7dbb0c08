// Package links makes links that raise an event, for people who have no credentials: the buttons of a mail that asks for an approval.
//
// A link is a capability. Whoever has it may raise one event of one life of one instance, with one payload, once, until it expires; and
// nothing else. An activity makes it:
//
//	url, err := links.URL(ctx, orders.Approval, durable.InstanceID(ctx), orders.Decision{Approved: true}, expires)
//
// The address opens a page that says what is about to happen, with a button. Only the button raises the event: what scanners of mail and
// browsers fetch ahead changes nothing.
//
// # What a link holds
//
// All that it says is in it, readable by whoever has it, and bound by HMAC-SHA256 with a key that it names. There is nothing to look up, so
// one that was never made, is damaged, or was made with a key that is gone is answered with one and the same page, whatever instances there are.
//
//	field        encoding
//	version      1 byte: 1
//	key          length, name of the key
//	event        length, name
//	instance     length, id
//	incarnation  length, which life of the id
//	payload      length, JSON of at most MaxPayload bytes
//	expires      uvarint, Unix seconds
//	nonce        16 bytes
//	signature    32 bytes: HMAC-SHA256 of "durable/links/1", NUL, and all before
//
// Lengths are uvarints. The whole is base64url without padding.
//
// # Once
//
// The event's identity comes from the nonce, so that the event is one however often it is raised. It is raised first, and then the link is
// marked as used in the table until it has expired: after a crash between the two the link works again, and raises nothing new. All attempts
// of one activity's call make the same link out of the same event, instance and payload, used together, whatever their times of expiry.
//
// # Keys
//
// A Ring has the keys. To rotate: add a key, make it the current one, and remove the old one when its links have expired. To revoke all links
// of a key at once, remove it.
package links

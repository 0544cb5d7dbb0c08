// Package aws keeps a task hub on AWS: the table in DynamoDB, the queues in SQS, the blobs in S3. It translates calls and
// decides nothing; what items and messages mean it does not know. The resources are made by whoever deploys the hub.
//
//	hub, err := aws.Open(cfg) // names and addresses from the environment
//	hub := aws.New(aws.Config{DynamoDB: dynamodb.NewFromConfig(cfg), Table: "hub", …})
//
// # Table
//
// One table with the keys pk and sk, both of type S.
//
//	attribute  type  content
//	pk, sk     S     the item's key
//	owner      S     the owner; empty when it has none
//	gen, num   N     the sequence
//	value      B     the value
//	ttl        N     when the item expires, in Unix seconds; absent: never. The table's time-to-live attribute
//	ipk        S     partition of the index entry; this and the next two are absent when the item is not listed
//	isk        S     text(sort key of the index entry) ‖ text(pk) ‖ sk, cut to 1,024 bytes
//	summary    B     summary of the index entry
//
// The global secondary index [IndexName] has the keys ipk and isk and includes summary. A GSI does not order entries whose
// keys are equal, so isk ends with the item's own key. text ends a string with 00 01 and writes a 00 in it as 00 02, so that
// isk sorts as the tuple of its parts does. Where isk is cut, entries that differ only beyond the cut come in any order.
//
// Reads of the table are strongly consistent; those of the index are not. A put that was repeated by the SDK after its
// answer was lost finds its own item: the caller tells that by the owner.
//
// # Queues
//
// The inbox is a FIFO queue without content-based deduplication; wake and activities are standard queues. None may set
// ReceiveMessageWaitTimeSeconds, or a Receive with no wait would wait.
//
//	of a message   inbox                                        wake, activities
//	body           base64, standard alphabet, padded; "=" when empty: SQS carries text only, and no empty one
//	id             MessageDeduplicationId                       message attribute id
//	group          MessageGroupId                               message attribute group, and MessageGroupId for fairness
//	delay          –                                            DelaySeconds, rounded up
//
// A message without an id gets a random MessageDeduplicationId, and the message attribute unnamed that says so. A body that
// is not base64 was sent by somebody else; it is delivered as it is.
//
// The longest body takes 259,416 bytes in base64, and its attributes less than 400: it fits a queue that has the
// MaximumMessageSize of 256 KiB.
//
// # Permissions
//
//	dynamodb:GetItem, PutItem, DeleteItem, Query       on the table; Query on its index too
//	sqs:SendMessage, ReceiveMessage, DeleteMessage, ChangeMessageVisibility
//	s3:GetObject, PutObject, DeleteObject              on the objects
//	s3:ListBucket                                      on the bucket: without it S3 answers 403 for a blob that is not there
package aws

package aws_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/durable-lambda/durable-lambda/durable/backend"
)

func wantMention(t *testing.T, what string, err error, words ...string) {
	t.Helper()
	for _, word := range words {
		if err == nil || !strings.Contains(err.Error(), word) {
			t.Errorf("%s: got error %v, want one that mentions %q", what, err, word)
		}
	}
}

func TestPutRefusedReturnsTheItemFound(t *testing.T) {
	t.Parallel()
	const begin = `{"__type":"com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException","message":"The conditional request failed"`
	item := backend.Item{
		Key: backend.Key{Partition: "p", Sort: "s"}, Owner: "other",
		Sequence: backend.Sequence{Generation: 1, Number: 1<<64 - 1}, Value: []byte("v"),
		Expires: time.Date(2031, 2, 3, 4, 5, 6, 0, time.UTC),
		Index:   &backend.IndexEntry{Partition: "i", Sort: "a\x00", Summary: []byte("sum")},
	}
	for name, c := range map[string]struct {
		body string
		want *backend.Item
	}{
		"none": {body: begin + `}`},
		"whole": {
			body: begin + `,"Item":{"pk":{"S":"p"},"sk":{"S":"s"},"owner":{"S":"other"},"gen":{"N":"1"},` +
				`"num":{"N":"18446744073709551615"},"value":{"B":"dg=="},"ttl":{"N":"1927857906"},` +
				`"ipk":{"S":"i"},"isk":{"S":"a\u0000\u0002\u0000\u0001p\u0000\u0001s"},"summary":{"B":"c3Vt"}}}`,
			want: &item,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			table := answering(answer{status: http.StatusBadRequest, body: c.body}).Table
			err := table.Put(t.Context(), item, backend.Absent())
			var failed *backend.ConditionError
			if !errors.As(err, &failed) {
				t.Fatalf("got error %v, want a *backend.ConditionError", err)
			}
			if diff := cmp.Diff(c.want, failed.Found); diff != "" {
				t.Errorf("the item found (-want +got):\n%s", diff)
			}
		})
	}
}

func TestForeignItemsAreErrors(t *testing.T) {
	t.Parallel()
	const foreign = `{"pk":{"S":"p"},"sk":{"S":"s"},"owner":{"S":""},"gen":{"N":"-1"},"num":{"N":"0"},"value":{"B":""}}`
	_, err := answering(answer{status: http.StatusOK, body: `{"Item":` + foreign + `}`}).Table.
		Get(t.Context(), backend.Key{Partition: "p", Sort: "s"})
	wantMention(t, "Get", err, "gen", "did not write")
}

func TestErrorsSayWhatToDo(t *testing.T) {
	t.Parallel()
	hub := answering(answer{status: http.StatusBadRequest, body: `{"__type":"x#ResourceNotFoundException","message":"Cannot do operations on a non-existent table"}`})
	_, err := hub.Table.Get(t.Context(), backend.Key{Partition: "p", Sort: "s"})
	wantMention(t, "Get", err, "non-existent table", "check the table's name")

	hub = answering(answer{status: http.StatusForbidden, body: `<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>`})
	_, err = hub.Blobs.Get(t.Context(), "k")
	wantMention(t, "Get blob", err, "AccessDenied", "permission")
	if errors.Is(err, backend.ErrNoBlob) {
		t.Error("a blob that may not be read counts as missing")
	}
}

func TestMissingBlob(t *testing.T) {
	t.Parallel()
	hub := answering(answer{status: http.StatusNotFound, body: `<Error><Code>NoSuchKey</Code><Message>The specified key does not exist.</Message></Error>`})
	if _, err := hub.Blobs.Get(t.Context(), "k"); !errors.Is(err, backend.ErrNoBlob) {
		t.Errorf("got error %v, want one that wraps ErrNoBlob", err)
	}
}

func TestSendMapsErrorsToPositions(t *testing.T) {
	t.Parallel()
	hub := answering(answer{status: http.StatusOK, body: `{
		"Successful":[{"Id":"0","MessageId":"m","MD5OfMessageBody":"9c7e7796fe98d7f60c1e48232b9b0f04"}],
		"Failed":[{"Id":"3","Code":"InternalError","Message":"try again","SenderFault":false},{"Id":"77","Code":"Odd","SenderFault":true}]}`})
	errs := hub.Wake.Send(t.Context(), []backend.Message{{Body: []byte("i")}, {Delay: -1}, {Body: []byte("c")}, {Body: []byte("d")}})
	if len(errs) != 4 || errs[0] != nil {
		t.Fatalf("got errors %v, want four, the first nil", errs)
	}
	wantInvalid(t, "the second", errs[1])
	wantMention(t, "the third", errs[2], "wake", "does not mention")
	wantMention(t, "the fourth", errs[3], "InternalError", "try again")

	hub = answering(answer{status: http.StatusForbidden, body: `{"__type":"com.amazon.coral.service#AccessDeniedException","message":"no"}`})
	for i, err := range hub.Wake.Send(t.Context(), make([]backend.Message, 12)) {
		wantMention(t, "message "+string(rune('a'+i)), err, "AccessDenied")
	}
}

func TestAckIgnoresReceiptsOfThePast(t *testing.T) {
	t.Parallel()
	const past = `{"Id":"0","Code":"ReceiptHandleIsInvalid","Message":"The input receipt handle is invalid.","SenderFault":true},
		{"Id":"1","Code":"InvalidParameterValue","Message":"Value x for parameter ReceiptHandle is invalid. Reason: The receipt handle has expired.","SenderFault":true}`
	deliveries := []backend.Delivery{{Receipt: "a"}, {Receipt: "b"}, {Receipt: "c"}}
	ack := func(failed string) error {
		body := `{"Successful":[{"Id":"2"}],"Failed":[` + failed + `]}`
		return answering(answer{status: http.StatusOK, body: body}).Inbox.Ack(t.Context(), deliveries)
	}
	if err := ack(past); err != nil {
		t.Errorf("got error %v, want none", err)
	}
	wantMention(t, "Ack", ack(past[:strings.Index(past, "},")]+`},{"Id":"1","Code":"InternalError","Message":"oops","SenderFault":false}`), "InternalError", "oops")
	wantMention(t, "Ack", ack(""), "does not mention")
}

func TestDeferIgnoresReceiptsOfThePast(t *testing.T) {
	t.Parallel()
	for code, c := range map[string]struct {
		message string
		fails   bool
	}{
		"ReceiptHandleIsInvalid":                    {message: "The input receipt handle is invalid."},
		"AWS.SimpleQueueService.MessageNotInflight": {message: "The message is not in flight."},
		"InvalidParameterValue":                     {message: "Value x for parameter ReceiptHandle is invalid. Reason: Message does not exist or is not available for visibility timeout change."},
		"InvalidParameterValueException": {
			message: "Value 43200 for parameter VisibilityTimeout is invalid. Reason: Total VisibilityTimeout for the message is beyond the limit [43200 seconds]",
			fails:   true,
		},
	} {
		hub := answering(answer{
			status: http.StatusBadRequest,
			header: map[string]string{"x-amzn-query-error": code + ";Sender"},
			body:   `{"__type":"com.amazonaws.sqs#` + code + `","message":"` + c.message + `"}`,
		})
		if err := hub.Wake.Defer(t.Context(), backend.Delivery{Receipt: "x"}, time.Hour); (err != nil) != c.fails {
			t.Errorf("%s: got error %v", code, err)
		}
	}
}

func TestCallsEndWithTheContextsError(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	hub := overWire(func(*http.Request) (*http.Response, error) {
		cancel()
		return nil, errors.New("connection reset")
	})
	if _, err := hub.Wake.Receive(ctx, 1, time.Minute); !errors.Is(err, context.Canceled) {
		t.Errorf("got error %v, want context.Canceled", err)
	}
}

func TestListGoesOnWhereS3Stopped(t *testing.T) {
	t.Parallel()
	var asked []string
	hub := overWire(func(r *http.Request) (*http.Response, error) {
		q := r.URL.Query()
		asked = append(asked, strings.Join([]string{q.Get("prefix"), q.Get("start-after"), q.Get("max-keys"), q.Get("continuation-token")}, " "))
		body := `<ListBucketResult><IsTruncated>true</IsTruncated><NextContinuationToken>more</NextContinuationToken>
			<Contents><Key>hub/a/1</Key><Size>7</Size><LastModified>2026-01-02T03:04:05.000Z</LastModified></Contents></ListBucketResult>`
		if len(asked) == 2 {
			body = `<ListBucketResult><Contents><Key>hub/a/2</Key><Size>8</Size></Contents></ListBucketResult>`
		}
		return &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Request: r, Body: io.NopCloser(strings.NewReader(body))}, nil
	})
	got, err := hub.Blobs.List(t.Context(), "a/", "a/0", 1005)
	if err != nil || len(got) != 2 || got[0].Key != "a/1" || got[0].Size != 7 || got[0].Modified.Year() != 2026 || got[1].Key != "a/2" {
		t.Errorf("listed %+v, %v", got, err)
	}
	want := []string{"hub/a/ hub/a/0 1000 ", "hub/a/ hub/a/0 1000 more"}
	if !slices.Equal(asked, want) {
		t.Errorf("asked for %q, want %q", asked, want)
	}
}

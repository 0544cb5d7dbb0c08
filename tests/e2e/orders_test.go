//go:build e2e

package e2e_test

import (
	"encoding/json"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/google/go-cmp/cmp"
)

const (
	large    = `"unitPrice":250000`
	notLarge = `"unitPrice":1250`
)

func TestASmallOrderCompletes(t *testing.T) {
	undisturbed(t)
	in := place(t, "small")
	s := in.end("Completed")
	in.wants(s, "Completed", "completed", "tracking number")
	in.wantsMails("received", "shipped", "billed", "completed")
	var receipt struct {
		Order, Charge, Tracking, Currency string
		Amount                            int
	}
	if err := json.Unmarshal(s.Output, &receipt); err != nil {
		t.Fatalf("the receipt: %v: %s", err, s.Output)
	}
	if receipt.Order != run+"-small" || receipt.Amount != 2500 || receipt.Currency != "EUR" || receipt.Charge == "" || receipt.Tracking == "" {
		t.Errorf("the receipt is %+v", receipt)
	}

	if again := place(t, "small"); again.StatusQueryGetURI != in.StatusQueryGetURI {
		t.Errorf("placed again it is at %s, was at %s", again.StatusQueryGetURI, in.StatusQueryGetURI)
	}
	if code, reply := request(t, "POST", "/orders", order("small", "1250", "1300")); code != http.StatusConflict {
		t.Errorf("another order under its id was answered with %d %s, want 409", code, reply)
	}
	in.wantsMails("received", "shipped", "billed", "completed")
}

func TestALargeOrderIsApproved(t *testing.T) {
	undisturbed(t)
	in := place(t, "approved", notLarge, large)
	in.until("waits for its approval", atStep("awaiting approval"))
	in.decide(`{"approved":true,"by":"Bob","comment":"fine"}`)
	in.wants(in.end("Completed"), "Completed", "completed", "tracking number")
	in.wantsMails("received", "awaiting approval", "approved", "shipped", "billed", "completed")
}

// Somebody without any credentials approves an order by the link of a mail, once, and only when it is confirmed.
func TestALargeOrderIsApprovedByALink(t *testing.T) {
	undisturbed(t)
	in := place(t, "by-link", notLarge, large)
	var links []string
	eventually(t, "the approver has a mail with two links", func() bool {
		for _, m := range sent(t) {
			if m.to == "boss@example.com" && m.subject == "Approve order "+strings.TrimPrefix(in.id, "order-")+"?" {
				links = regexp.MustCompile(`/links/\S+`).FindAllString(m.text, -1)
			}
		}
		return len(links) == 2
	})
	approve, reject := links[0], links[1]
	if code, page := request(t, "GET", approve, ""); code != http.StatusOK || !strings.Contains(page, "Confirm") {
		t.Fatalf("the page is %d %s", code, page)
	}
	if code, page := request(t, "POST", approve[:len(approve)-1], ""); code != http.StatusNotFound {
		t.Errorf("a link that was cut is answered %d %s", code, page)
	}
	if !atStep("awaiting approval")(in.get("")) {
		t.Error("a look at the page has decided")
	}
	if code, page := request(t, "POST", approve, ""); code != http.StatusOK || !strings.Contains(page, "Done.") {
		t.Errorf("confirmed, it is answered %d %s", code, page)
	}
	in.wants(in.end("Completed"), "Completed", "completed", "tracking number")
	for link, says := range map[string]string{approve: "used before", reject: "Nobody waits"} {
		if code, page := request(t, "POST", link, ""); code != http.StatusGone || !strings.Contains(page, says) {
			t.Errorf("afterwards it is answered %d %s, want %q", code, page, says)
		}
	}
}

func TestALargeOrderIsRejected(t *testing.T) {
	undisturbed(t)
	in := place(t, "rejected", notLarge, large)
	in.until("waits for its approval", atStep("awaiting approval"))
	in.decide(`{"approved":false,"by":"Bob"}`)
	s := in.end("Failed")
	in.wants(s, "Failed", "failed and refunded", "rejected by Bob; undone: the reservation")
	if s.FailureDetails == nil || s.FailureDetails.ErrorType != "NotApproved" {
		t.Errorf("it failed of %+v; want NotApproved", s.FailureDetails)
	}
	if last := in.wantsMails("received", "awaiting approval", "rejected", "failed and refunded"); !strings.Contains(last, "Your card was not charged") {
		t.Errorf("the last mail says %s", last)
	}
}

// The window of an order that comes through the door is the deployment's, so this one comes through the management API.
func TestNobodyApprovesALargeOrder(t *testing.T) {
	undisturbed(t)
	id := "order-" + run + "-forgotten"
	in := begin(t, id, management+"/orchestrators/ProcessOrder/"+id,
		`{"order":`+order("forgotten", notLarge, large)+`,"approvalWindow":"8s"}`)
	in.wants(in.end("Failed"), "Failed", "failed and refunded", "nobody approved it within 8s")
	in.wantsMails("received", "awaiting approval", "rejected", "failed and refunded")
}

func TestADeclinedCardUndoesWhatWasDone(t *testing.T) {
	undisturbed(t)
	in := place(t, "declined", "tok_visa", "tok_declined")
	s := in.end("Failed")
	in.wants(s, "Failed", "failed and refunded", "the card was declined; undone: the shipment, the reservation")
	var undone []string
	for _, e := range s.HistoryEvents {
		if e.EventType == "TaskCompleted" && strings.HasPrefix(e.FunctionName, "Re") && e.FunctionName != "ReserveStock" {
			undone = append(undone, e.FunctionName)
		}
	}
	if diff := cmp.Diff([]string{"RefundCard", "RecallParcel", "ReleaseStock"}, undone); diff != "" {
		t.Errorf("the compensations differ (-want +got):\n%s", diff)
	}
	if last := in.wantsMails("received", "shipped", "failed and refunded"); !strings.Contains(last, "the card was declined") {
		t.Errorf("the last mail says %s", last)
	}
}

// The carrier answers neither of the attempts, and by then the card is charged: the money goes back, and a mail says so.
func TestAShipmentThatFailsIsRefunded(t *testing.T) {
	undisturbed(t)
	in := place(t, "nowhere", `"DE"`, `"ZZ"`)
	in.wants(in.end("Failed"), "Failed", "failed and refunded", "undone: the charge of EUR 25.00, the reservation")
	if last := in.wantsMails("received", "billed", "failed and refunded"); !strings.Contains(last, "your money is given back") {
		t.Errorf("the last mail says %s", last)
	}
}

func TestWhatIsOutOfStock(t *testing.T) {
	undisturbed(t)
	in := place(t, "sold-out", "BOOK-1", "SOLD-OUT-1")
	in.wants(in.end("Failed"), "Failed", "failed and refunded", "an item is out of stock")
	in.wantsMails("received", "failed and refunded")
}

func TestAnOrderFromTheQueue(t *testing.T) {
	undisturbed(t)
	in := known(t, "order-"+run+"-queued")
	for range 2 { // a queue may deliver twice, and so may whoever sends to it
		_, err := hub.queues.SendMessage(t.Context(), &sqs.SendMessageInput{
			QueueUrl: aws.String(hub.outputs["OrdersQueueUrl"]), MessageBody: aws.String(order("queued")),
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	in.wants(in.end("Completed"), "Completed", "completed", "tracking number")
	in.wantsMails("received", "shipped", "billed", "completed")
}

// standingOrder is of a customer of its own, whose mails tell the orders' ids.
const standingOrder = `{"customer":{"name":"Grace","email":"grace@example.com"},"currency":"EUR",` +
	`"items":[{"sku":"TEA-1","quantity":1,"unitPrice":900}],` +
	`"shipTo":{"street":"1 Main St","city":"Berlin","postcode":"10115","country":"DE"},"payment":{"token":"tok_visa"}}`

func TestAStandingOrderFromTheSchedule(t *testing.T) {
	undisturbed(t)
	var in *instance
	eventually(t, "a standing order has been placed", func() bool {
		for _, m := range sent(t) {
			id, received := strings.CutSuffix(strings.TrimPrefix(m.subject, "Order "), ": received")
			if m.to != "grace@example.com" || !received || in != nil {
				continue
			}
			// The id is the rule's name and the time of its tick.
			ticked, err := time.Parse("20060102T150405Z", id[strings.LastIndexByte(id, '-')+1:])
			if err != nil {
				t.Fatalf("the id of a standing order: %v", err)
			}
			if ticked.After(deployed) { // others are from a run before, whose stack was kept
				in = known(t, "order-"+id)
			}
		}
		return in != nil
	})
	var receipt struct{ Amount int }
	if s := in.end("Completed"); json.Unmarshal(s.Output, &receipt) != nil || receipt.Amount != 900 {
		t.Errorf("the receipt is %s; want an amount of 900", s.Output)
	}
}

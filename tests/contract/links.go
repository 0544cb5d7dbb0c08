package contract

import (
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
)

// checkStatus wants the body of a check-status answer, its members in their order, and the headers that go with it. Carried is what the
// links have beside the hub's name.
func checkStatus(carried string) check {
	return func(a answer) error {
		var got struct{ ID string }
		if err := a.read(&got); err != nil {
			return err
		}
		if got.ID == "" {
			return fmt.Errorf("it names no instance")
		}
		query := "taskHub=" + a.run.Hub + carried
		instance := a.run.URL + base + "/instances/" + strings.ReplaceAll(url.QueryEscape(got.ID), "+", "%20")
		id, err := json.Marshal(got.ID)
		if err != nil {
			return err
		}
		want := fmt.Sprintf(`{"id":%s,"statusQueryGetUri":"%[2]s?%[3]s","sendEventPostUri":"%[2]s/raiseEvent/{eventName}?%[3]s",`+
			`"terminatePostUri":"%[2]s/terminate?reason={text}&%[3]s","rewindPostUri":"%[2]s/rewind?reason={text}&%[3]s",`+
			`"purgeHistoryDeleteUri":"%[2]s?%[3]s","restartPostUri":"%[2]s/restart?%[3]s",`+
			`"suspendPostUri":"%[2]s/suspend?reason={text}&%[3]s","resumePostUri":"%[2]s/resume?reason={text}&%[3]s"}`, id, instance, query)
		if string(a.body) != want {
			return fmt.Errorf("want %s", want)
		}
		if err := header("Location", instance+"?"+query)(a); err != nil {
			return err
		}
		return header("Retry-After", "10")(a)
	}
}

// named wants the answer to be about this instance.
func named(id string) check { return has("id", `"`+id+`"`) }

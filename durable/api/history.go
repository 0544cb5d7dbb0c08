package api

import (
	"fmt"
	"hash/fnv"
	"net/http"
	"strconv"
	"strings"

	"github.com/durable-lambda/durable-lambda/durable"
	"github.com/durable-lambda/durable-lambda/durable/history"
)

// historyBytes is how much of a history one answer has, about: Lambda passes on 6 MB.
const historyBytes = 3 << 20

// history serves GET instances/{id}/history: all of it as it is recorded, a page at a time. Durable Functions has only what showHistory shows.
func (a *API) history(w http.ResponseWriter, r request) {
	if err := history.CheckInstanceID(r.id()); err != nil {
		Problem(w, http.StatusNotFound, "There is no instance with this id.", err.Error())
		return
	}
	token, err := continuation.DecodeString(r.Header.Get(continuationHeader))
	if err != nil {
		badPlace(w)
		return
	}
	events, err := a.client.History(r.Context(), r.id())
	if err != nil {
		Error(w, err)
		return
	}
	from, mark := 0, markOf(events)
	if len(token) > 0 {
		place, of, _ := strings.Cut(string(token), ".")
		if from, err = strconv.Atoi(place); err != nil || from < 0 || from > len(events) || of != mark {
			badPlace(w)
			return
		}
	}
	page := []durable.HistoryEvent{}
	for size := 0; from < len(events); from++ {
		size += events[from].Size() + len(events[from].Data.Bytes) + 200 // what comes from a blob, and the names of the fields
		if len(page) > 0 && size > historyBytes {
			goOn(w, strconv.Itoa(from)+"."+mark)
			break
		}
		page = append(page, events[from])
	}
	writeJSON(w, http.StatusOK, page)
}

func badPlace(w http.ResponseWriter) {
	Problem(w, http.StatusBadRequest, "The continuation token is not one of this history's.",
		"The instance may have begun anew since: read it from the beginning, without a token.")
}

// markOf tells a history from others of the same instance: each begins with an event of its own.
func markOf(events []durable.HistoryEvent) string {
	if len(events) == 0 {
		return "0"
	}
	h := fnv.New64a()
	fmt.Fprint(h, events[0].Kind, events[0].Time.UnixMilli(), events[0].At.UnixMilli())
	return strconv.FormatUint(h.Sum64(), 36)
}

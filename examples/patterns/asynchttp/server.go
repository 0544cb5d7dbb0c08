// Package asynchttp is the pattern async HTTP: a request begins work that takes long, and is answered at once with 202 and where to
// look. Both ends are orchestrations here; either of them works with any other program at its other end.
package asynchttp

import (
	"encoding/json"
	"net/http"
	"time"

	"github.com/durable-lambda/durable-lambda/durable"
	"github.com/durable-lambda/durable-lambda/durable/api"
)

// Film is what is to be rendered.
type Film struct {
	Name    string `json:"name"`
	Minutes int    `json:"minutes"`
}

// The contracts of the server.
var (
	RenderMinute = durable.NewActivity[int, durable.None]("RenderMinute")
	Render       = durable.NewOrchestration[Film, string]("Render")
)

// Serve is the body of Render: a minute of film takes a minute.
func Serve(ctx durable.Context, f Film) (string, error) {
	for n := range f.Minutes {
		ctx.SetStatus(map[string]int{"minutes": n})
		if _, err := RenderMinute.Call(ctx, n); err != nil {
			return "", err
		}
		if err := durable.Sleep(ctx, time.Minute); err != nil {
			return "", err
		}
	}
	return f.Name + ".mp4", nil
}

// Handler answers POST /films with 202, Location and Retry-After, and shows at the Location how far the film is. The film's name is the
// id, so a request that is sent again finds the work that the first one began.
func Handler(c durable.Client) (http.Handler, error) {
	status, err := api.New(api.Config{Client: c, Hub: "films"})
	if err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	mux.Handle(api.Base+"/", status)
	mux.HandleFunc("POST /films", func(w http.ResponseWriter, r *http.Request) {
		var f Film
		if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, 1<<16)).Decode(&f); err != nil {
			api.Problem(w, http.StatusBadRequest, "This is no film.", err.Error())
			return
		}
		run, err := Render.Submit(r.Context(), c, f, durable.ID("film-"+f.Name), durable.UseSame)
		if err != nil {
			api.Error(w, err)
			return
		}
		status.Accepted(w, r, run.ID())
	})
	return mux, nil
}

// Command durable is the command line of durable workflows. Its dev command is the order demonstration, in one process.
package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/alecthomas/kong"

	"github.com/durable-lambda/durable-lambda/durable"
	"github.com/durable-lambda/durable-lambda/durable/api"
	"github.com/durable-lambda/durable-lambda/durable/dev"
	"github.com/durable-lambda/durable-lambda/examples/orders"
	"github.com/durable-lambda/durable-lambda/examples/orders/fulfilment"
	"github.com/durable-lambda/durable-lambda/examples/orders/notify"
	"github.com/durable-lambda/durable-lambda/examples/orders/shop"
	"github.com/durable-lambda/durable-lambda/examples/orders/web"
)

type cli struct {
	Dev     devCommand     `cmd:"" help:"Serve the order demonstration in this process."`
	Doctor  doctorCommand  `cmd:"" help:"Look for what an accident has left in a hub, and repair it."`
	Dlq     dlqCommand     `cmd:"" help:"List, show and take back dead letters."`
	Keys    keysCommand    `cmd:"" help:"Add, list and remove keys of the HTTP API."`
	Binding bindingCommand `cmd:"" help:"Print what Azure's clients for Python and Node need to know of a hub."`
}

// status is the exit status of a command that has said what there is to say.
type status int

func (s status) Error() string { return fmt.Sprintf("exit status %d", int(s)) }

func main() {
	c := kong.Parse(new(cli), kong.Name("durable"), kong.UsageOnError(), kong.Exit(exit),
		kong.Description("Durable workflows in Go, on AWS or in one process."))
	err := c.Run()
	var said status
	if errors.As(err, &said) {
		os.Exit(int(said))
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "durable:", err)
		os.Exit(failed)
	}
}

// exit makes no difference between what is wrong with a command line and what is wrong with anything else.
func exit(code int) { os.Exit(min(code, failed)) }

// Exit statuses. Findings that are left are no failure of the command.
const (
	findingsLeft status = 1
	failed              = 2
)

type devCommand struct {
	Addr string `default:"127.0.0.1:8080" help:"Address to listen on."`
	Data string `default:".durable" help:"Folder that everything is kept in; it is made when it is not there." placeholder:"DIR"`
	Keys bool   `help:"Ask for a key that durable keys add has made."`
	// Pprof is on a port of its own, so that nothing that is let through to the server reaches it.
	Pprof bool `help:"Serve profiles of the process, for go tool pprof, on a free port of 127.0.0.1; it says which."`
	// ApprovalWindow holds for orders that are placed from now on.
	ApprovalWindow time.Duration `default:"72h" help:"How long a large order waits for its approval." placeholder:"72h"`
}

// Run serves the demonstration until it is told to stop.
func (c *devCommand) Run() error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	d := demonstration(c.Addr, c.Data, c.ApprovalWindow)
	d.Keys = c.Keys
	if c.Pprof {
		base, stop, err := serveProfiles()
		if err != nil {
			return err
		}
		defer stop()
		d.Hints = append(d.Hints, "Profile it:      go tool pprof -http=: "+base+"profile?seconds=10")
	}
	return dev.Serve(ctx, d)
}

// demonstration wires the orders: the shop keeps its records in the hub's table, mail goes into the server's mailbox.
func demonstration(addr, data string, approvalWindow time.Duration) dev.Config {
	return dev.Config{
		Addr: addr, Data: data, AddrSetting: "--addr", DataSetting: "--data",
		Title: "durable dev: the order demonstration",
		Hints: []string{"Place an order:  curl -d @examples/orders/order.json http://" + addr + "/orders"},
		Handlers: func(s dev.Services) []durable.Handler {
			handlers := append(shop.Embedded(s.Table).Handlers(), notify.Notifier{Mailer: s.Mailer, Approver: "approver@example.com"}.Handlers()...)
			return append(handlers, orders.ProcessOrder.Bind(fulfilment.ProcessOrder))
		},
		Routes: func(mux *http.ServeMux, s dev.Services, a *api.API) {
			mux.Handle("/orders", web.Handler(web.Config{Client: s.Client, ApprovalWindow: approvalWindow,
				Accepted: a.Accepted, Problem: api.Problem, Log: s.Log}))
			mux.HandleFunc("/orders/", web.Elsewhere(api.Problem))
		},
	}
}

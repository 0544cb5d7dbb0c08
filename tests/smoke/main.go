// Command smoke deploys the order demonstration under a throw-away name, puts it through its paces, says how long each took
// and how many requests it made of AWS, and removes it again.
//
//	make smoke-aws                 says what it would do, in which account, and what that costs
//	SMOKE_AWS=yes make smoke-aws   does it
//
// Where AWS_ENDPOINT_URL is an emulator on this machine it asks for no consent, because it costs nothing.
//
//	SMOKE_AWS        yes: the consent to spend money
//	SMOKE_MAIL_FROM  the sender of mails, an address or a domain that SES knows as verified; empty: mails go to the log
//	-fan-out n       how many activities are run at once; 1000
//	-keep            leave everything where it is, and say how to remove it
//	-delete stack    remove what an earlier run has left
//	-v               show what sam says
//
// It exits with 0 when everything was well, with 1 when something was not, and with 2 when it did nothing.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/durable-lambda/durable-lambda/examples/drills"
)

const (
	well    = 0
	notWell = 1
	nothing = 2
)

// options are what the command line says.
type options struct {
	fanOut  int
	keep    bool
	earlier string
	verbose bool
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	told := context.AfterFunc(ctx, func() {
		stop() // so that the next signal ends the program
		fmt.Println("\nStopping, and removing what is there. Once more Ctrl-C leaves it, and -delete removes it later.")
	})
	code := run(ctx, os.Args[1:], os.Stdout)
	told()
	stop()
	os.Exit(code)
}

func run(ctx context.Context, args []string, out io.Writer) int {
	o, err := parse(args, out)
	if errors.Is(err, flag.ErrHelp) {
		return nothing
	}
	if err == nil {
		err = checkFolder()
	}
	var c *cloud
	if err == nil {
		c, err = connect(ctx, os.Getenv("AWS_ENDPOINT_URL"))
	}
	if err != nil {
		fmt.Fprintln(out, "smoke:", err)
		return nothing
	}
	if o.earlier != "" {
		return removeEarlier(ctx, c, o.earlier, out)
	}
	r, err := newRun(ctx, c, o, os.Getenv("SMOKE_MAIL_FROM"), out)
	if err != nil {
		fmt.Fprintln(out, "smoke:", err)
		return nothing
	}
	if !c.local() && os.Getenv("SMOKE_AWS") != "yes" {
		fmt.Fprint(out, r.intent())
		return nothing
	}
	return r.run(ctx)
}

func parse(args []string, out io.Writer) (o options, err error) {
	flags := flag.NewFlagSet("smoke", flag.ContinueOnError)
	flags.SetOutput(out)
	flags.IntVar(&o.fanOut, "fan-out", drills.MaxActivities, "how many activities are run at once")
	flags.BoolVar(&o.keep, "keep", false, "leave everything where it is, and say how to remove it")
	flags.StringVar(&o.earlier, "delete", "", "`stack` of an earlier run to remove")
	flags.BoolVar(&o.verbose, "v", false, "show what sam says")
	if err := flags.Parse(args); err != nil {
		return o, err
	}
	if flags.NArg() > 0 {
		return o, fmt.Errorf("%q is too much; -help lists what there is", flags.Args())
	}
	if err := (drills.Load{Activities: o.fanOut}).Check(); err != nil {
		return o, fmt.Errorf("-fan-out: %w", err)
	}
	if o.earlier != "" && !isName(o.earlier) {
		return o, fmt.Errorf("-delete removes only stacks of this command, such as %s; %q is none", newName(), o.earlier)
	}
	return o, nil
}

// checkFolder refuses to run where the template is not.
func checkFolder() error {
	if _, err := os.Stat(template); err != nil {
		return fmt.Errorf("%w; run this in the root of the repository", err)
	}
	return nil
}

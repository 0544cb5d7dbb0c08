package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"
)

// smokeRun is one run: a deployment, its steps and its end.
type smokeRun struct {
	*cloud
	options
	sam *sam
	out io.Writer
	// name is that of the stack.
	name string
	// mailFrom is the sender of mails; empty when they go to the log.
	mailFrom string
	pace     pace
}

func newRun(ctx context.Context, c *cloud, o options, mailFrom string, out io.Writer) (*smokeRun, error) {
	r := &smokeRun{cloud: c, options: o, out: out, name: newName(), pace: pace{250 * time.Millisecond, 5 * time.Minute}}
	if c.local() {
		r.pace = pace{time.Second, 10 * time.Minute} // an emulator does some fifty calls a second
	}
	var words io.Writer
	if o.verbose {
		words = out
	}
	var err error
	if r.sam, err = findSAM(c.config.Region, words); err != nil {
		return nil, err
	}
	r.mailFrom, err = c.sender(ctx, mailFrom)
	return r, err
}

func (r *smokeRun) say(format string, args ...any) { fmt.Fprintf(r.out, format+"\n", args...) }

// intent says what the run would do.
func (r *smokeRun) intent() string {
	mail := "SMOKE_MAIL_FROM is not set, so mails go to the log instead of " + customer
	if r.mailFrom != "" {
		mail = "from " + r.mailFrom + " to " + customer + ", which SES counts as sent and delivers to nobody"
	}
	return fmt.Sprintf(`This deploys the order demonstration to AWS, puts it through its paces, and removes it again.

  account  %s, as %s
  region   %s
  stack    %s: functions, queues, a table, a bucket, an API and their roles
  mail     %s
  time     about ten minutes
  cost     less than $0.10

Nothing has been done yet. To go on:

  SMOKE_AWS=yes make smoke-aws
`, r.account, r.who, r.config.Region, r.name, mail)
}

// run does everything and returns the exit code.
func (r *smokeRun) run(ctx context.Context) int {
	where := "AWS account " + r.account + ", " + r.config.Region
	if r.local() {
		where = "the emulator at " + r.endpoint
	}
	r.say("Stack %s in %s.", r.name, where)
	err := r.work(ctx)
	if err != nil && ctx.Err() == nil { // who interrupts it knows why
		r.say("smoke: %v", err)
	}
	if err := r.end(context.WithoutCancel(ctx)); err != nil {
		r.say("smoke: %v", err)
		return notWell
	}
	if err != nil {
		return notWell
	}
	r.say("Everything was well.")
	return well
}

// work deploys, takes the steps and counts.
func (r *smokeRun) work(ctx context.Context) error {
	begin := time.Now()
	folder, err := os.MkdirTemp("", prefix)
	if err != nil {
		return err
	}
	defer os.RemoveAll(folder)
	d, err := r.deploy(ctx, filepath.Join(folder, "build"))
	if err != nil {
		return err
	}
	r.line("ok", "built and deployed with sam", time.Since(begin), "")
	if err := r.walk(ctx, d, r.steps()); err != nil {
		r.complain(ctx, d)
		return err
	}
	return r.count(ctx, d)
}

// end removes everything, or says how to.
func (r *smokeRun) end(ctx context.Context) error {
	if r.keep {
		r.say("Everything is left where it is; every minute it places an order. This removes it:\n\n  %s\n", deletion(r.name))
		return nil
	}
	r.say("Removing everything ...")
	begin := time.Now()
	ctx, cancel := context.WithTimeout(ctx, 30*time.Minute)
	defer cancel()
	if err := r.remove(ctx, r.name); err != nil {
		return err
	}
	r.line("ok", "removed, and nothing is left", time.Since(begin), "")
	return nil
}

// Package cold measures what a cold start of the Lambda functions costs: what is downloaded, and what happens between the
// start of the process and its first question for work.
package cold_test

import (
	"archive/zip"
	"bytes"
	"compress/flate"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// functions are the roots, in the order in which an order meets them.
var functions = []string{"starter", "orchestrator", "activity"}

// environment is what the template gives, with names of nothing.
var environment = []string{
	"AWS_REGION=eu-central-1", "AWS_ACCESS_KEY_ID=x", "AWS_SECRET_ACCESS_KEY=x", "AWS_LAMBDA_LOG_FORMAT=JSON",
	"DURABLE_HUB=hub", "DURABLE_TABLE=table", "DURABLE_BUCKET=bucket", "DURABLE_INBOX_URL=http://127.0.0.1:1/1/inbox.fifo",
	"DURABLE_WAKE_URL=http://127.0.0.1:1/1/wake", "DURABLE_ACTIVITIES_URL=http://127.0.0.1:1/1/activities",
	"ORDERS_MAIL_FROM=shop@example.com",
}

// BenchmarkStart reports, for each function, the time and the processor time from the start of the process to its first
// request for an event, and the size of its zip file.
func BenchmarkStart(b *testing.B) {
	for _, name := range functions {
		b.Run(name, func(b *testing.B) {
			binary := build(b, name)
			asked := make(chan struct{})
			runtime := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
				asked <- struct{}{}
				<-r.Context().Done()
			}))
			defer runtime.Close()
			var cpu time.Duration
			for b.Loop() {
				cmd := exec.Command(binary)
				cmd.Env = append(environment, "AWS_LAMBDA_RUNTIME_API="+runtime.Listener.Addr().String())
				cmd.Stdout, cmd.Stderr = os.Stderr, os.Stderr
				if err := cmd.Start(); err != nil {
					b.Fatal(err)
				}
				select {
				case <-asked:
				case <-time.After(10 * time.Second):
					b.Fatal("it never asks for an event")
				}
				b.StopTimer()
				_ = cmd.Process.Kill()
				_ = cmd.Wait()
				cpu += cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
				b.StartTimer()
			}
			b.ReportMetric(float64(cpu.Microseconds())/1000/float64(b.N), "cpu-ms/op")
			b.ReportMetric(float64(zipped(b, binary))/1e6, "zip-MB")
		})
	}
}

// build builds a function as infra/build does, for this machine unless env says for which.
func build(b testing.TB, name string, env ...string) string {
	b.Helper()
	out := filepath.Join(b.TempDir(), "bootstrap")
	cmd := exec.Command("go", "build", "-tags", "lambda.norpc", "-trimpath", "-ldflags", "-s -w", "-o", out, "../../lambdas/"+name)
	cmd.Env = append(append(os.Environ(), "CGO_ENABLED=0"), env...)
	if msg, err := cmd.CombinedOutput(); err != nil {
		b.Fatalf("%v: %s", err, msg)
	}
	return out
}

// zipped is the size of the zip file.
func zipped(b testing.TB, binary string) int {
	b.Helper()
	content, err := os.ReadFile(binary)
	if err != nil {
		b.Fatal(err)
	}
	var out bytes.Buffer
	w := zip.NewWriter(&out)
	w.RegisterCompressor(zip.Deflate, func(out io.Writer) (io.WriteCloser, error) { return flate.NewWriter(out, flate.BestCompression) })
	f, err := w.Create("bootstrap")
	if err == nil {
		_, err = f.Write(content)
	}
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		b.Fatal(err)
	}
	return out.Len()
}

package dev

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net"
	"os"

	"github.com/durable-lambda/durable-lambda/durable/api"
)

// banner says where everything is.
func (c *Config) banner(addr net.Addr, data string) {
	base := "http://" + addr.String()
	fmt.Fprintf(c.Out, "%s\n\n", c.Title)
	for _, l := range [][2]string{
		{"instances", base + "/"},
		{"mail", base + "/mail"},
		{"API", base + api.Base},
		{"data", data},
	} {
		fmt.Fprintf(c.Out, "  %-10s %s\n", l[0], l[1])
	}
	fmt.Fprintln(c.Out)
	for _, h := range c.Hints {
		fmt.Fprintf(c.Out, "  %s\n", h)
	}
	if len(c.Hints) > 0 {
		fmt.Fprintln(c.Out)
	}
	fmt.Fprintln(c.Out, "  Ctrl-C stops it. Whatever is under way goes on at the next start.")
}

// buildID names the executable by its content, so that a rebuilt one tries again what the last could not run.
func buildID() string {
	path, err := os.Executable()
	if err != nil {
		return "unknown"
	}
	f, err := os.Open(path)
	if err != nil {
		return "unknown"
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return "unknown"
	}
	return hex.EncodeToString(h.Sum(nil)[:6])
}

package main

import (
	"fmt"
	"net/url"

	"github.com/durable-lambda/durable-lambda/durable/client"
)

// bindingCommand asks no hub: it only writes down where one is.
type bindingCommand struct {
	URL  string `arg:"" help:"What the URLs of the API begin with, such as http://127.0.0.1:8080, or the output ApiUrl of a deployment. A key may be in it, as in https://:KEY@example.com."`
	Hub  string `default:"dev" help:"Name of the task hub: that of the stack, or dev for a server on this machine." placeholder:"NAME"`
	Code string `help:"A key for the links that the clients hand on." placeholder:"KEY"`
}

func (bindingCommand) Help() string {
	return "Azure's clients for Python and Node are made from it: docs/http-api.md shows how."
}

// Run prints it.
func (c *bindingCommand) Run() error {
	query := url.Values{}
	if c.Code != "" {
		query.Set("code", c.Code)
	}
	binding, err := client.Binding(c.URL, c.Hub, query)
	if err == nil {
		fmt.Println(string(binding))
	}
	return err
}

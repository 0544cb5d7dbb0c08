//go:build !aws

package main

import (
	"context"
	"errors"

	"github.com/durable-lambda/durable-lambda/durable/doctor"
)

// deployed hubs take the SDK of AWS, which would double the time that the first `go run` of the demonstration takes.
func (hubFlags) deployed(context.Context) (doctor.Config, func() error, error) {
	return doctor.Config{}, nil, errors.New("this program was built without AWS; build it with the tag aws: go run -tags aws ./cmd/durable …")
}

package dev

import (
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/durable-lambda/durable-lambda/durable/links"
)

// linkKeysFile is the file in the data folder that has the keys of links.
const linkKeysFile = "LINKS"

// linkKeys reads the keys of links, and makes them when there are none. Only who may read the data folder can.
func linkKeys(file string) (links.Ring, error) {
	text, err := os.ReadFile(file)
	if errors.Is(err, os.ErrNotExist) {
		ring := links.NewRing(time.Now())
		return ring, os.WriteFile(file, ring.Encode(), 0o600)
	}
	if err != nil {
		return links.Ring{}, err
	}
	ring, err := links.ParseRing(text)
	if err != nil {
		return ring, fmt.Errorf("%s: %w; remove the file for new keys, which ends the links that there are", file, err)
	}
	return ring, nil
}

package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
)

// door sends requests to the API, signed as AWS_IAM demands.
type door struct {
	url, region string
	credentials aws.CredentialsProvider
	client      *http.Client
}

func newDoor(url string, cfg aws.Config) *door {
	// API Gateway gives up after 29 seconds.
	return &door{url: url, region: cfg.Region, credentials: cfg.Credentials, client: &http.Client{Timeout: 35 * time.Second}}
}

// refusal is an answer that is no success.
type refusal struct {
	request string
	status  int
	body    string
}

func (r *refusal) Error() string {
	hint := ""
	if r.status == http.StatusForbidden {
		hint = "; your credentials need the permission execute-api:Invoke"
	}
	return fmt.Sprintf("%s was answered with %d: %s%s", r.request, r.status, r.body, hint)
}

// send sends a request for a path below the API's URL and decodes the answer.
func (d *door) send(ctx context.Context, method, path string, body, answer any) error {
	var content []byte
	if body != nil {
		var err error
		if content, err = json.Marshal(body); err != nil {
			return err
		}
	}
	req, err := http.NewRequestWithContext(ctx, method, d.url+path, bytes.NewReader(content))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	if err := d.sign(ctx, req, content); err != nil {
		return err
	}
	resp, err := d.client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	reply, err := io.ReadAll(resp.Body)
	switch {
	case err != nil:
		return fmt.Errorf("%s %s: %w", method, path, err)
	case resp.StatusCode/100 != 2:
		return &refusal{method + " " + path, resp.StatusCode, strings.TrimSpace(string(reply))}
	case answer == nil:
		return nil
	}
	if err := json.Unmarshal(reply, answer); err != nil {
		return fmt.Errorf("the answer to %s %s: %w: %s", method, path, err, reply)
	}
	return nil
}

func (d *door) sign(ctx context.Context, req *http.Request, content []byte) error {
	who, err := d.credentials.Retrieve(ctx)
	if err != nil {
		return fmt.Errorf("there are no credentials to sign with: %w", err)
	}
	sum := sha256.Sum256(content)
	return v4.NewSigner().SignHTTP(ctx, who, req, hex.EncodeToString(sum[:]), "execute-api", d.region, time.Now())
}

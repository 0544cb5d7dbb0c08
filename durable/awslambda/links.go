package awslambda

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"

	"github.com/durable-lambda/durable-lambda/durable/links"
)

// openLinks returns the hub's links; nil where the environment names no keys for them.
func (h *hub) openLinks() (*links.Links, error) {
	name := os.Getenv(EnvLinkKeys)
	if name == "" {
		return nil, nil
	}
	client := ssm.NewFromConfig(h.AWS)
	p := &parameters{read: client.GetParameter, write: client.PutParameter, keys: name, address: os.Getenv(EnvAPIURL), now: time.Now}
	if p.address == "" {
		return nil, fmt.Errorf("%s is set and %s is not: it names the parameter of SSM that has the API's address", EnvLinkKeys, EnvAPIURL)
	}
	return links.New(links.Config{Keys: p.ring, Address: p.url, Table: h.Table, Client: h.Client, Audit: h.Log})
}

// remembered is how long what parameters say is good. It is how long a key that was added must wait before it becomes the current one, so that
// every process knows it by then.
const remembered = 5 * time.Minute

const (
	// again is how long after an error SSM is left alone, stale how long what it has said holds while it says nothing else: anybody may follow a
	// link, and SSM gives an account few answers a second.
	again, stale = 5 * time.Second, 10 * time.Minute
	// patience is how long it may take to answer.
	patience = 5 * time.Second
)

// parameters are those of SSM that links are made of.
type parameters struct {
	// read and write are SSM's: as an interface the client would bring all that SSM can do into a program that uses templates.
	read          func(context.Context, *ssm.GetParameterInput, ...func(*ssm.Options)) (*ssm.GetParameterOutput, error)
	write         func(context.Context, *ssm.PutParameterInput, ...func(*ssm.Options)) (*ssm.PutParameterOutput, error)
	keys, address string
	now           func() time.Time

	mu      sync.Mutex
	known   links.Ring
	where   string
	expires time.Time
	// failed is when SSM could not be read, and why.
	failed time.Time
	err    error
}

// ring is the keys of links.
func (p *parameters) ring(ctx context.Context) (links.Ring, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	err := p.refresh(ctx)
	return p.known, err
}

// url is the API's address.
func (p *parameters) url(ctx context.Context) (string, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	err := p.refresh(ctx)
	return p.where, err
}

// refresh reads both, unless that was done a short while ago. No error has a key in it.
func (p *parameters) refresh(ctx context.Context) error {
	now := p.now()
	if now.Before(p.expires) {
		return nil
	}
	if now.Sub(p.failed) >= again {
		text, where, err := p.both(ctx, now)
		if err == nil {
			if p.known, err = links.ParseRing([]byte(text)); err == nil {
				p.where, p.expires = where, now.Add(remembered)
				return nil
			}
			p.expires, err = time.Time{}, fmt.Errorf("the parameter %s: %w", p.keys, err) // somebody may have taken the keys out
		}
		p.failed, p.err = now, err
	}
	if now.Before(p.expires.Add(stale)) {
		return nil
	}
	return p.err
}

// both reads the keys, which are made if there are none, and the address.
func (p *parameters) both(ctx context.Context, now time.Time) (keys, address string, err error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	keys, err = p.get(ctx, p.keys)
	var none *types.ParameterNotFound
	if errors.As(err, &none) {
		keys, err = p.create(ctx, now)
	}
	if err != nil {
		return "", "", fmt.Errorf("the keys of links cannot be read from the parameter %s: %w", p.keys, err)
	}
	if address, err = p.get(ctx, p.address); err != nil {
		return "", "", fmt.Errorf("the API's address cannot be read from the parameter %s: %w", p.address, err)
	}
	return keys, address, nil
}

func (p *parameters) get(ctx context.Context, name string) (string, error) {
	out, err := p.read(ctx, &ssm.GetParameterInput{Name: &name, WithDecryption: sdk.Bool(true)})
	if err != nil {
		return "", err
	}
	return sdk.ToString(out.Parameter.Value), nil
}

// create makes the keys of a hub that has none. CloudFormation cannot make secrets in SSM; and whoever is second takes what the first has made.
func (p *parameters) create(ctx context.Context, now time.Time) (string, error) {
	text := string(links.NewRing(now).Encode())
	_, err := p.write(ctx, &ssm.PutParameterInput{Name: &p.keys, Value: &text, Type: types.ParameterTypeSecureString, Overwrite: sdk.Bool(false),
		Description: sdk.String("The keys that sign links. Who has them can make any link.")})
	var exists *types.ParameterAlreadyExists
	if errors.As(err, &exists) {
		return p.get(ctx, p.keys)
	}
	return text, err
}

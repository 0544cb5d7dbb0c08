package awslambda

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"strconv"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/config"

	"github.com/durable-lambda/durable-lambda/durable"
	"github.com/durable-lambda/durable-lambda/durable/backend"
	"github.com/durable-lambda/durable-lambda/durable/backend/aws"
	"github.com/durable-lambda/durable-lambda/durable/client"
	"github.com/durable-lambda/durable-lambda/durable/codec"
	"github.com/durable-lambda/durable-lambda/durable/store"
	"github.com/durable-lambda/durable-lambda/durable/worker"
)

// Environment variables of the functions, beside those of package backend/aws.
const (
	EnvHub         = "DURABLE_HUB"
	EnvDirectDelay = "DURABLE_DIRECT_DELAY"
	EnvPublicURL   = "DURABLE_PUBLIC_URL"
	EnvAccess      = "DURABLE_ACCESS"
	EnvOrigins     = "DURABLE_ORIGINS"
	EnvRejected    = "DURABLE_REJECTED_URL"
	EnvLinkKeys    = "DURABLE_LINK_KEYS"
	EnvAPIURL      = "DURABLE_API_URL"
	EnvEventBus    = "DURABLE_EVENT_BUS"
	EnvMeter       = "DURABLE_METER"
	EnvBuild       = "DURABLE_BUILD"
	EnvInFlight    = "DURABLE_IN_FLIGHT"
	EnvMaxPayload  = "DURABLE_MAX_PAYLOAD"
	EnvHistory     = "DURABLE_HISTORY_BYTES"
	EnvSpinTurns   = "DURABLE_SPIN_TURNS"
)

// Services is what a function offers to the application that it runs.
type Services struct {
	// Client starts and manages instances, as far as the function's role allows.
	Client durable.Client
	// Table is the hub's table: an application may keep records of its own there, in partitions that begin with its name.
	Table backend.Table
	// AWS is the configuration for other clients of AWS.
	AWS sdk.Config
	// Log is the function's.
	Log *slog.Logger
}

// Config is what the functions of a hub have in common beside their environment. The zero value will do: Orchestrator, Activity and Starter
// are those of one.
type Config struct {
	// Codec makes the codec of the hub's values, with keys from Secrets Manager, say; nil leaves them plain. All functions of a hub need
	// the same.
	Codec func(context.Context, sdk.Config) (codec.Config, error)
}

// hub is what the environment names.
type hub struct {
	Services
	store *store.Store
	meter *meter // nil when nobody counts
}

func (c Config) openHub(ctx context.Context, log *slog.Logger) (*hub, error) {
	cfg, err := config.LoadDefaultConfig(ctx, config.WithRetryer(patient))
	if err != nil {
		return nil, fmt.Errorf("the AWS configuration cannot be loaded: %w", err)
	}
	h := new(hub)
	if os.Getenv(EnvMeter) != "" {
		h.meter = newMeter()
		cfg.APIOptions = append(cfg.APIOptions, h.meter.add)
	}
	ports, err := aws.Open(cfg)
	if err != nil {
		return nil, err
	}
	var encoding codec.Config
	if c.Codec != nil {
		if encoding, err = c.Codec(ctx, cfg); err != nil {
			return nil, fmt.Errorf("the codec cannot be made: %w", err)
		}
	}
	ports = codec.Wrap(ports, encoding)
	direct, err := directDelay()
	if err != nil {
		return nil, err
	}
	limit, err := number(EnvMaxPayload, "a number of bytes, such as 1048576")
	if err != nil {
		return nil, err
	}
	h.store = store.New(store.Config{Backend: ports, DirectDelay: direct, MaxPayload: limit})
	h.Services = Services{Client: client.New(h.store), Table: ports.Table, AWS: cfg, Log: log}
	return h, nil
}

// patient tries a call again that is throttled or fails in a way that passes: after pauses that grow from a second to four at most, each cut by chance, and never past the
// end of the context. The SDK's three attempts are over after a second and a half, and what the code has done till then, activities among it, would
// be done again. AWS_MAX_ATTEMPTS sets another number.
func patient() sdk.Retryer {
	return retry.NewStandard(func(o *retry.StandardOptions) { o.MaxAttempts, o.MaxBackoff = 8, 4*time.Second })
}

// number reads a variable that is a positive number; 0 when it is not set.
func number(variable, what string) (int, error) {
	text := os.Getenv(variable)
	if text == "" {
		return 0, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 {
		return 0, fmt.Errorf("%s is %q: it must be %s", variable, text, what)
	}
	return n, nil
}

// inFlight is how many activities of one instance may be under way at once; 0 is the worker's default.
func inFlight() (int, error) { return number(EnvInFlight, "a number of activities, such as 200") }

// historyBytes is how long a history may be: an eighth of the function's memory without the variable, because a history in
// memory takes two to four times as much, and a batch has several.
func historyBytes() (int, error) {
	n, err := number(EnvHistory, "a number of bytes, such as 67108864")
	if err != nil || n > 0 {
		return n, err
	}
	mb, err := strconv.Atoi(os.Getenv("AWS_LAMBDA_FUNCTION_MEMORY_SIZE"))
	if err != nil || mb < 1 {
		return 0, nil // not on Lambda: the worker's default
	}
	return mb << 20 / 8, nil
}

// spinTurns is how often an instance may wake itself within a minute.
func spinTurns() (int, error) {
	n, err := number(EnvSpinTurns, "a number of turns, such as 5000")
	if err == nil && n == 0 {
		n = worker.SpinTurns
	}
	return n, err
}

func directDelay() (time.Duration, error) {
	text := os.Getenv(EnvDirectDelay)
	if text == "" {
		return backend.MaxDelay, nil
	}
	d, err := time.ParseDuration(text)
	if err != nil || d <= 0 || d > backend.MaxDelay {
		return 0, fmt.Errorf("%s is %q: it must be a duration of at most %v, such as 5m", EnvDirectDelay, text, backend.MaxDelay)
	}
	return d, nil
}

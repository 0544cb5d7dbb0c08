package durable

import (
	"context"
	"log/slog"
)

// ActivityInfo is what an activity's body may know of its call.
type ActivityInfo struct {
	Instance string
	Attempt  int
	// Key is the IdempotencyKey.
	Key string
	// MaxPayload is how many bytes of JSON the result may have; 0 is history.MaxPayload.
	MaxPayload int
	// Heartbeat is what the function of that name calls, with JSON or nil; nil where nobody listens.
	Heartbeat func(ctx context.Context, details []byte) error
	// Token is what the function of that name calls; nil is no token.
	Token func() string
	// LastHeartbeat is JSON; nil is none.
	LastHeartbeat []byte
	// Log gets the stack when the body panics. Nil discards it.
	Log *slog.Logger
}

type infoKey struct{}

// WithActivityInfo returns a context for an activity's body. Workers and tests of activities use it.
func WithActivityInfo(ctx context.Context, info ActivityInfo) context.Context {
	return context.WithValue(ctx, infoKey{}, info)
}

func info(ctx context.Context) ActivityInfo {
	i, _ := ctx.Value(infoKey{}).(ActivityInfo)
	return i
}

// IdempotencyKey is the same for all attempts and redeliveries of one call of an activity, and no other's: hand it to
// payment and carrier APIs. Within a Step it is the step's. Elsewhere it is empty.
func IdempotencyKey(ctx context.Context) string { return info(ctx).Key }

// Attempt counts the attempts of an activity's call, from 1. Elsewhere it is 0.
func Attempt(ctx context.Context) int { return info(ctx).Attempt }

// InstanceID is the id of the instance that called the activity. Elsewhere it is empty.
func InstanceID(ctx context.Context) string { return info(ctx).Instance }

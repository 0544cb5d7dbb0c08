package store

import (
	"context"
	"fmt"

	"github.com/durable-lambda/durable-lambda/durable/history"
)

// Offload moves an event's payload into a blob when it is too large to travel, for a message that will carry it.
func (s *Store) Offload(ctx context.Context, instance, incarnation string, p *history.Payload) error {
	return s.offload(ctx, instance, incarnation, p)
}

// Shelve moves an event's payload into a blob, however small it is.
func (s *Store) Shelve(ctx context.Context, instance, incarnation string, p *history.Payload) error {
	return s.shelve(ctx, instance, incarnation, p)
}

// Carry makes an event's payload one of another instance's, for a message that will bring it there.
func (s *Store) Carry(ctx context.Context, instance, incarnation string, p *history.Payload) error {
	if err := s.hydrate(ctx, p); err != nil {
		return err
	}
	*p = history.Payload{Bytes: p.Bytes}
	return s.offload(ctx, instance, incarnation, p)
}

// Hydrate reads a payload's bytes when they are in a blob.
func (s *Store) Hydrate(ctx context.Context, p *history.Payload) error { return s.hydrate(ctx, p) }

// offload leaves only a reference in p when its bytes are too many. What is in a blob already is not put again.
func (s *Store) offload(ctx context.Context, instance, incarnation string, p *history.Payload) error {
	if p.Blob != "" {
		p.Bytes = nil
		return nil
	}
	if len(p.Bytes) <= history.InlinePayload {
		return nil
	}
	return s.shelve(ctx, instance, incarnation, p)
}

func (s *Store) shelve(ctx context.Context, instance, incarnation string, p *history.Payload) error {
	key := blobKey(instance, incarnation, p.Bytes)
	if err := s.putBlob(ctx, instance, incarnation, key, p.Bytes); err != nil {
		return fmt.Errorf("store: put a payload of %s: %w", instance, err)
	}
	*p = history.Payload{Blob: key, Size: uint64(len(p.Bytes))}
	return nil
}

func (s *Store) hydrate(ctx context.Context, p *history.Payload) error {
	if p.Blob == "" || p.Bytes != nil {
		return nil
	}
	b, err := s.getBlob(ctx, p.Blob)
	if err == nil && uint64(len(b)) != p.Size {
		err = fmt.Errorf("%w: it has %d bytes, want %d", errBlob, len(b), p.Size)
	}
	if err != nil {
		return fmt.Errorf("store: get payload %s: %w", p.Blob, err)
	}
	p.Bytes = b
	return nil
}

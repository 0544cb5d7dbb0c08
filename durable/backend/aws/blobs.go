package aws

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/durable-lambda/durable-lambda/durable/backend"
)

var _ backend.Blobs = (*blobs)(nil)

type blobs struct {
	client         s3Calls
	bucket, prefix string
}

func (b *blobs) Put(ctx context.Context, key string, data []byte) error {
	object := b.prefix + key
	if err := refused(ctx, b.check(key)); err != nil {
		return fmt.Errorf("put blob: %w", err)
	}
	_, err := b.client.PutObject(ctx, &s3.PutObjectInput{Bucket: &b.bucket, Key: &object, Body: bytes.NewReader(data)})
	if err != nil {
		return fmt.Errorf("put blob %q: %w", key, explained(ctx, err))
	}
	return nil
}

func (b *blobs) Get(ctx context.Context, key string) ([]byte, error) {
	object := b.prefix + key
	if err := refused(ctx, b.check(key)); err != nil {
		return nil, fmt.Errorf("get blob: %w", err)
	}
	out, err := b.client.GetObject(ctx, &s3.GetObjectInput{Bucket: &b.bucket, Key: &object})
	if missing := (*types.NoSuchKey)(nil); errors.As(err, &missing) {
		return nil, fmt.Errorf("get blob %q: %w", key, backend.ErrNoBlob)
	}
	if err != nil {
		return nil, fmt.Errorf("get blob %q: %w", key, explained(ctx, err))
	}
	defer out.Body.Close()
	data, err := io.ReadAll(out.Body)
	if err != nil {
		return nil, fmt.Errorf("get blob %q: %w", key, explained(ctx, err))
	}
	return data, nil
}

func (b *blobs) Delete(ctx context.Context, key string) error {
	object := b.prefix + key
	if err := refused(ctx, b.check(key)); err != nil {
		return fmt.Errorf("delete blob: %w", err)
	}
	_, err := b.client.DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: &b.bucket, Key: &object})
	if err != nil {
		return fmt.Errorf("delete blob %q: %w", key, explained(ctx, err))
	}
	return nil
}

func (b *blobs) List(ctx context.Context, prefix, after string, limit int) ([]backend.BlobInfo, error) {
	if err := refused(ctx, b.checkList(prefix, after, limit)); err != nil {
		return nil, fmt.Errorf("list blobs: %w", err)
	}
	object := b.prefix + prefix
	in := s3.ListObjectsV2Input{Bucket: &b.bucket, Prefix: &object}
	if after != "" {
		start := b.prefix + after
		in.StartAfter = &start
	}
	var listed []backend.BlobInfo
	for {
		most := int32(min(limit-len(listed), 1000)) // S3 never returns more at once
		in.MaxKeys = &most
		out, err := b.client.ListObjectsV2(ctx, &in)
		if err != nil {
			return nil, fmt.Errorf("list blobs %q: %w", prefix, explained(ctx, err))
		}
		for _, o := range out.Contents {
			listed = append(listed, backend.BlobInfo{Key: strings.TrimPrefix(value(o.Key), b.prefix),
				Size: value(o.Size), Modified: value(o.LastModified)})
		}
		if in.ContinuationToken = out.NextContinuationToken; len(listed) >= limit || in.ContinuationToken == nil {
			return listed, nil
		}
	}
}

func (b *blobs) checkList(prefix, after string, limit int) error {
	if err := backend.CheckList(prefix, after, limit); err != nil || b.prefix == "" {
		return err
	}
	return backend.CheckList(b.prefix+prefix, b.prefix+after, limit)
}

// value is what p points to, or nothing.
func value[T any](p *T) (v T) {
	if p != nil {
		v = *p
	}
	return v
}

// check counts the prefix: S3's limit is of the whole key.
func (b *blobs) check(key string) error {
	if err := backend.CheckBlobKey(key); err != nil {
		return err
	}
	return backend.CheckBlobKey(b.prefix + key)
}

package aws

import (
	"context"
	"fmt"
	"math"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/durable-lambda/durable-lambda/durable/backend"
)

func (t *table) Query(ctx context.Context, partition, from, to string, limit int) ([]backend.Item, error) {
	if err := refused(ctx, backend.CheckQuery(partition, limit)); err != nil {
		return nil, fmt.Errorf("query: %w", err)
	}
	in := &dynamodb.QueryInput{TableName: &t.name, ConsistentRead: sdk.Bool(true)}
	within(in, PartitionAttribute, partition, SortAttribute, from, to)
	items, err := pages(ctx, t.client, in, bounds{from, to, limit}, func(a attributes) (backend.Item, string, error) {
		item, err := decodeItem(a)
		if err != nil || item == nil {
			return backend.Item{}, "", err
		}
		return *item, item.Sort, nil
	})
	if err != nil {
		return nil, fmt.Errorf("query: %w", err)
	}
	return items, nil
}

func (t *table) Index(ctx context.Context, partition, from, to string, limit int) ([]backend.Indexed, error) {
	if err := refused(ctx, backend.CheckQuery(partition, limit)); err != nil {
		return nil, fmt.Errorf("index: %w", err)
	}
	in := &dynamodb.QueryInput{TableName: &t.name, IndexName: sdk.String(IndexName)}
	within(in, IndexPartitionAttribute, partition, IndexSortAttribute, escape(from), escape(to))
	listed, err := pages(ctx, t.client, in, bounds{from, to, limit}, func(a attributes) (backend.Indexed, string, error) {
		entry, err := decodeIndexed(a)
		return entry, entry.IndexEntry.Sort, err
	})
	if err != nil {
		return nil, fmt.Errorf("index: %w", err)
	}
	return listed, nil
}

// within asks for the keys of a partition from from to to, as closely as DynamoDB can: it takes no bound that is not a
// key, and of two bounds it includes the upper one. Bounds of the caller are checked again when the items are here.
func within(in *dynamodb.QueryInput, partitionName, partition, sortName, from, to string) {
	condition := partitionName + " = :partition"
	in.ExpressionAttributeValues = attributes{":partition": text(partition)}
	from = cut(from)
	if cut(to) != to {
		to = ""
	}
	switch {
	case from != "" && to != "":
		condition += " AND " + sortName + " BETWEEN :from AND :to"
	case from != "":
		condition += " AND " + sortName + " >= :from"
	case to != "":
		condition += " AND " + sortName + " < :to"
	}
	if from != "" {
		in.ExpressionAttributeValues[":from"] = text(from)
	}
	if to != "" {
		in.ExpressionAttributeValues[":to"] = text(to)
	}
	in.KeyConditionExpression = &condition
}

type bounds struct {
	from, to string
	limit    int
}

// pages reads until it has all that is within the bounds; an answer of DynamoDB ends after 1 MB. decode returns what was
// found, and its sort key.
func pages[T any](ctx context.Context, client dynamoDBCalls, in *dynamodb.QueryInput, b bounds,
	decode func(attributes) (T, string, error)) ([]T, error) {
	if b.to != "" && b.from >= b.to {
		return nil, nil
	}
	var found []T
	for {
		in.Limit = sdk.Int32(int32(min(b.limit-len(found), math.MaxInt32)))
		out, err := client.Query(ctx, in)
		if err != nil {
			return nil, explained(ctx, err)
		}
		for _, a := range out.Items {
			one, sort, err := decode(a)
			switch {
			case err != nil:
				return nil, err
			case b.to != "" && sort >= b.to:
				return found, nil
			case sort >= b.from:
				found = append(found, one)
			}
		}
		if len(out.LastEvaluatedKey) == 0 || len(found) == b.limit {
			return found, nil
		}
		in.ExclusiveStartKey = out.LastEvaluatedKey
	}
}

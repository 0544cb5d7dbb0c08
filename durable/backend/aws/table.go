package aws

import (
	"context"
	"errors"
	"fmt"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/durable-lambda/durable-lambda/durable/backend"
)

var _ backend.Table = (*table)(nil)

type table struct {
	client dynamoDBCalls
	name   string
}

func (t *table) Get(ctx context.Context, key backend.Key) (*backend.Item, error) {
	if err := refused(ctx, backend.CheckKey(key)); err != nil {
		return nil, fmt.Errorf("get: %w", err)
	}
	out, err := t.client.GetItem(ctx, &dynamodb.GetItemInput{
		TableName: &t.name, Key: encodeKey(key), ConsistentRead: sdk.Bool(true),
	})
	if err != nil {
		return nil, fmt.Errorf("get: %w", explained(ctx, err))
	}
	item, err := decodeItem(out.Item)
	if err != nil {
		return nil, fmt.Errorf("get: %w", err)
	}
	return item, nil
}

func (t *table) Put(ctx context.Context, item backend.Item, cond backend.Condition) error {
	if err := refused(ctx, backend.CheckItem(item)); err != nil {
		return fmt.Errorf("put: %w", err)
	}
	in := &dynamodb.PutItemInput{TableName: &t.name, Item: encodeItem(item)}
	guard(in, cond)
	_, err := t.client.PutItem(ctx, in)
	if failed := (*types.ConditionalCheckFailedException)(nil); errors.As(err, &failed) {
		found, err := decodeItem(failed.Item)
		if err != nil {
			return fmt.Errorf("put: %w", err)
		}
		return &backend.ConditionError{Found: found}
	}
	if err != nil {
		return fmt.Errorf("put: %w", explained(ctx, err))
	}
	return nil
}

func (t *table) Delete(ctx context.Context, key backend.Key) error {
	if err := refused(ctx, backend.CheckKey(key)); err != nil {
		return fmt.Errorf("delete: %w", err)
	}
	_, err := t.client.DeleteItem(ctx, &dynamodb.DeleteItemInput{TableName: &t.name, Key: encodeKey(key)})
	if err != nil {
		return fmt.Errorf("delete: %w", explained(ctx, err))
	}
	return nil
}

// guard makes a put depend on the condition.
func guard(in *dynamodb.PutItemInput, cond backend.Condition) {
	when := func(expression string, values attributes) {
		in.ConditionExpression = &expression
		in.ExpressionAttributeValues = values
		in.ReturnValuesOnConditionCheckFailure = types.ReturnValuesOnConditionCheckFailureAllOld
		if values != nil {
			in.ExpressionAttributeNames = map[string]string{"#owner": ownerAttribute} // a word that DynamoDB reserves
		}
	}
	sequence := func(compare string) func(string, backend.Sequence) {
		return func(owner string, seq backend.Sequence) {
			when("#owner = :owner AND "+compare, attributes{
				":owner": text(owner), ":gen": number(seq.Generation), ":num": number(seq.Number),
			})
		}
	}
	cond.Switch(
		func() {},
		func() { when("attribute_not_exists(pk)", nil) },
		func(owner string) { when("#owner = :owner", attributes{":owner": text(owner)}) },
		sequence("(gen < :gen OR (gen = :gen AND num < :num))"),
		sequence("gen = :gen AND num = :num"),
	)
}

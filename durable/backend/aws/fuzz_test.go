package aws_test

import (
	"testing"
	"unicode/utf8"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/durable-lambda/durable-lambda/durable/backend"
	"github.com/durable-lambda/durable-lambda/durable/backend/aws"
)

// FuzzItem: attributes are an item, which can be written and read again, or an error.
func FuzzItem(f *testing.F) {
	f.Add(uint8(0xff), "i#a", "row", "owner", "1", "2", []byte("value"), "1767225600", "open#0", "x\x00\x01i#a", []byte("Hello"))
	f.Add(uint8(0x3f), "i#a", "row", "owner", "1", "2", []byte{}, "", "", "", []byte{})
	f.Add(uint8(0xff), "i#a", "row", "owner", "-1", "1e3", []byte("value"), "never", "open#0", "cut", []byte{})
	f.Add(uint8(0x01), "", "", "", "", "", []byte{}, "", "", "", []byte{})
	f.Fuzz(func(t *testing.T, which uint8, pk, sk, owner, gen, num string, value []byte, ttl, ipk, isk string, summary []byte) {
		if len(isk) > backend.MaxSortKey || !utf8.ValidString(isk) {
			return // DynamoDB has none
		}
		text := func(s string) types.AttributeValue { return &types.AttributeValueMemberS{Value: s} }
		number := func(s string) types.AttributeValue { return &types.AttributeValueMemberN{Value: s} }
		all := []struct {
			name  string
			value types.AttributeValue
		}{
			{"pk", text(pk)}, {"sk", text(sk)}, {"owner", text(owner)}, {"gen", number(gen)}, {"num", number(num)},
			{"value", &types.AttributeValueMemberB{Value: value}}, {"ttl", number(ttl)}, {"ipk", text(ipk)},
		}
		attributes := map[string]types.AttributeValue{"isk": text(isk), "summary": &types.AttributeValueMemberB{Value: summary}}
		for i, a := range all {
			if which&(1<<i) != 0 {
				attributes[a.name] = a.value
			}
		}
		item, err := aws.DecodeItem(attributes)
		if err != nil {
			return
		}
		again, err := aws.DecodeItem(aws.EncodeItem(*item))
		if diff := cmp.Diff(item, again, cmpopts.EquateEmpty()); diff != "" || err != nil {
			t.Errorf("error %v (-decoded +decoded again):\n%s", err, diff)
		}
	})
}

package endpoint

import (
	"cmp"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// value is an attribute's: one of the types that the adapter writes.
type value struct {
	S *string `json:",omitempty"`
	N *string `json:",omitempty"`
	B *string `json:",omitempty"`
}

type item map[string]value

func (v value) text() string {
	switch {
	case v.S != nil:
		return *v.S
	case v.N != nil:
		return *v.N
	}
	return ""
}

// size is how DynamoDB counts an item: names and values.
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html
func (i item) size() int {
	n := 0
	for name, v := range i {
		n += len(name) + v.size()
	}
	return n
}

func (v value) size() int {
	switch {
	case v.S != nil:
		return len(*v.S)
	case v.N != nil:
		return (len(strings.TrimLeft(*v.N, "-0"))+1)/2 + 1
	case v.B != nil:
		return base64.StdEncoding.DecodedLen(len(*v.B)) - strings.Count(*v.B, "=")
	}
	return 0
}

// indexed is what the index has of an item: its keys, and those of the table, and the summary; nil when it is not in it.
func (i item) indexed() item {
	if _, in := i["ipk"]; !in {
		return nil
	}
	out := item{}
	for _, name := range []string{"pk", "sk", "ipk", "isk", "summary"} {
		if v, ok := i[name]; ok {
			out[name] = v
		}
	}
	return out
}

func (i item) equal(other item) bool {
	a, _ := json.Marshal(i)
	b, _ := json.Marshal(other)
	return string(a) == string(b)
}

// request is what the adapter sends.
type request struct {
	Item, Key                 item
	ConditionExpression       string
	KeyConditionExpression    string
	ExpressionAttributeValues map[string]value
	IndexName                 string
	ConsistentRead            bool
	Limit                     int
	ExclusiveStartKey         item
}

func (e *Endpoint) dynamoDB(r *http.Request, operation string, body []byte) (*http.Response, error) {
	var q request
	if err := json.Unmarshal(body, &q); err != nil {
		return nil, err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.bill.Requests["DynamoDB."+operation]++
	switch operation {
	case "GetItem":
		found := e.table[q.Key["pk"].text()][q.Key["sk"].text()]
		e.read(found.size(), q.ConsistentRead)
		if found == nil {
			return answer(r, http.StatusOK, struct{}{})
		}
		return answer(r, http.StatusOK, map[string]any{"Item": found})
	case "PutItem":
		return e.put(r, q)
	case "DeleteItem":
		e.write(e.table[q.Key["pk"].text()][q.Key["sk"].text()], nil)
		delete(e.table[q.Key["pk"].text()], q.Key["sk"].text())
		return answer(r, http.StatusOK, struct{}{})
	case "Query":
		return e.query(r, q)
	}
	return nil, fmt.Errorf("endpoint: DynamoDB has no %s here", operation)
}

func (e *Endpoint) read(bytes int, consistent bool) {
	n := float64(units(bytes, readUnit))
	if !consistent {
		n /= 2
	}
	e.bill.Reads += n
}

// write bills the larger of what was there and what is there then, and what changes in the index.
func (e *Endpoint) write(old, now item) {
	n := units(max(old.size(), now.size()), writeUnit)
	e.bill.Writes += n
	was, is := old.indexed(), now.indexed()
	if was != nil || is != nil {
		e.bill.Listed += n
	}
	switch {
	case was != nil && is != nil && was["ipk"].text() == is["ipk"].text() && was["isk"].text() == is["isk"].text():
		if !was.equal(is) {
			e.bill.IndexWrites += units(max(was.size(), is.size()), writeUnit)
		}
	default:
		for _, entry := range []item{was, is} {
			if entry != nil {
				e.bill.IndexWrites += units(entry.size(), writeUnit)
			}
		}
	}
}

func (e *Endpoint) put(r *http.Request, q request) (*http.Response, error) {
	pk, sk := q.Item["pk"].text(), q.Item["sk"].text()
	if q.Item.size() > 400<<10 {
		return fault(r, "ValidationException", "Item size has exceeded the maximum allowed size")
	}
	found := e.table[pk][sk]
	ok, err := holds(q.ConditionExpression, q.ExpressionAttributeValues, found)
	if err != nil {
		return nil, err
	}
	if !ok { // which is billed by what is there
		e.bill.Writes += units(found.size(), writeUnit)
		refusal := map[string]any{"__type": "com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException", "message": "The conditional request failed"}
		if found != nil {
			refusal["Item"] = found
		}
		return answer(r, http.StatusBadRequest, refusal)
	}
	e.write(found, q.Item)
	if e.table[pk] == nil {
		e.table[pk] = map[string]item{}
	}
	e.table[pk][sk] = q.Item
	return answer(r, http.StatusOK, struct{}{})
}

// holds knows the conditions that the adapter writes, and no others.
func holds(condition string, values map[string]value, found item) (bool, error) {
	number := func(v value) uint64 { n, _ := strconv.ParseUint(v.text(), 10, 64); return n }
	owned := found != nil && found["owner"].text() == values[":owner"].text()
	gen, num := number(found["gen"]), number(found["num"])
	wantGen, wantNum := number(values[":gen"]), number(values[":num"])
	switch condition {
	case "":
		return true, nil
	case "attribute_not_exists(pk)":
		return found == nil, nil
	case "#owner = :owner":
		return owned, nil
	case "#owner = :owner AND (gen < :gen OR (gen = :gen AND num < :num))":
		return owned && (gen < wantGen || gen == wantGen && num < wantNum), nil
	case "#owner = :owner AND gen = :gen AND num = :num":
		return owned && gen == wantGen && num == wantNum, nil
	}
	return false, fmt.Errorf("endpoint: the condition %q is not known here", condition)
}

func (e *Endpoint) query(r *http.Request, q request) (*http.Response, error) {
	partition, sort := "pk", "sk"
	if q.IndexName != "" {
		partition, sort = "ipk", "isk"
	}
	from, to := q.ExpressionAttributeValues[":from"].text(), q.ExpressionAttributeValues[":to"].text()
	upTo := func(s string) bool { return true }
	switch condition := strings.TrimPrefix(q.KeyConditionExpression, partition+" = :partition"); condition {
	case "", " AND " + sort + " >= :from":
	case " AND " + sort + " BETWEEN :from AND :to":
		upTo = func(s string) bool { return s <= to }
	case " AND " + sort + " < :to":
		upTo = func(s string) bool { return s < to }
	default:
		return nil, fmt.Errorf("endpoint: the key condition %q is not known here", q.KeyConditionExpression)
	}
	var found []item
	for _, rows := range e.candidates(q) {
		for _, i := range rows {
			if s := i[sort].text(); i[partition].text() == q.ExpressionAttributeValues[":partition"].text() && s >= from && upTo(s) {
				found = append(found, i)
			}
		}
	}
	order := func(a, b item) int {
		return cmp.Or(strings.Compare(a[sort].text(), b[sort].text()), strings.Compare(a["pk"].text(), b["pk"].text()), strings.Compare(a["sk"].text(), b["sk"].text()))
	}
	slices.SortFunc(found, order)
	out, size, more := []item{}, 0, false
	for _, i := range found {
		if q.ExclusiveStartKey != nil && order(i, q.ExclusiveStartKey) <= 0 {
			continue
		}
		if q.IndexName != "" {
			i = i.indexed()
		}
		if more = q.Limit > 0 && len(out) == q.Limit || size+i.size() > 1<<20; more {
			break
		}
		out, size = append(out, i), size+i.size()
	}
	e.read(size, q.ConsistentRead)
	reply := map[string]any{"Items": out, "Count": len(out)}
	if more {
		last := item{}
		for _, name := range []string{"pk", "sk", "ipk", "isk"} {
			if v, ok := out[len(out)-1][name]; ok && (q.IndexName != "" || len(name) == 2) {
				last[name] = v
			}
		}
		reply["LastEvaluatedKey"] = last
	}
	return answer(r, http.StatusOK, reply)
}

// candidates are the partitions that a query may find something in.
func (e *Endpoint) candidates(q request) map[string]map[string]item {
	if q.IndexName != "" {
		return e.table
	}
	p := q.ExpressionAttributeValues[":partition"].text()
	return map[string]map[string]item{p: e.table[p]}
}

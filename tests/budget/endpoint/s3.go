package endpoint

import (
	"encoding/xml"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

type object struct {
	data     []byte
	modified time.Time
}

type listed struct {
	XMLName               xml.Name `xml:"ListBucketResult"`
	IsTruncated           bool
	NextContinuationToken string `xml:",omitempty"`
	Contents              []content
}

type content struct {
	Key          string
	Size         int
	LastModified string
}

func (e *Endpoint) s3(r *http.Request, body []byte) (*http.Response, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	key, inBucket := strings.CutPrefix(r.URL.Path, "/"+bucket)
	if !inBucket {
		return nil, fmt.Errorf("endpoint: there is no bucket at %s", r.URL.Path)
	}
	key = strings.TrimPrefix(key, "/")
	e.bill.Requests["S3."+r.Method]++
	switch {
	case r.Method == http.MethodPut:
		e.bill.Puts++
		e.objects[key] = object{body, e.now()}
		return respond(r, http.StatusOK, "", nil), nil
	case r.Method == http.MethodDelete:
		delete(e.objects, key)
		return respond(r, http.StatusNoContent, "", nil), nil
	case r.Method == http.MethodGet && key == "":
		e.bill.Puts++
		return e.list(r)
	case r.Method == http.MethodGet:
		e.bill.Gets++
		o, ok := e.objects[key]
		if !ok {
			return respond(r, http.StatusNotFound, "application/xml", []byte(`<Error><Code>NoSuchKey</Code><Message>The specified key does not exist.</Message></Error>`)), nil
		}
		return respond(r, http.StatusOK, "application/octet-stream", o.data), nil
	}
	return nil, fmt.Errorf("endpoint: S3 has no %s here", r.Method)
}

func (e *Endpoint) list(r *http.Request) (*http.Response, error) {
	q := r.URL.Query()
	after := max(q.Get("start-after"), q.Get("continuation-token"))
	limit, err := strconv.Atoi(q.Get("max-keys"))
	if err != nil {
		return nil, fmt.Errorf("endpoint: max-keys: %w", err)
	}
	var keys []string
	for k := range e.objects {
		if strings.HasPrefix(k, q.Get("prefix")) && k > after {
			keys = append(keys, k)
		}
	}
	slices.Sort(keys)
	var out listed
	for i, k := range keys {
		if i == limit {
			out.IsTruncated, out.NextContinuationToken = true, keys[i-1]
			break
		}
		o := e.objects[k]
		out.Contents = append(out.Contents, content{k, len(o.data), o.modified.UTC().Format(time.RFC3339Nano)})
	}
	b, err := xml.Marshal(out)
	if err != nil {
		return nil, err
	}
	return respond(r, http.StatusOK, "application/xml", b), nil
}

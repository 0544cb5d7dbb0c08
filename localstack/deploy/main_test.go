package main

import (
	"archive/zip"
	"bytes"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestOnlyThisMachineIsDeployedTo(t *testing.T) {
	t.Parallel()
	for endpoint, says := range map[string]string{
		"http://127.0.0.1:4566": "",
		"http://localhost:4566": "",
		"http://[::1]:4566":     "",
		"":                      "AWS_ENDPOINT_URL is not set",
		"https://dynamodb.eu-central-1.amazonaws.com": "not a loopback address",
		"http://127.0.0.1.example.com":                "not a loopback address",
		"http://10.0.0.1:4566":                        "not a loopback address",
		"http://localhost@example.com":                "not a loopback address",
		"localhost:4566":                              "not a loopback address",
		"http://%":                                    "invalid URL escape",
	} {
		err := checkEndpoint(endpoint)
		if says == "" {
			if err != nil {
				t.Errorf("%q: %v", endpoint, err)
			}
			continue
		}
		if err == nil || !strings.Contains(err.Error(), says) || !strings.Contains(err.Error(), "sam deploy") {
			t.Errorf("%q: got %v; want a word of %q and of sam deploy", endpoint, err, says)
		}
	}
}

func TestApiUrlComesFirst(t *testing.T) {
	t.Parallel()
	got := arrange([]output{{"Table", "t"}, {"ApiUrl", "https://on.aws"}, {"ApiId", "a"}}, "http://here")
	want := []output{{"ApiUrl", "http://here"}, {"ApiId", "a"}, {"Table", "t"}}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(output{})); diff != "" {
		t.Errorf("the outputs differ (-want +got):\n%s", diff)
	}
}

func TestTheArchiveOfAProgram(t *testing.T) {
	t.Parallel()
	program := []byte("\x7fELF and so on")
	first, err := archive(program)
	if err != nil {
		t.Fatal(err)
	}
	if second, err := archive(program); err != nil || !bytes.Equal(first, second) {
		t.Errorf("a second archive of the same program differs, or %v", err)
	}
	r, err := zip.NewReader(bytes.NewReader(first), int64(len(first)))
	if err != nil || len(r.File) != 1 {
		t.Fatalf("it has %d files, %v; want 1", len(r.File), err)
	}
	file := r.File[0]
	content, err := file.Open()
	if err != nil {
		t.Fatal(err)
	}
	got, err := io.ReadAll(content)
	if err != nil || !bytes.Equal(got, program) {
		t.Errorf("it holds %q, %v", got, err)
	}
	if !file.Modified.Equal(time.Date(1980, 1, 1, 0, 0, 0, 0, time.UTC)) {
		t.Errorf("it was changed at %v; want a time that is always the same", file.Modified)
	}
	if file.Name != "bootstrap" || file.Mode().Perm() != 0o755 {
		t.Errorf("it holds %s with mode %v; want bootstrap with 0755", file.Name, file.Mode())
	}
}

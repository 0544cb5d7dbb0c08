package main

import (
	"archive/zip"
	"bytes"
	"context"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"time"
)

// goFlags are those that infra/build/go.mk has sam build build with.
const goFlags = "-tags=lambda.norpc '-ldflags=-s -w' -trimpath"

// build compiles the program in a folder for Lambda into another folder, and returns it as a zip archive: the same one for
// the same program. What was compiled before is kept there, and not linked again.
func build(ctx context.Context, folder, into, goarch string) ([]byte, error) {
	file, err := filepath.Abs(filepath.Join(into, "bootstrap"))
	if err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(ctx, "go", "build", "-o", file, ".")
	cmd.Dir = folder
	cmd.Env = append(os.Environ(), "GOOS=linux", "GOARCH="+goarch, "CGO_ENABLED=0", "GOFLAGS="+goFlags)
	if out, err := cmd.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("go build in %s: %w\n%s", folder, err, out)
	}
	program, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	return archive(program)
}

// archive returns a zip with the program as bootstrap, uncompressed: it is unpacked on this machine a moment later.
func archive(program []byte) ([]byte, error) {
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	header := &zip.FileHeader{Name: "bootstrap", Method: zip.Store, Modified: time.Date(1980, 1, 1, 0, 0, 0, 0, time.UTC)}
	header.SetMode(fs.FileMode(0o755))
	f, err := w.CreateHeader(header)
	if err != nil {
		return nil, err
	}
	if _, err := f.Write(program); err != nil {
		return nil, err
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

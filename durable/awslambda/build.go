package awslambda

import (
	"bytes"
	"debug/elf"
	"os"
)

// buildID names the deployment, so that another one tries again what this one could not run. What the linker has noted
// about the executable's content is cheaper to read than the content.
func buildID() string {
	if named := os.Getenv(EnvBuild); named != "" {
		return named
	}
	path, err := os.Executable()
	if err != nil {
		return "unknown"
	}
	file, err := elf.Open(path)
	if err != nil {
		return "unknown"
	}
	defer file.Close()
	section := file.Section(".note.go.buildid")
	if section == nil {
		return "unknown"
	}
	note, err := section.Data()
	if err != nil {
		return "unknown"
	}
	// The id ends with the hash of the content.
	id := bytes.TrimRight(note, "\x00")
	return string(id[max(0, len(id)-12):])
}

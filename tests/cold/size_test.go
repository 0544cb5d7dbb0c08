//go:build template

package cold_test

import "testing"

// maxZip is what each function's zip file may have at most: what is downloaded before a cold start can begin.
const maxZip = 8_000_000

// TestZips holds the size of what is deployed, for both architectures. They differ by a tenth.
func TestZips(t *testing.T) {
	for _, arch := range []string{"arm64", "amd64"} {
		for _, name := range functions {
			t.Run(arch+"/"+name, func(t *testing.T) {
				size := zipped(t, build(t, name, "GOOS=linux", "GOARCH="+arch))
				t.Logf("%.2f MB", float64(size)/1e6)
				if size > maxZip {
					t.Errorf("the zip file has %d bytes, more than %d: `go tool nm -size -sort size` of a build without -s shows what is linked", size, maxZip)
				}
			})
		}
	}
}

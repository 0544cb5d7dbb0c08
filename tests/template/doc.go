// Package template holds the deployment to its rules. Its tests lint infra/template.yaml, and read what SAM makes of it:
// what a rule is about may have come from SAM as well as from the template, and no emulator knows most of these rules.
//
//	go test -tags template ./tests/template            # installs the tools of infra/ first where they are not
//	go test -tags template ./tests/template -update    # writes the golden list of permissions
package template

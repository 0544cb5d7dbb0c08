# How the functions are built: sam build makes build-<logical id>, and names the folder for the binary in ARTIFACTS_DIR. The
# Makefile of the processor includes this and sets GOARCH.
#
# Without CGO a binary depends on no library of the machine that built it; lambda.norpc leaves out a runtime that is gone.
root := $(dir $(lastword $(MAKEFILE_LIST)))../..

build-StarterFunction: lambda := starter
build-OrchestratorFunction: lambda := orchestrator
build-ActivityFunction: lambda := activity

build-%:
	CGO_ENABLED=0 GOOS=linux GOARCH=$(GOARCH) go build -C $(root) -tags lambda.norpc -trimpath -ldflags '-s -w' \
	  -o $(abspath $(ARTIFACTS_DIR))/bootstrap ./lambdas/$(lambda)

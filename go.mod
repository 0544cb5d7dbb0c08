module github.com/durable-lambda/durable-lambda

go 1.26

require (
	github.com/google/go-cmp v0.7.0
	github.com/oklog/ulid/v2 v2.1.2
)

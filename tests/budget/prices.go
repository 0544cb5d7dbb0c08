// Package budget says what AWS bills for what was counted. Prices are those of us-east-1 in November 2026, without the free tier, volume discounts and taxes; each has its
// source. The reference workload is in durable/awslambda, whose functions it drives.
package budget

import "github.com/durable-lambda/durable-lambda/tests/budget/endpoint"

// Prices in dollars for a million, where nothing else is said.
const (
	// https://aws.amazon.com/dynamodb/pricing/on-demand/
	WriteUnit = 0.625
	ReadUnit  = 0.125
	// https://aws.amazon.com/dynamodb/pricing/provisioned/, of what is provisioned 70 % used, which is what its scaling aims at by default.
	ProvisionedWriteUnit = 0.00065 / 3600 / 0.7 * 1e6
	ProvisionedReadUnit  = 0.00013 / 3600 / 0.7 * 1e6
	// https://aws.amazon.com/sqs/pricing/
	SQSStandard = 0.40
	SQSFIFO     = 0.50
	// https://aws.amazon.com/s3/pricing/
	S3Put = 5.0
	S3Get = 0.4
	// https://aws.amazon.com/lambda/pricing/, of arm64, which is the template's default
	Invocation = 0.20
	GBSecond   = 13.3334
	// https://aws.amazon.com/lambda/pricing/#Durable_Functions, https://aws.amazon.com/step-functions/pricing/
	DurableOperation = 8.0
	DurableGB        = 0.25 // a gigabyte written
	Transition       = 25.0
)

// Lambda's time is an assumption: what cannot be seen here is how long AWS takes to answer. A function has 256 MB.
const (
	memoryGB      = 0.25
	secondsOfCall = 0.012 // of an invocation, without its messages
	secondsOfEach = 0.008 // of each message, most of it waiting for DynamoDB and SQS
)

// Usage is what a number of instances has used.
type Usage struct {
	endpoint.Bill
	Instances, Activities int
	Invocations, Messages int
}

// Dollars is what a million instances cost.
type Dollars struct{ DynamoDB, SQS, S3, Lambda float64 }

// Total is the sum.
func (d Dollars) Total() float64 { return d.DynamoDB + d.SQS + d.S3 + d.Lambda }

// Cost is what a million instances cost that use as much as these.
func (u Usage) Cost() Dollars {
	n := float64(u.Instances)
	seconds := secondsOfCall*float64(u.Invocations) + secondsOfEach*float64(u.Messages)
	return Dollars{
		DynamoDB: (WriteUnit*float64(u.Writes+u.IndexWrites) + ReadUnit*u.Reads) / n,
		SQS:      (SQSStandard*float64(u.Standard) + SQSFIFO*float64(u.FIFO)) / n,
		S3:       (S3Put*float64(u.Puts) + S3Get*float64(u.Gets)) / n,
		Lambda:   (Invocation*float64(u.Invocations) + GBSecond*memoryGB*seconds) / n,
	}
}

// Turns is what of it the turns themselves need: segments, messages and invocations; without what shows and lists instances, and without reads.
func (u Usage) Turns() Usage {
	u.Writes, u.Listed, u.IndexWrites, u.Reads = u.Writes-u.Listed, 0, 0, 0
	return u
}

// Provisioned is what a million activities cost where the table's capacity is provisioned.
func (u Usage) Provisioned() float64 {
	d := u.Cost()
	d.DynamoDB = (ProvisionedWriteUnit*float64(u.Writes+u.IndexWrites) + ProvisionedReadUnit*u.Reads) / float64(u.Instances)
	return d.Total() * float64(u.Instances) / float64(u.Activities)
}

// PerActivities is what a million activities cost: of the orchestrations that call them, everything billed.
func (u Usage) PerActivities() float64 {
	return u.Cost().Total() * float64(u.Instances) / float64(u.Activities)
}

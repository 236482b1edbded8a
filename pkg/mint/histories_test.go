//go:build !testall

package mint_test

// What is tried without the build tag testall.
const (
	usualHistories = 300 // random histories of a credential
	usualOutages   = 2   // kinds of outage over DynamoDB
)

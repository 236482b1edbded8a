package vend_test

import (
	"context"
	"testing"

	"github.com/aws/aws-lambda-go/lambdacontext"
)

// BenchmarkInvokeFromMemory is the hot path: an HTTP API's event for a token that this process knows.
func BenchmarkInvokeFromMemory(b *testing.B) {
	c := newCounter(b)
	ctx := lambdacontext.NewContext(context.Background(), &lambdacontext.LambdaContext{
		AwsRequestID: "r-1", InvokedFunctionArn: "arn:aws:lambda:eu-north-1:123456789012:function:tokenvend-vend:api",
	})
	event := []byte(`{"version":"2.0","rawPath":"/tokens/minut","rawQueryString":"","requestContext":{"requestId":"r-1","stage":"$default",` +
		`"http":{"method":"GET"},"authorizer":{"iam":{"userArn":"` + anybody + `"}}},"isBase64Encoded":false}`)
	if _, err := c.desk.Invoke(ctx, event); err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := c.desk.Invoke(ctx, event); err != nil {
			b.Fatal(err)
		}
	}
}

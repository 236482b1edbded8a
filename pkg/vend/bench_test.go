package vend_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"testing"

	"github.com/aws/aws-lambda-go/lambdacontext"

	"github.com/tokenvend/tokenvend/pkg/journal"
)

// BenchmarkInvokeFromMemory is the hot path: an HTTP API's event for a token in
// memory, and the line that is logged of it, metrics included.
func BenchmarkInvokeFromMemory(b *testing.B) {
	c := newFixture(b)
	c.service.Journal = journal.Journal{Log: slog.New(slog.NewJSONHandler(io.Discard, nil)), Metrics: "tokenvend/bench"}
	ctx := lambdacontext.NewContext(context.Background(), &lambdacontext.LambdaContext{
		AwsRequestID: "r-1", InvokedFunctionArn: "arn:aws:lambda:eu-north-1:123456789012:function:tokenvend-vend:api",
	})
	text, err := os.ReadFile(filepath.Join("..", "..", "functions", "testdata", "http-api.event.json"))
	if err != nil {
		b.Fatal(err)
	}
	var event bytes.Buffer
	if err := json.Compact(&event, text); err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := c.service.Invoke(ctx, event.Bytes()); err != nil {
			b.Fatal(err)
		}
	}
}

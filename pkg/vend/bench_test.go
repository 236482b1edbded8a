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

// BenchmarkInvokeFromMemory measures an event of an HTTP API for a token that
// this process knows, with the line that is logged, metrics included.
func BenchmarkInvokeFromMemory(b *testing.B) {
	w := newWorld(b)
	w.service.Journal = journal.Journal{Log: slog.New(slog.NewJSONHandler(io.Discard, nil)), Metrics: "tokenvend/bench"}
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
		if _, err := w.service.Invoke(ctx, event.Bytes()); err != nil {
			b.Fatal(err)
		}
	}
}

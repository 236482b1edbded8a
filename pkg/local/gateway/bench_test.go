package gateway

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"

	"github.com/tokenvend/tokenvend/internal/signedrequest"
	"github.com/tokenvend/tokenvend/pkg/vend"
)

// discard is a ResponseWriter that keeps nothing.
type discard struct{ header http.Header }

func (d *discard) Header() http.Header       { clear(d.header); return d.header }
func (*discard) Write(b []byte) (int, error) { return len(b), nil }
func (*discard) WriteHeader(int)             {}

// BenchmarkSignatureCheck verifies a signed request, and writes a constant
// response.
func BenchmarkSignatureCheck(b *testing.B) {
	constant := func(context.Context, vend.HTTPRequest) vend.HTTPReply {
		return vend.HTTPReply{Status: http.StatusOK, Body: []byte("{}")}
	}
	keys := []Key{newKey("local", "local", "")}
	g := New("us-east-1", keys, constant, slog.New(slog.NewTextHandler(io.Discard, nil)))
	r := httptest.NewRequest(http.MethodGet, "/tokens/minut", nil)
	credentials := aws.Credentials{AccessKeyID: "local", SecretAccessKey: "local"}
	err := v4.NewSigner().SignHTTP(
		b.Context(), credentials, r, signedrequest.SHA256(""), "execute-api", "us-east-1", time.Now(),
	)
	if err != nil {
		b.Fatal(err)
	}
	w := &discard{header: http.Header{}}
	b.ReportAllocs()
	for b.Loop() {
		g.ServeHTTP(w, r)
	}
}

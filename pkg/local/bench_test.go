package local

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

	"github.com/tokenvend/tokenvend/pkg/vend"
)

// discard is a ResponseWriter that keeps nothing.
type discard struct{ header http.Header }

func (d *discard) Header() http.Header       { clear(d.header); return d.header }
func (*discard) Write(b []byte) (int, error) { return len(b), nil }
func (*discard) WriteHeader(int)             {}

// BenchmarkSignatureCheck is the front door alone: a signed request is proven, and an answer of no work sent.
func BenchmarkSignatureCheck(b *testing.B) {
	reply := vend.HTTPReply{Status: http.StatusOK, Body: []byte("{}")}
	g := newGateway("us-east-1", principals([]Key{local("local", "local", "")}), slog.New(slog.NewTextHandler(io.Discard, nil)))
	g.answer = func(context.Context, vend.HTTPRequest) vend.HTTPReply { return reply }
	r := httptest.NewRequest(http.MethodGet, "/tokens/minut", nil)
	keys := aws.Credentials{AccessKeyID: "local", SecretAccessKey: "local"}
	if err := v4.NewSigner().SignHTTP(b.Context(), keys, r, sumOf(""), "execute-api", "us-east-1", time.Now()); err != nil {
		b.Fatal(err)
	}
	w := &discard{header: http.Header{}}
	b.ReportAllocs()
	for b.Loop() {
		g.ServeHTTP(w, r)
	}
}

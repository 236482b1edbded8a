package provider

import (
	"bytes"
	"io"
	"net/http"
	"testing"

	"github.com/tokenvend/tokenvend/pkg/descriptor/catalog"
)

// answering is a provider that says one thing, without a network.
type answering []byte

func (a answering) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Body != nil {
		_, _ = io.Copy(io.Discard, r.Body)
		_ = r.Body.Close()
	}
	return &http.Response{
		StatusCode: http.StatusOK, ProtoMajor: 1, ProtoMinor: 1,
		Header: http.Header{"Content-Type": {"application/json"}},
		Body:   io.NopCloser(bytes.NewReader(a)), ContentLength: int64(len(a)), Request: r,
	}, nil
}

// BenchmarkExchange is what a descriptor makes of a request and of its answer.
func BenchmarkExchange(b *testing.B) {
	d, err := catalog.Get("minut")
	if err != nil {
		b.Fatal(err)
	}
	hc := &http.Client{Transport: answering(`{"access_token":"eyJ0","token_type":"Bearer","expires_in":3600}`)}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := at(d, alice, hc).Exchange(b.Context(), creds); err != nil {
			b.Fatal(err)
		}
	}
}

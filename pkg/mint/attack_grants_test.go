package mint_test

import (
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tokenvend/tokenvend/internal/testworld"
	"github.com/tokenvend/tokenvend/pkg/api"
	"github.com/tokenvend/tokenvend/pkg/mint"
	"github.com/tokenvend/tokenvend/pkg/provider/simulator"
)

// refusing answers a request with status and body if it carries the refresh
// token, and hands every other request on.
type refusing struct {
	next    http.RoundTripper
	refresh string
	status  int
	body    string
}

// RoundTrip implements http.RoundTripper.
func (x refusing) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Body == nil {
		return x.next.RoundTrip(r)
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	if form, _ := url.ParseQuery(string(body)); form.Get("refresh_token") == x.refresh {
		return &http.Response{
			StatusCode: x.status, Request: r, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
			Header: http.Header{"Content-Type": {"application/json"}}, Body: io.NopCloser(strings.NewReader(x.body)),
		}, nil
	}
	r.Body = io.NopCloser(strings.NewReader(string(body)))
	return x.next.RoundTrip(r)
}

func TestAttack19_ARefusalOfOneGrantDelaysNoOther(t *testing.T) {
	for name, tt := range map[string]struct {
		status int
		body   string
		shared bool // the refusal names the client, and so concerns everybody
	}{
		"a plain 401":              {http.StatusUnauthorized, "", false},
		"a gateway's 401":          {http.StatusUnauthorized, `{"error":"Unauthorized"}`, false},
		"a 401 of an unknown code": {http.StatusUnauthorized, `{"error":"session_ended"}`, false},
		"invalid_client":           {http.StatusUnauthorized, `{"error":"invalid_client"}`, true},
		"unauthorized_client":      {http.StatusBadRequest, `{"error":"unauthorized_client"}`, true},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, simulator.Options{})
				alice, bob := testworld.Account("movemint", "alice"), testworld.Account("movemint", "bob")
				testworld.Must(t, w.NewProcess().Connect(t.Context(), alice, w.Code("movemint", "alice")))
				testworld.Must(t, w.NewProcess().Connect(t.Context(), bob, w.Code("movemint", "bob")))
				m := w.NewProcess(func(c *mint.Config) {
					c.HTTP = &http.Client{Transport: refusing{w.Providers, w.refreshOf(alice), tt.status, tt.body}}
				})
				time.Sleep(2*time.Hour + time.Minute) // both access tokens are over
				if _, err := m.Token(t.Context(), alice, mint.Want{}); err == nil {
					t.Fatal("Token(alice) = nil error, want the refusal")
				}
				_, err := m.Token(t.Context(), bob, mint.Want{})
				if (testworld.HasCode(err, api.ProviderRejected)) != tt.shared {
					t.Errorf("Token(bob) after alice's was refused = %v; want it refused too: %t", err, tt.shared)
				}
				if f := w.own("movemint").Failure; f.IsZero() == tt.shared {
					t.Errorf("failure that all tokens share = %+v, want one: %t", f, tt.shared)
				}
			})
		})
	}
}

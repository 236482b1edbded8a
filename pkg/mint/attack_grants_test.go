package mint_test

import (
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tokenvend/tokenvend/pkg/api"
	"github.com/tokenvend/tokenvend/pkg/journal"
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
	for name, c := range map[string]struct {
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
				alice, bob := account("movemint", "alice"), account("movemint", "bob")
				must(t, w.instance().Connect(t.Context(), alice, w.code("movemint", "alice")))
				must(t, w.instance().Connect(t.Context(), bob, w.code("movemint", "bob")))
				m := newProcess(mint.Config{
					Store: w.store, Source: w.secrets, Sealer: w.sealer, Journal: journal.Journal{},
					HTTP: &http.Client{Transport: refusing{w.sim, w.refreshOf(alice), c.status, c.body}},
				})
				time.Sleep(2*time.Hour + time.Minute) // both access tokens are over
				if _, err := m.Token(t.Context(), alice, mint.Want{}); err == nil {
					t.Fatalf("Token(alice) = nil error, want the refusal")
				}
				_, err := m.Token(t.Context(), bob, mint.Want{})
				if (codeOf(err) == api.ProviderRejected) != c.shared {
					t.Errorf("Token(bob) after alice's was refused = %v; want it refused too: %t", err, c.shared)
				}
				if f := w.own("movemint").Failure; f.IsZero() == c.shared {
					t.Errorf("failure that all tokens share = %+v, want one: %t", f, c.shared)
				}
			})
		})
	}
}

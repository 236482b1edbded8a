package provider

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/tokenvend/tokenvend/pkg/descriptor"
	"github.com/tokenvend/tokenvend/pkg/descriptor/clientauth"
	"github.com/tokenvend/tokenvend/pkg/outbound"
	"github.com/tokenvend/tokenvend/pkg/redact"
)

// everyAuth is each way in which a client proves itself.
var everyAuth = []clientauth.Method{
	clientauth.Basic,
	clientauth.BasicEncoded,
	clientauth.Post,
	clientauth.PrivateKey,
	clientauth.TLS,
	clientauth.None,
}

// everyWay is a client that can prove itself in each way.
func everyWay(t *testing.T) Client {
	t.Helper()
	certificate := vouched().Certificate
	return Client{ID: "CLIENT_ID", Secret: redact.New("CLIENT_SECRET"), Key: newKey(t), Certificate: &certificate}
}

// everyRequest is each request that carries something secret. A call answers
// with its error.
func everyRequest(d *descriptor.Descriptor, hc *http.Client, c Client) map[string]func() error {
	exchange := func(ask TokenRequest) func() error {
		return func() error {
			answer, err := at(d, c, hc).Exchange(context.Background(), ask)
			if err == nil || !answer.Access.IsZero() || !answer.Refresh.IsZero() {
				err = errors.Join(errors.New("a token was taken"), err)
			}
			return err
		}
	}
	return map[string]func() error{
		"client credentials": exchange(creds), "refresh": exchange(again),
		"revoke": func() error { return at(d, c, hc).RevokeToken(context.Background(), redact.New("ACCESS_TOKEN")) },
	}
}

// Whom nobody vouches for, who has another name, and who speaks an old TLS gets
// no byte of a request and no certificate, whatever the client proves itself
// by.
func TestNothingIsSentToAServerThatIsNotVerified(t *testing.T) {
	c := everyWay(t)
	for name, spoil := range map[string]func(*vendor, *outbound.Config) (host string){
		"untrusted":  func(_ *vendor, cfg *outbound.Config) string { cfg.Roots = nil; return "login.test" },
		"other name": func(*vendor, *outbound.Config) string { return "other.test" },
		"TLS 1.1": func(v *vendor, _ *outbound.Config) string {
			v.TLS.MinVersion, v.TLS.MaxVersion = tls.VersionTLS10, tls.VersionTLS11
			return "login.test"
		},
	} {
		v := serve(t, says(200, `{"access_token":"a"}`))
		var shown bool
		v.TLS.VerifyConnection = func(s tls.ConnectionState) error {
			shown = shown ||
				len(s.PeerCertificates) > 0
			return nil
		}
		cfg := outbound.Config{
			Roots: vouched().pool,
			Route: func(string) (string, bool) { return v.Listener.Addr().String(), true },
		}
		host := spoil(v, &cfg)
		for _, auth := range everyAuth {
			d := parse(
				t,
				fmt.Sprintf(
					`{"token":{"url":"https://%s/token","auth":%q},"refresh":{},"revoke":{"url":"/revoke"}}`,
					host,
					auth,
				),
			)
			for request, ask := range everyRequest(d, outbound.NewClient(cfg), c) {
				if e := must(t, asError(t, ask()), Unavailable); e.Sent || e.Status != 0 {
					t.Errorf("%s, %s, %s: %+v, want not e.Sent and status 0", name, auth, request, e)
				}
			}
		}
		if n := v.requests.Load(); n != 0 || shown {
			t.Errorf("%s: %d requests arrived; certificate shown: %t, want n = 0 and not shown", name, n, shown)
		}
	}
}

// inwards are addresses that are not the public internet's, IPv4 addresses
// within IPv6 ones among them.
var inwards = []string{
	"169.254.169.254", "127.0.0.1", "10.0.0.1", "172.16.0.1", "192.168.0.1", "100.64.0.1", "0.0.0.0",
	"::1", "::", "fe80::1", "fd00::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe",
	"2002:7f00:1::1",
}

// refusedInwards is what is said of one of these addresses.
func refusedInwards(address string) string {
	switch address {
	case "169.254.169.254", "fe80::1", "64:ff9b::a9fe:a9fe":
		return "its address is link-local, which is always refused"
	}
	return "its address is private, which is refused unless the stack's parameter AllowPrivate or serve --allow-private admits it"
}

// outside is a public address that is never dialled: what stands beside it, or
// comes after it, forbids it.
var outside = netip.MustParseAddr("192.0.32.7")

// inside makes the requests of a client, shared connections and others, to
// https://name with the port of a trap that stands on loopback, and says what
// came of each.
func inside(t *testing.T, name, trap string) map[string]*Error {
	t.Helper()
	_, port, _ := strings.Cut(trap, ":")
	c, outcome := everyWay(t), map[string]*Error{}
	for _, auth := range []clientauth.Method{clientauth.Basic, clientauth.TLS} {
		d := parse(
			t,
			fmt.Sprintf(
				`{"token":{"url":"https://%s:%s/token","auth":%q},"refresh":{},"revoke":{"url":"/revoke"}}`,
				name,
				port,
				auth,
			),
		)
		for request, ask := range everyRequest(d, outbound.NewClient(outbound.Config{}), c) {
			outcome[string(auth)+", "+request] = must(t, asError(t, ask()), Misconfigured)
		}
	}
	return outcome
}

func TestNamesThatPointInwardsAreRefusedBeforeAByteIsSent(t *testing.T) {
	address, bytes := trap(t)
	for _, one := range inwards {
		private := netip.MustParseAddr(one)
		for name, all := range map[string][]netip.Addr{"alone.test": {private}, "last.test": {outside, private},
			"first.test": {private, outside}} {
			nameServer(t, func(string) []netip.Addr { return all })
			for what, e := range inside(t, name, address) {
				if e.Sent || e.Description != name+": "+refusedInwards(one) {
					t.Errorf("%v, %s: %+v", all, what, e)
				}
			}
		}
	}
	if n := bytes.Load(); n != 0 {
		t.Errorf("%d bytes or connections arrived inside, want n = 0", n)
	}
}

// A name is looked at, and looked up again for the connection: it may have
// moved.
func TestANameThatMovesInwardsIsRefusedAtTheDial(t *testing.T) {
	address, bytes := trap(t)
	var looked atomic.Int64
	nameServer(t, func(string) []netip.Addr {
		if looked.Add(1) <= 2 { // its IPv4 and its IPv6 addresses
			return []netip.Addr{outside}
		}
		return []netip.Addr{netip.MustParseAddr("127.0.0.1")}
	})
	for what, e := range inside(t, "moves.test", address) {
		if e.Sent || e.Description != "moves.test: "+refusedInwards("127.0.0.1") {
			t.Errorf("%s: %+v", what, e)
		}
		looked.Store(0)
	}
	if n := bytes.Load(); n != 0 {
		t.Errorf("%d bytes or connections arrived inside, want n = 0", n)
	}
}

//go:build testall && linux

package main

import (
	"crypto/x509"
	"encoding/json"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/clierror"
	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/secretstore"
	"github.com/tokenvend/tokenvend/internal/testbed"
	"github.com/tokenvend/tokenvend/pkg/credential/secretsmanager"
	"github.com/tokenvend/tokenvend/pkg/mint"
	"github.com/tokenvend/tokenvend/pkg/outbound"
	"github.com/tokenvend/tokenvend/pkg/proof"
	"github.com/tokenvend/tokenvend/pkg/proof/awsproof"
	"github.com/tokenvend/tokenvend/pkg/seal"
)

// newFederatedStack returns a stack that binds the credential entra to an
// audience, by the value of its parameter Proofs. It reaches providers through
// a proxy.
func newFederatedStack(t *testing.T, dir string, v *vendors) *stack {
	t.Helper()
	s := newStackIn(t, testbed.StandInAccount(t))
	bindings, err := proof.Parse("entra=api://AzureADTokenExchange@login.microsoftonline.com")
	must(t, err)
	s.service.Mint = mint.New(mint.Config{
		Store: s.store, Sealer: seal.Off{}, Source: secretsmanager.New(s.secrets, secretstore.DefaultPrefix),
		HTTP: throughProxy(t, filepath.Join(dir, "ca.pem"), v.proxy),
		Prover: &proof.Prover{Bindings: bindings, WebIdentity: awsproof.STS{
			Endpoint: *s.account.BaseEndpoint, Region: s.account.Region,
			Credentials: s.account.Credentials, HTTP: s.account.HTTPClient,
		}.WebIdentity},
	})
	t.Cleanup(s.service.Mint.Wait)
	return s
}

// throughProxy returns a client as the functions have, with one root and a
// proxy.
func throughProxy(t *testing.T, root, proxy string) *http.Client {
	t.Helper()
	pem, err := os.ReadFile(root)
	must(t, err)
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(pem) {
		t.Fatalf("AppendCertsFromPEM(%s) = false, want a certificate", root)
	}
	address, err := url.Parse(proxy)
	must(t, err)
	hc := outbound.NewClient(outbound.Config{Roots: roots, Proxy: address})
	t.Cleanup(hc.CloseIdleConnections)
	return hc
}

// A user adds Entra without a secret to a stack, at a terminal: tokens of AWS
// STS authenticate the client. It is vended, renewed ahead of time, and refused
// in words that are understood.
func TestEntraByWebIdentityOnATerminal(t *testing.T) {
	dir := t.TempDir()
	v := newVendors(t, dir, "entra-federated")
	s := newFederatedStack(t, dir, v)
	s.rotate()
	add := func(name string) ran {
		return converseEnv(t, s.dir, s.env, []prompt{
			{question: "client id: ", answer: "11111111-2222-3333-4444-555555555555"},
			{question: "a verified domain of the tenant: ", answer: "contoso.onmicrosoft.com"},
			{question: "scope, such as ", answer: "https://graph.microsoft.com/.default"},
		}, "add", name, "--provider", "entra-federated", "--keep-warm", "--function", stackFunction)
	}
	r := add("entra")
	if r.code != clierror.OK || !strings.Contains(r.out, "entra works: a token with the fingerprint") {
		t.Fatalf("add on a terminal = %d\n%s\nwant a token", r.code, r.out)
	}
	if token := s.direct("", "get", "entra").want(t, clierror.OK).out; !strings.Contains(token, "TOKEN-OF-entra") {
		t.Errorf("get = %s, want the provider's token", token)
	}
	v.check(t)
	s.waitForRenewal("entra")

	const said = "AADSTS700213: No matching federated identity record found for presented assertion subject"
	v.refuse(said)
	s.direct("", "revoke", "entra").want(t, clierror.OK)
	s.direct("", "get", "entra").want(t, clierror.Refused, "the provider refused", said, "key or proof")
	if r = add("other"); r.code == clierror.OK || !strings.Contains(r.out, "the stack's parameter Proofs") {
		t.Errorf("add of a credential that is not bound = %d\n%s\nwant the parameter that binds it", r.code, r.out)
	}
}

// waitForRenewal waits until rotate has renewed a token ahead.
func (s *stack) waitForRenewal(name string) {
	s.Helper()
	var status struct{ Generation int }
	for range 100 {
		r := s.direct("", "status", name, "--json")
		must(s.T, json.Unmarshal([]byte(r.out), &status))
		if status.Generation > 1 {
			return
		}
		time.Sleep(100 * time.Millisecond)
	}
	s.Errorf("status %s = %+v after 10 s, want a renewed token", name, status)
}

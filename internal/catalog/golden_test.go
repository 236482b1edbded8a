// Package catalog_test holds every provider of the catalogue to golden files:
// a request, an answer, its malformed twin, and what is read of it. Where an
// entry is marked as not read, its golden files are assumed as well: they show
// that the descriptor says what was meant, and not that the vendor agrees.
package catalog_test

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/hmac"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"math/big"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tokenvend/tokenvend/pkg/credential"
	"github.com/tokenvend/tokenvend/pkg/credential/secret"
	"github.com/tokenvend/tokenvend/pkg/descriptor"
	"github.com/tokenvend/tokenvend/pkg/descriptor/catalog"
	"github.com/tokenvend/tokenvend/pkg/jws"
	"github.com/tokenvend/tokenvend/pkg/proof"
	"github.com/tokenvend/tokenvend/pkg/provider"
	"github.com/tokenvend/tokenvend/pkg/redact"
	"github.com/tokenvend/tokenvend/pkg/token"
)

// golden is one exchange: testdata/PROVIDER.KIND.txt. Its sections begin with
// lines such as "-- request --". Requests before and after the token request
// have sections such as "-- step request --" and "-- then answer --".
type golden struct {
	name, kind string
	sections   map[string]string
}

// requests returns the prefixes of the sections of each request, in the order
// in which they are sent.
func (g golden) requests() []string {
	var all []string
	for _, prefix := range []string{"step ", "", "then "} {
		if g.sections[prefix+"request"] != "" {
			all = append(all, prefix)
		}
	}
	return all
}

// goldens returns all exchanges, sorted by file.
func goldens(t *testing.T) []golden {
	t.Helper()
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("Glob(testdata/*.txt) = %d files, %v", len(files), err)
	}
	var all []golden
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		base := strings.TrimSuffix(filepath.Base(file), ".txt")
		name, kind, _ := strings.Cut(base, ".")
		all = append(all, golden{name: name, kind: kind, sections: sections(string(data))})
	}
	return all
}

func sections(text string) map[string]string {
	all := map[string]string{}
	for part := range strings.SplitSeq("\n"+text, "\n-- ") {
		if name, body, ok := strings.Cut(part, " --\n"); ok {
			all[name] = strings.TrimSuffix(body, "\n")
		}
	}
	return all
}

func TestGolden(t *testing.T) {
	for _, g := range goldens(t) {
		t.Run(g.name+"."+g.kind, func(t *testing.T) {
			c := g.credential(t)
			s := serve(t, g.hosts(t), g.answers("")...)
			got, err := g.exchange(t, c, s)
			if err != nil {
				t.Fatalf("Exchange(%s) failed: %v", g.kind, err)
			}
			if g.kind == "self_signed" {
				if len(s.requests) != 0 {
					t.Errorf("Exchange sent %d requests, want none", len(s.requests))
				}
				checkAssertion(t, g, got.Access.Reveal())
			} else {
				g.checkRequests(t, s.requests)
				if wantShown := c.Certificate != nil && g.usesTLS(c); wantShown != (s.shown > 0) {
					t.Errorf("client certificates shown = %d, want some: %t", s.shown, wantShown)
				}
			}
			g.checkVended(t, c, got)
		})
	}
}

// checkRequests compares the requests that were sent with the sections.
func (g golden) checkRequests(t *testing.T, sent []string) {
	t.Helper()
	prefixes := g.requests()
	if len(sent) != len(prefixes) {
		t.Fatalf("Exchange sent %d requests, want %d", len(sent), len(prefixes))
	}
	for i, prefix := range prefixes {
		request, found := sent[i], ""
		if prefix == "" && g.sections["assertion"] != "" {
			request, found = withoutAssertion(request)
			checkAssertion(t, g, found)
		}
		if prefix == "" && g.sections["signed"] != "" {
			request = g.withoutSignature(t, request)
		}
		if want := normalized(g.sections[prefix+"request"]); request != want {
			t.Errorf("Exchange sent\n%s\n\nwant\n%s", request, want)
		}
	}
}

// A malformed answer to any of the requests yields no token, and an error that
// quotes no secret.
func TestGoldenMalformedTwin(t *testing.T) {
	for _, g := range goldens(t) {
		for _, prefix := range g.requests() {
			t.Run(g.name+"."+g.kind+"."+prefix, func(t *testing.T) {
				s := serve(t, g.hosts(t), g.answers(prefix+"malformed")...)
				got, err := g.exchange(t, g.credential(t), s)
				if err == nil || !got.Access.IsZero() {
					t.Fatalf("Exchange() = %q, %v, want no token", got.Access.Reveal(), err)
				}
				if strings.Contains(err.Error(), "SECRET") {
					t.Errorf("Exchange() = %v, want an error without the secret", err)
				}
			})
		}
	}
}

// A refusal in the words of RFC 6749 is understood, whatever the provider.
func TestGoldenRefusedClient(t *testing.T) {
	for _, g := range goldens(t) {
		if g.kind == "self_signed" {
			continue
		}
		t.Run(g.name+"."+g.kind, func(t *testing.T) {
			s := serve(t, g.hosts(t), "401\n"+`{"error":"invalid_client"}`)
			_, err := g.exchange(t, g.credential(t), s)
			refused, ok := err.(*provider.Error)
			if !ok || refused.Kind != provider.Rejected {
				t.Errorf("Exchange() = %v, want a refusal", err)
			}
		})
	}
}

// credential parses the entry's example, with keys that work.
func (g golden) credential(t *testing.T) credential.Credential {
	t.Helper()
	d := entry(t, g.name)
	c, err := secret.Parse("example", "1", exampleSecret(t, d))
	if err != nil {
		t.Fatalf("Parse(example of %s): %v", g.name, err)
	}
	return c
}

func entry(t *testing.T, name string) *descriptor.Descriptor {
	t.Helper()
	d, err := catalog.Get(name)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// exampleSecret returns the example of an entry with keys in the place of
// "-----BEGIN …".
func exampleSecret(t *testing.T, d *descriptor.Descriptor) []byte {
	t.Helper()
	fields, m := maps.Clone(d.Example), keysFor(d)
	if _, given := fields["private_key"]; given {
		fields["private_key"] = m.key
	}
	if _, given := fields["certificate"]; given {
		fields["certificate"] = m.certificate
	}
	data, err := json.Marshal(fields)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func keysFor(d *descriptor.Descriptor) material {
	if d.Assertion != nil && strings.HasPrefix(string(d.Assertion.Algorithm), "ES") {
		return ecMaterial()
	}
	return rsaMaterial()
}

// hosts returns the host of each request.
func (g golden) hosts(t *testing.T) []string {
	t.Helper()
	var hosts []string
	for _, prefix := range g.requests() {
		line, _, _ := strings.Cut(g.sections[prefix+"request"], "\n")
		_, address, _ := strings.Cut(line, " ")
		u, err := url.Parse(address)
		if err != nil {
			t.Fatal(err)
		}
		hosts = append(hosts, u.Host)
	}
	return hosts
}

// answers returns the answer to each request. malformed is the section that
// takes the place of the answer to its request; "" is none.
func (g golden) answers(malformed string) []string {
	var answers []string
	for _, prefix := range g.requests() {
		section := prefix + "answer"
		if malformed == prefix+"malformed" {
			section = malformed
		}
		text := g.sections[section]
		if text == "" {
			text = "500\n"
		}
		answers = append(answers, text)
	}
	return answers
}

func (g golden) usesTLS(c credential.Credential) bool {
	d, err := c.ProviderDescriptor()
	return err == nil && d.EndpointFor(descriptor.ClientCredentials).Auth.Needs().Certificate
}

func (g golden) exchange(t *testing.T, c credential.Credential, s *server) (provider.TokenResponse, error) {
	t.Helper()
	d, err := c.ProviderDescriptor()
	if err != nil {
		t.Fatal(err)
	}
	byDefault := token.Variant{}
	request := provider.TokenRequest{Grant: c.Strategy(byDefault).Direct}
	request.Scope, request.Audience = c.ScopeAndAudience(byDefault)
	switch g.kind {
	case "code":
		request = provider.TokenRequest{
			Grant: descriptor.AuthorizationCode, Code: redact.New("CODE"), Verifier: redact.New("VERIFIER"),
			RedirectURI: "https://app.example.com/callback",
		}
		if d.CodeChallenge() == descriptor.PKCENone {
			request.Verifier = redact.String{}
		}
	case "refresh":
		request = provider.TokenRequest{Grant: descriptor.RefreshToken, Refresh: redact.New("REFRESH_TOKEN")}
		if !c.Refresh.IsZero() {
			request.Refresh = c.Refresh
		}
	}
	e := provider.Endpoint{Descriptor: d, Client: c.Client, HTTP: s.client, Prover: g.prover(t)}
	return e.Exchange(t.Context(), request)
}

// prover returns one that gives the example a web identity token for the host
// of the first request.
func (g golden) prover(t *testing.T) *proof.Prover {
	t.Helper()
	var host string
	if hosts := g.hosts(t); len(hosts) > 0 {
		host = hosts[0]
	}
	return &proof.Prover{
		Bindings: proof.Bindings{{Credential: "example", Kind: proof.STS, Source: "AUDIENCE", Host: host}},
		WebIdentity: func(context.Context, string, jws.Algorithm) (redact.String, error) {
			return redact.New("WEB_IDENTITY_TOKEN"), nil
		},
	}
}

// checkVended compares what was read with the section "vended".
func (g golden) checkVended(t *testing.T, c credential.Credential, got provider.TokenResponse) {
	t.Helper()
	var want struct {
		Access  string            `json:"access_token"`
		Refresh string            `json:"refresh_token"`
		In      *int              `json:"expires_in"`
		At      *time.Time        `json:"expires_at"`
		Extra   map[string]string `json:"extra"`
		Use     map[string]string `json:"use"`
	}
	if err := json.Unmarshal([]byte(g.sections["vended"]), &want); err != nil {
		t.Fatal(err)
	}
	if g.kind != "self_signed" && got.Access.Reveal() != want.Access {
		t.Errorf("access token = %q, want %q", got.Access.Reveal(), want.Access)
	}
	if got.Refresh.Reveal() != want.Refresh {
		t.Errorf("refresh token = %q, want %q", got.Refresh.Reveal(), want.Refresh)
	}
	switch {
	case want.In != nil:
		if in := got.Expiry.In.Seconds(); g.kind != "self_signed" && int(in) != *want.In {
			t.Errorf("expires in %v s, want %d s", in, *want.In)
		}
	case want.At != nil:
		if !got.Expiry.At.Equal(*want.At) {
			t.Errorf("expires at %v, want %v", got.Expiry.At, *want.At)
		}
	case got.Expiry.Given:
		t.Errorf("expiry = %+v, want none", got.Expiry)
	}
	if extra := revealed(got.Extra); !maps.Equal(extra, want.Extra) {
		t.Errorf("extra = %v, want %v", extra, want.Extra)
	}
	d, _ := c.ProviderDescriptor()
	if use := d.Use.Header; use != want.Use["header"] {
		t.Errorf("the token is used in header %q, want %q", use, want.Use["header"])
	}
}

func revealed(extra map[string]redact.String) map[string]string {
	var all map[string]string
	for name, value := range extra {
		if all == nil {
			all = map[string]string{}
		}
		all[name] = value.Reveal()
	}
	return all
}

func headerLines(h http.Header) string {
	var b strings.Builder
	for _, name := range slices.Sorted(maps.Keys(h)) {
		value := strings.Join(h[name], ", ")
		if slices.Contains(unnamed, name) || name == "Accept" && value == "application/json" {
			continue
		}
		b.WriteString(name + ": " + value + "\n")
	}
	return b.String()
}

// normalized sorts the header lines of a golden request, and replaces dates.
func normalized(request string) string {
	request = strings.ReplaceAll(request, "<date+50h>", time.Now().UTC().Add(50*time.Hour).Format(time.DateOnly))
	head, body, _ := strings.Cut(request, "\n\n")
	lines := strings.Split(head, "\n")
	slices.Sort(lines[1:])
	return strings.Join(lines, "\n") + "\n\n" + body
}

// withoutAssertion replaces the JWT of a request by ASSERTION, and returns it.
func withoutAssertion(request string) (text, assertion string) {
	for word := range strings.FieldsFuncSeq(request, func(r rune) bool { return strings.ContainsRune(" =&\n\"", r) }) {
		if strings.HasPrefix(word, "eyJ") && strings.Count(word, ".") == 2 {
			return strings.Replace(request, word, "ASSERTION", 1), word
		}
	}
	return request, ""
}

// withoutSignature replaces the time and the signature of a request, and
// verifies the signature: it is of the section "signed".
func (g golden) withoutSignature(t *testing.T, request string) string {
	t.Helper()
	at, signature := headerOf(request, "X-Timestamp"), headerOf(request, "X-Signature")
	if sent, err := time.Parse(time.RFC3339, at); err != nil || time.Since(sent).Abs() > time.Minute {
		t.Errorf("X-Timestamp = %q, want the time", at)
	}
	sum := sha256.Sum256([]byte(strings.ReplaceAll(strings.TrimSpace(g.sections["signed"]), "<now>", at)))
	raw, err := base64.StdEncoding.DecodeString(signature)
	if err == nil {
		err = rsa.VerifyPKCS1v15(rsaMaterial().signer.Public().(*rsa.PublicKey), crypto.SHA256, sum[:], raw)
	}
	if err != nil {
		t.Errorf("X-Signature = %q, which does not verify: %v", signature, err)
	}
	return strings.NewReplacer(at, "<now>", signature, "<signature>").Replace(request)
}

// headerOf returns the value of a header field of a request; "" if it has none.
func headerOf(request, name string) string {
	_, rest, _ := strings.Cut(request, "\n"+name+": ")
	value, _, _ := strings.Cut(rest, "\n")
	return value
}

// checkAssertion compares a JWT with the section "assertion", and verifies its
// signature.
func checkAssertion(t *testing.T, g golden, text string) {
	t.Helper()
	parts := strings.Split(text, ".")
	if len(parts) != 3 {
		t.Fatalf("assertion = %q, want a JWT", text)
	}
	var want struct{ Header, Claims map[string]any }
	if err := json.Unmarshal([]byte(g.sections["assertion"]), &want); err != nil {
		t.Fatal(err)
	}
	m := keysFor(entry(t, g.name))
	header, claims := unpack(t, parts[0]), unpack(t, parts[1])
	compare(t, "header", header, want.Header, m)
	compare(t, "claims", claims, want.Claims, m)
	var key crypto.PublicKey = m.signer.Public()
	if secret := g.sections["hmac key"]; secret != "" {
		key = must(hex.DecodeString(secret))
	}
	if !verifies(key, fmt.Sprint(header["alg"]), parts[0]+"."+parts[1], parts[2]) {
		t.Errorf("the signature of the assertion is not valid")
	}
}

func unpack(t *testing.T, part string) map[string]any {
	t.Helper()
	data, err := base64.RawURLEncoding.DecodeString(part)
	if err != nil {
		t.Fatal(err)
	}
	var members map[string]any
	if err := json.Unmarshal(data, &members); err != nil {
		t.Fatal(err)
	}
	return members
}

// compare compares members, in which "<now+60>" is a time, "<random>" any text,
// and others are computed from the key.
func compare(t *testing.T, what string, got, want map[string]any, m material) {
	t.Helper()
	if !slices.Equal(slices.Sorted(maps.Keys(got)), slices.Sorted(maps.Keys(want))) {
		t.Errorf("%s = %v, want the members %v", what, got, slices.Sorted(maps.Keys(want)))
	}
	for name, value := range want {
		text, _ := value.(string)
		switch {
		case text == "<random>":
			if random, _ := got[name].(string); len(random) < 16 {
				t.Errorf("%s %s = %v, want a random text", what, name, got[name])
			}
		case strings.HasPrefix(text, "<now"):
			checkTime(t, name, got[name], text)
		default:
			if text != "" {
				value = computed(text, m)
			}
			if !reflect.DeepEqual(got[name], value) {
				t.Errorf("%s %s = %v, want %v", what, name, got[name], value)
			}
		}
	}
}

func checkTime(t *testing.T, name string, got any, want string) {
	t.Helper()
	var seconds int
	if _, err := fmt.Sscanf(want, "<now%d>", &seconds); err != nil {
		t.Fatal(err)
	}
	number, _ := got.(float64)
	off := time.Unix(int64(number), 0).Sub(time.Now().Add(time.Duration(seconds) * time.Second))
	if off.Abs() > 10*time.Second {
		t.Errorf("claim %s = %v, want %s (off by %v)", name, got, want, off)
	}
}

func computed(text string, m material) string {
	thumbprint, der := sha256.Sum256(m.leaf.Raw), must(x509.MarshalPKIXPublicKey(m.signer.Public()))
	public, old := sha256.Sum256(der), sha1.Sum(m.leaf.Raw)
	return strings.NewReplacer(
		"<x5t#S256>", base64.RawURLEncoding.EncodeToString(thumbprint[:]),
		"<x5t>", base64.RawURLEncoding.EncodeToString(old[:]),
		"<public_key_sha256>", base64.StdEncoding.EncodeToString(public[:]),
	).Replace(text)
}

func must[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
}

func verifies(public crypto.PublicKey, alg, text, encoded string) bool {
	signature, err := base64.RawURLEncoding.DecodeString(encoded)
	hash, known := map[string]crypto.Hash{"256": crypto.SHA256, "384": crypto.SHA384, "512": crypto.SHA512}[alg[2:]]
	if err != nil || !known {
		return false
	}
	h := hash.New()
	h.Write([]byte(text))
	switch key := public.(type) {
	case []byte:
		mac := hmac.New(hash.New, key)
		mac.Write([]byte(text))
		return hmac.Equal(mac.Sum(nil), signature)
	case *ecdsa.PublicKey:
		half := len(signature) / 2
		r, s := new(big.Int).SetBytes(signature[:half]), new(big.Int).SetBytes(signature[half:])
		return ecdsa.Verify(key, h.Sum(nil), r, s)
	case *rsa.PublicKey:
		if strings.HasPrefix(alg, "PS") {
			return rsa.VerifyPSS(key, hash, h.Sum(nil), signature, nil) == nil
		}
		return rsa.VerifyPKCS1v15(key, hash, h.Sum(nil), signature) == nil
	}
	return false
}

// The names of golden files are providers of the catalogue.
func TestGoldenFilesBelongToTheCatalogue(t *testing.T) {
	for _, g := range goldens(t) {
		if !slices.Contains(catalog.Names(), g.name) {
			t.Errorf("testdata/%s.%s.txt: there is no such provider", g.name, g.kind)
		}
		if bytes.Contains([]byte(g.sections["request"]), []byte("\r")) {
			t.Errorf("testdata/%s.%s.txt has CR", g.name, g.kind)
		}
	}
}

package proof

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/tokenvend/tokenvend/pkg/jws"
	"github.com/tokenvend/tokenvend/pkg/redact"
)

// Prover proves clients, each only at the host that it is bound to. Nothing is
// signed and nothing is read for another. A nil *Prover refuses everything.
type Prover struct {
	Bindings Bindings
	// SignDigest signs a digest by a key in AWS KMS. nil: there is none here.
	SignDigest func(ctx context.Context, keyARN string, alg jws.Algorithm, digest []byte) ([]byte, error)
	// WebIdentity obtains a token of AWS STS. nil: there is none here.
	WebIdentity func(ctx context.Context, audience string) (redact.String, error)
}

// Key returns the key of a credential in AWS KMS, for an assertion that goes to
// a host. Signing is one call of kms:Sign.
func (p *Prover) Key(ctx context.Context, credential, host string) (jws.Key, error) {
	b, err := p.find(credential, KMS, host)
	if err != nil {
		return jws.Key{}, err
	}
	if p.SignDigest == nil {
		return jws.Key{}, errors.New("proof kms: there is no AWS KMS here")
	}
	return jws.Key{Remote: func(alg jws.Algorithm, digest []byte) ([]byte, error) {
		return p.SignDigest(ctx, b.Source, alg, digest)
	}}, nil
}

// Token returns a token that proves a credential's client to a host: a web
// identity token, or what a file says.
func (p *Prover) Token(ctx context.Context, credential string, kind Kind, host string) (redact.String, error) {
	b, err := p.find(credential, kind, host)
	switch {
	case err != nil:
		return redact.String{}, err
	case kind == STS && p.WebIdentity != nil:
		return p.WebIdentity(ctx, b.Source)
	case kind == File:
		return readToken(b.Source)
	}
	return redact.String{}, fmt.Errorf("proof %s: it is not available here", kind)
}

func (p *Prover) find(credential string, kind Kind, host string) (Binding, error) {
	if p == nil {
		return Bindings(nil).find(credential, kind, host)
	}
	return p.Bindings.find(credential, kind, host)
}

// maxFile is more than any token has, in bytes.
const maxFile = 64 << 10

// readToken reads a file that holds a token and nothing else. The operator has
// named the file when the program started.
func readToken(path string) (redact.String, error) {
	f, err := os.Open(path) // #nosec G304 -- the operator names the file
	if err != nil {
		return redact.String{}, fmt.Errorf("proof file: %w", err)
	}
	defer func() { _ = f.Close() }()
	data, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err != nil {
		return redact.String{}, fmt.Errorf("proof file: %w", err)
	}
	token := strings.TrimSpace(string(data))
	if token == "" || len(data) > maxFile || strings.ContainsFunc(token, unprintable) {
		return redact.String{}, fmt.Errorf("proof file: %s: expected a token: printable characters without spaces", path)
	}
	return redact.New(token), nil
}

func unprintable(r rune) bool { return r <= ' ' || r > '~' }

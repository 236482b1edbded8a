package proof

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"strings"

	"github.com/tokenvend/tokenvend/pkg/jws"
	"github.com/tokenvend/tokenvend/pkg/redact"
)

// Prover makes proofs, each only for the credential and the host that it is
// bound to. Nothing is signed and nothing is read for another. A nil *Prover
// refuses every use.
type Prover struct {
	Bindings Bindings
	// SignDigest signs a digest by a key in AWS KMS. nil: there is none here.
	SignDigest func(ctx context.Context, keyARN string, alg jws.Algorithm, digest []byte) ([]byte, error)
	// WebIdentity obtains a token of AWS STS. nil: there is none here.
	WebIdentity func(ctx context.Context, audience string, alg jws.Algorithm) (redact.String, error)
}

// Use is one use of a proof.
type Use struct {
	Credential string
	Kind       Kind
	// Host is where the proof is sent: the host of the request's URL, with its
	// port where the URL has one.
	Host string
	// Algorithm is that of the assertion; "" is RS256.
	Algorithm jws.Algorithm
}

// Proof authenticates a client. One of the fields is set.
type Proof struct {
	Key   jws.Key       // signs an assertion, by one call of kms:Sign
	Token redact.String // is the assertion
}

// Refused is the error of a use that is not allowed, or that cannot be made
// here: only another setting helps. It names no key, audience or file.
type Refused string

// Error returns what was refused, and what an operator can do.
func (r Refused) Error() string { return string(r) }

// Prove returns the proof for a use. Every error but a [Refused] may pass.
func (p *Prover) Prove(ctx context.Context, u Use) (Proof, error) {
	u.Algorithm = cmp.Or(u.Algorithm, jws.RS256)
	source, bound := p.source(u)
	switch {
	case !bound:
		return Proof{}, Refused(fmt.Sprintf("proof %s: not bound to this credential at %s: "+
			"the stack's parameter Proofs or serve --token-file binds it", u.Kind, u.Host))
	case !u.Kind.Allows(u.Algorithm):
		return Proof{}, Refused(fmt.Sprintf("proof %s: expected another algorithm than %s", u.Kind, u.Algorithm))
	case u.Kind == KMS && p.SignDigest != nil:
		return Proof{Key: jws.Key{Remote: func(alg jws.Algorithm, digest []byte) ([]byte, error) {
			return p.SignDigest(ctx, source, alg, digest)
		}}}, nil
	case u.Kind == STS && p.WebIdentity != nil:
		token, err := p.WebIdentity(ctx, source, u.Algorithm)
		return Proof{Token: token}, err
	case u.Kind == File:
		token, err := readToken(source)
		return Proof{Token: token}, err
	}
	return Proof{}, Refused(fmt.Sprintf("proof %s: not available here", u.Kind))
}

// source returns the key, the audience or the file that a use is bound to.
func (p *Prover) source(u Use) (source string, bound bool) {
	if p == nil {
		return "", false
	}
	i := slices.IndexFunc(p.Bindings, func(b Binding) bool {
		return b.Credential == u.Credential && b.Kind == u.Kind && b.Host == normalHost(u.Host)
	})
	if i < 0 {
		return "", false
	}
	return p.Bindings[i].Source, true
}

// maxFile is more than any token has, in bytes.
const maxFile = 64 << 10

// readToken reads a file that holds a token and nothing else. The operator
// named the file when the program started. Errors do not name it, because
// callers may see them.
func readToken(path string) (redact.String, error) {
	// Opening a named pipe would wait for its writer.
	if info, err := os.Stat(path); err != nil {
		return redact.String{}, withoutPath(err)
	} else if !info.Mode().IsRegular() {
		return redact.String{}, errors.New("the token file: expected a regular file")
	}
	f, err := os.Open(path) // #nosec G304 -- the operator names the file
	if err != nil {
		return redact.String{}, withoutPath(err)
	}
	defer func() { _ = f.Close() }()
	data, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err != nil {
		return redact.String{}, withoutPath(err)
	}
	token := strings.TrimSpace(string(data))
	if token == "" || len(data) > maxFile || strings.ContainsFunc(token, unprintable) {
		return redact.String{}, errors.New("the token file: expected a token, printable and without spaces")
	}
	return redact.New(token), nil
}

// withoutPath returns an error of a file without the file's name.
func withoutPath(err error) error {
	if inner, ok := errors.AsType[*fs.PathError](err); ok {
		err = inner.Err
	}
	return fmt.Errorf("the token file: %w", err)
}

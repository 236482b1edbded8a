// Package proof authenticates OAuth clients without a stored secret: by a
// private key that stays in AWS KMS, by a web identity token of AWS STS, or by
// a token in a file. These proofs belong to this program and not to a secret. A
// secret says which kind of proof its client uses, and never which key,
// audience or file: a [Binding] outside the secret ties that to one credential
// and to the host of its token endpoint.
package proof

import (
	"fmt"
	"net"
	"strconv"
	"strings"

	"github.com/tokenvend/tokenvend/pkg/descriptor"
	"github.com/tokenvend/tokenvend/pkg/jws"
)

// Kind is a kind of proof.
type Kind string

// The kinds.
const (
	// KMS signs assertions by a private key in AWS KMS.
	KMS Kind = "kms"
	// STS is a web identity token of AWS STS (GetWebIdentityToken).
	STS Kind = "sts"
	// File is a token in a file, read anew each time, such as a projected
	// service account token of Kubernetes.
	File Kind = "file"
)

// Names returns the kinds as texts.
func Names() []string { return []string{string(KMS), string(STS), string(File)} }

// Signs reports whether a proof of this kind signs what the descriptor says of
// an assertion. The others are assertions that somebody else has signed.
func (k Kind) Signs() bool { return k == KMS }

// Allows reports whether a proof of this kind can be of an algorithm. "" is
// RS256. A token in a file is of any: it is signed already.
func (k Kind) Allows(alg jws.Algorithm) bool {
	switch k {
	case KMS:
		return alg != jws.EdDSA && alg != jws.HS256
	case STS:
		return alg == "" || alg == jws.RS256 || alg == jws.ES384
	}
	return true
}

// Binding allows one credential to use one proof at one host.
type Binding struct {
	Credential string
	Kind       Kind
	// Source is the ARN of a KMS key, the audience of a web identity token, or
	// the path of a file.
	Source string
	// Host is the host of the token endpoint, with its port where that is not
	// 443.
	Host string
}

// Bindings are all that is allowed. nil allows nothing.
type Bindings []Binding

// Parse reads bindings of the form NAME=KEY_OR_AUDIENCE@HOST, separated by
// commas or line ends: KEY is the ARN of a KMS key, and anything else is an
// audience. "" is none.
func Parse(text string) (Bindings, error) {
	var all Bindings
	for item := range strings.FieldsFuncSeq(text, func(r rune) bool { return r == ',' || r == '\n' }) {
		if item = strings.TrimSpace(item); item == "" {
			continue
		}
		b, err := parse(item, STS)
		switch {
		case err != nil:
			return nil, err
		case strings.ContainsFunc(b.Source, unprintable):
			return nil, fmt.Errorf("%q: expected no space and no control character", item)
		case strings.HasPrefix(b.Source, "arn:"):
			b.Kind = KMS
		}
		if b.Kind == KMS && b.KeyRegion() == "" {
			const form = "arn:aws:kms:REGION:ACCOUNT:key/ID"
			return nil, fmt.Errorf("%q: expected the ARN of a KMS key, %s, and no alias", item, form)
		}
		if all, err = all.add(b); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// ParseFiles reads bindings of the form NAME=PATH@HOST, one in each text.
func ParseFiles(texts []string) (Bindings, error) {
	var all Bindings
	for _, item := range texts {
		b, err := parse(item, File)
		if err != nil {
			return nil, err
		}
		if all, err = all.add(b); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// examples show the form of a binding.
var examples = map[Kind]string{
	STS:  "entra=api://AzureADTokenExchange@login.microsoftonline.com",
	File: "gcp=/var/run/secrets/token@sts.googleapis.com",
}

// parse splits NAME=SOURCE@HOST.
func parse(item string, kind Kind) (Binding, error) {
	name, rest, _ := strings.Cut(item, "=")
	at := strings.LastIndexByte(rest, '@')
	if !descriptor.ValidName(name) || at <= 0 || !isHost(rest[at+1:]) {
		return Binding{}, fmt.Errorf("%q: expected CREDENTIAL=SOURCE@HOST, such as %s", item, examples[kind])
	}
	return Binding{Credential: name, Kind: kind, Source: rest[:at], Host: normalHost(rest[at+1:])}, nil
}

// add appends a binding. A credential has one at most: two would leave the
// choice to its secret.
func (b Bindings) add(one Binding) (Bindings, error) {
	for _, other := range b {
		if other.Credential == one.Credential {
			return nil, fmt.Errorf("credential %s: expected one binding, not two", one.Credential)
		}
	}
	return append(b, one), nil
}

// KeyRegion returns the region of the KMS key whose ARN the source is; "" where
// it is none. An alias is none: what it names can be changed by others.
func (b Binding) KeyRegion() string {
	parts := strings.SplitN(b.Source, ":", 6)
	if len(parts) < 6 || parts[2] != "kms" || !strings.HasPrefix(parts[5], "key/") || parts[5] == "key/" {
		return ""
	}
	return parts[3]
}

// isHost reports whether text is a host name in lower case, with a port or
// without.
func isHost(text string) bool {
	host, port, err := net.SplitHostPort(text)
	if err != nil {
		host, port = text, "443"
	}
	_, wrongPort := strconv.ParseUint(port, 10, 16)
	return host != "" && wrongPort == nil && strings.ToLower(text) == text && !strings.ContainsAny(host, "/@?#*: ")
}

// normalHost returns the host of a URL in lower case, without the port of
// https.
func normalHost(host string) string { return strings.TrimSuffix(strings.ToLower(host), ":443") }

func unprintable(r rune) bool { return r <= ' ' || r > '~' }

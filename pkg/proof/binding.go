// Package proof proves OAuth clients without a stored secret: by a private key
// that stays in AWS KMS, by a web identity token of AWS STS, or by a token in a
// file. These proofs belong to this program and not to a secret. Whoever may
// write a secret must not use them, so a [Binding] ties each one to a single
// credential and to the host of its token endpoint, outside the secret.
package proof

import (
	"fmt"
	"net"
	"strings"

	"github.com/tokenvend/tokenvend/pkg/descriptor"
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
		b, err := parse(item)
		if err != nil {
			return nil, err
		}
		b.Kind = STS
		if strings.HasPrefix(b.Source, "arn:") {
			if b.Kind = KMS; !isKeyARN(b.Source) {
				return nil, fmt.Errorf("proof: %s: expected the ARN of a KMS key (arn:aws:kms:REGION:ACCOUNT:key/ID), no alias", item)
			}
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
		b, err := parse(item)
		if err != nil {
			return nil, err
		}
		b.Kind = File
		if all, err = all.add(b); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// parse splits NAME=SOURCE@HOST.
func parse(item string) (Binding, error) {
	name, rest, _ := strings.Cut(item, "=")
	at := strings.LastIndexByte(rest, '@')
	if !descriptor.ValidName(name) || at <= 0 || !isHost(rest[at+1:]) {
		return Binding{}, fmt.Errorf("proof: %s: expected CREDENTIAL=SOURCE@HOST, such as entra=api://AzureADTokenExchange@login.microsoftonline.com", item)
	}
	return Binding{Credential: name, Source: rest[:at], Host: rest[at+1:]}, nil
}

// add appends a binding. A credential has one at most: two would leave the
// choice to its secret.
func (b Bindings) add(one Binding) (Bindings, error) {
	for _, other := range b {
		if other.Credential == one.Credential {
			return nil, fmt.Errorf("proof: credential %s: bound twice", one.Credential)
		}
	}
	return append(b, one), nil
}

// isKeyARN reports whether text is the ARN of a KMS key. An alias is none: what
// it names can be changed by others.
func isKeyARN(text string) bool {
	parts := strings.SplitN(text, ":", 6)
	return len(parts) == 6 && parts[2] == "kms" && strings.HasPrefix(parts[5], "key/") && len(parts[5]) > len("key/")
}

// isHost reports whether text is a host name in lower case, with a port or
// without.
func isHost(text string) bool {
	host, port, err := net.SplitHostPort(text)
	if err != nil {
		host, port = text, "443"
	}
	return host != "" && port != "" && strings.ToLower(text) == text && !strings.ContainsAny(host, "/@?#*: ")
}

// find returns the binding of a credential, where it is of that kind and host.
// The error is for operators and callers: it names no source.
func (b Bindings) find(credential string, kind Kind, host string) (Binding, error) {
	for _, one := range b {
		if one.Credential != credential {
			continue
		}
		if one.Kind != kind || one.Host != strings.ToLower(host) {
			break
		}
		return one, nil
	}
	return Binding{}, fmt.Errorf("proof %s: not bound to this credential and the host %s: an operator must allow it by the stack's parameter Proofs, or serve --token-file", kind, host)
}

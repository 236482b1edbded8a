package token

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
)

// OwnPartition is the partition in which every credential has its own row, sorted by name.
const OwnPartition = "*"

// maxVariant is the longest canonical variant, in bytes, that stands in a key as it is.
const maxVariant = 512

const hashPrefix = "sha256="

// Key is the identity of one cached token: a credential and a variant of it; or of a credential's own row ([Own]).
// Keys are comparable.
type Key struct {
	Credential string
	Variant    Variant
	own        bool
}

// Own is the key of a credential's own row: its terms, and the failures and the cooldown that all its variants share.
func Own(credential string) Key { return Key{Credential: credential, own: true} }

// hostMark begins the partition of a provider's host. No credential's name
// begins so.
const hostMark = "@"

// Host is the key of what is known of a provider's host, for all credentials
// that use it.
func Host(host string) Key { return Key{Credential: hostMark + host} }

// IsOwn says whether k names a credential's own row.
func (k Key) IsOwn() bool { return k.own }

// Partition is the first of the two names under which a store keeps the key's entry.
func (k Key) Partition() string {
	if k.own {
		return OwnPartition
	}
	return k.Credential
}

// Sort is the second of the two names under which a store keeps the key's entry.
func (k Key) Sort() string {
	if k.own {
		return k.Credential
	}
	return k.Variant.String()
}

// String is partition and sort key, for logs: a variant holds nothing secret.
func (k Key) String() string { return k.Partition() + "/" + k.Sort() }

// ParseKey is the way back from a store's two names. Where sort is a hash, long is the variant in full ([Variant.Long]); else it is not looked at.
func ParseKey(partition, sort, long string) (Key, error) {
	if partition == OwnPartition {
		return Own(sort), nil
	}
	if strings.HasPrefix(sort, hashPrefix) {
		v, err := ParseVariant(long)
		if err != nil || v.String() != sort {
			return Key{}, fmt.Errorf("key %s/%s: the full variant does not hash to it", partition, sort)
		}
		return Key{Credential: partition, Variant: v}, nil
	}
	v, err := ParseVariant(sort)
	if err != nil {
		return Key{}, fmt.Errorf("key %s/%s: %w", partition, sort, err)
	}
	return Key{Credential: partition, Variant: v}, nil
}

// Variant is the account, the audience and the scope asked for. The zero value is the credential's default.
type Variant struct {
	Account  string // whose authorization-code grant it is; "" for client credentials
	Audience string // "" for the credential's own
	Scope    string // space-separated, sorted, each once; "" for the credential's own
}

// NewVariant puts the scope in its canonical order: sorted, each scope once.
func NewVariant(account, audience, scope string) Variant {
	scopes := strings.Fields(scope)
	slices.Sort(scopes)
	return Variant{Account: account, Audience: audience, Scope: strings.Join(slices.Compact(scopes), " ")}
}

// String is the canonical form: "-" for the default, else "account=…&audience=…&scope=…" with percent-encoded values and empty parts left out; where that is longer than 512 bytes, "sha256=" and the hash of it in hex.
func (v Variant) String() string {
	long := v.Long()
	if len(long) <= maxVariant {
		return long
	}
	sum := sha256.Sum256([]byte(long))
	return hashPrefix + hex.EncodeToString(sum[:])
}

// Long is the canonical form in full, however long.
func (v Variant) Long() string {
	var parts []string
	for _, part := range v.parts() {
		if *part.value != "" {
			parts = append(parts, part.name+"="+escape(*part.value))
		}
	}
	if len(parts) == 0 {
		return "-"
	}
	return strings.Join(parts, "&")
}

type part struct {
	name  string
	value *string
}

func (v *Variant) parts() [3]part {
	return [3]part{{"account", &v.Account}, {"audience", &v.Audience}, {"scope", &v.Scope}}
}

// ParseVariant reads a canonical form in full; any other spelling of the same variant is an error, and so is a hash.
func ParseVariant(s string) (Variant, error) {
	var v Variant
	if s != "-" {
		for field := range strings.SplitSeq(s, "&") {
			name, value, _ := strings.Cut(field, "=")
			plain, err := url.PathUnescape(value)
			if err != nil {
				return Variant{}, errors.New("variant: bad percent-encoding")
			}
			for _, part := range v.parts() {
				if part.name == name {
					*part.value = plain
				}
			}
		}
	}
	v = NewVariant(v.Account, v.Audience, v.Scope)
	if v.Long() != s {
		return Variant{}, errors.New("variant: not in canonical form")
	}
	return v, nil
}

// escape percent-encodes all but RFC 3986's unreserved characters.
func escape(s string) string { return strings.ReplaceAll(url.QueryEscape(s), "+", "%20") }

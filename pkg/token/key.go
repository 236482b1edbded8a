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

// RecordPartition is the partition of all credential records, sorted by name.
const RecordPartition = "*"

// maxVariant is the longest canonical variant that a key contains in full, in
// bytes.
const maxVariant = 512

const hashPrefix = "sha256="

// Key identifies one cached token: a credential and a variant. It may also
// identify a credential record ([RecordKey]). Keys are comparable.
type Key struct {
	Credential string
	Variant    Variant
	record     bool
}

// RecordKey returns the key of a credential record: its terms, and the failures
// and the cooldown that all its variants share.
func RecordKey(credential string) Key { return Key{Credential: credential, record: true} }

// hostMark begins the partition of a provider's host. No credential has a name
// that begins so.
const hostMark = "@"

// HostKey returns the key of the record of a provider's host, for all
// credentials that use it.
func HostKey(host string) Key { return Key{Credential: hostMark + host} }

// IsRecord reports whether k is the key of a credential record.
func (k Key) IsRecord() bool { return k.record }

// PartitionKey returns the partition key under which a store keeps the entry.
func (k Key) PartitionKey() string {
	if k.record {
		return RecordPartition
	}
	return k.Credential
}

// SortKey returns the sort key under which a store keeps the entry.
func (k Key) SortKey() string {
	if k.record {
		return k.Credential
	}
	return k.Variant.String()
}

// String returns partition and sort key, for logs: a variant is not secret.
func (k Key) String() string { return k.PartitionKey() + "/" + k.SortKey() }

// ParseKey parses the partition and sort keys of a store. Where sort is a hash,
// long is the variant in full ([Variant.Long]); otherwise long is not read.
func ParseKey(partition, sort, long string) (Key, error) {
	if partition == RecordPartition {
		return RecordKey(sort), nil
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

// Variant is the requested account, audience and scope. The zero value is the
// credential's default.
type Variant struct {
	// Account is the resource owner's account; "" for client credentials.
	Account  string
	Audience string // "" for the credential's own
	// Scope is space-separated, sorted, each value once; "" for the
	// credential's own.
	Scope string
}

// NewVariant returns a variant with its scope in canonical order: sorted, each
// value once.
func NewVariant(account, audience, scope string) Variant {
	scopes := strings.Fields(scope)
	slices.Sort(scopes)
	return Variant{Account: account, Audience: audience, Scope: strings.Join(slices.Compact(scopes), " ")}
}

// String returns the canonical form: "-" for the default, else
// "account=…&audience=…&scope=…" with percent-encoded values and without empty
// parts. Where that is longer than 512 bytes, it returns "sha256=" and its hash
// in hex.
func (v Variant) String() string {
	long := v.Long()
	if len(long) <= maxVariant {
		return long
	}
	sum := sha256.Sum256([]byte(long))
	return hashPrefix + hex.EncodeToString(sum[:])
}

// Long returns the canonical form in full.
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

// ParseVariant parses a canonical form in full. Another spelling of the same
// variant is an error, and so is a hash.
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

// escape percent-encodes all characters but the unreserved ones of RFC 3986.
func escape(s string) string { return strings.ReplaceAll(url.QueryEscape(s), "+", "%20") }

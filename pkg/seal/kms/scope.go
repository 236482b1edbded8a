package kms

import (
	"hash/fnv"
	"strconv"
)

// scope is for what a data key was made: its name and value in the encryption
// context of every call. Key policies and CloudTrail show them. A data key
// opens only under the same ones, so they never change.
type scope struct{ name, value string }

const (
	credentialName = "tokenvend:credential" // #nosec G101 -- a name
	bucketName     = "tokenvend:bucket"
)

// buckets is into how many buckets credentials are divided, by a hash of the
// name. Another number needs another format.
const buckets = 256

// scopeOf returns the scope of a credential's data keys in a format.
func scopeOf(format byte, credential string) scope {
	if format == byCredential {
		return scope{credentialName, credential}
	}
	h := fnv.New32a()
	_, _ = h.Write([]byte(credential)) // never fails
	return scope{bucketName, strconv.Itoa(int(h.Sum32() % buckets))}
}

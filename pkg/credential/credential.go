// Package credential describes one OAuth client, and defines where secrets come
// from. Package secret parses and checks a secret.
package credential

import (
	"context"
	"errors"
	"time"

	"github.com/tokenvend/tokenvend/pkg/provider"
	"github.com/tokenvend/tokenvend/pkg/redact"
)

// Credential is one parsed and checked secret. fmt, slog and JSON print none of
// its secret values, nor its private key.
type Credential struct {
	Terms
	provider.Client
	Refresh redact.String // an initial refresh token from elsewhere; zero if none
}

// Stage names a version of a secret.
type Stage string

// The stages of a secret in rotation, named as in Secrets Manager.
const (
	Current  Stage = "AWSCURRENT"
	Pending  Stage = "AWSPENDING"
	Previous Stage = "AWSPREVIOUS"
)

var (
	// ErrUnknown means that there is no such secret, or no such stage of it.
	ErrUnknown = errors.New("credential: no such secret")
	// ErrUnavailable means that the secrets cannot be reached now.
	ErrUnavailable = errors.New("credential: the secrets cannot be reached")
)

// Listed is one secret of a [Source].
type Listed struct {
	Name    string
	Version string // of its current stage
}

// Order is the order of a [Pager]'s list.
type Order int

// The orders.
const (
	ByName      Order = iota
	NewestFirst       // by the time of the last change
)

// Page is a part of the list of a [Pager].
type Page struct {
	Secrets []PagedSecret
	Next    string // names the page after this one; "": there is none
}

// PagedSecret is one secret of a [Page].
type PagedSecret struct {
	Listed
	Changed time.Time // the last change; zero: unknown
	Deleted bool      // it is scheduled for deletion
}

// Pager is implemented by a [Source] whose whole list takes many requests.
type Pager interface {
	// Page returns the page that next names, or the first one if next is "". In
	// NewestFirst, a page also shows secrets that are scheduled for deletion.
	// Changes of the last minutes may be missing. A list that changes between
	// two pages may omit a secret or show it twice.
	Page(ctx context.Context, order Order, next string) (Page, error)
}

// Source reads credentials. All methods are safe for concurrent use. The
// contract's tests are in package credentialtest.
type Source interface {
	// Read reads one credential; its Version is that of the secret that was
	// read. Errors: ErrUnknown, ErrUnavailable, *Malformed.
	Read(ctx context.Context, name string, stage Stage) (Credential, error)

	// List returns every credential's name and version. An error means that the
	// list may be incomplete, so that an absence proves nothing. Invalid names
	// are omitted; malformed secrets are not.
	List(ctx context.Context) ([]Listed, error)

	// Absent requests this one secret and reports whether it does not exist. A
	// malformed secret exists. Its error is ErrUnavailable, which proves
	// nothing.
	Absent(ctx context.Context, name string) (bool, error)
}

// MaxSize is the maximum size of a secret in bytes, as in Secrets Manager.
const MaxSize = 64 << 10

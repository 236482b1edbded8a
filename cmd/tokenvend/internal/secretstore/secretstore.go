// Package secretstore keeps the secrets of credentials: in Secrets Manager for
// a stack, in files for the server on this machine.
package secretstore

import (
	"context"
	"fmt"
	"slices"

	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/hint"
	"github.com/tokenvend/tokenvend/pkg/credential"
	"github.com/tokenvend/tokenvend/pkg/redact"
)

// Store keeps secrets by the names of their credentials. Where a method returns
// a notice, it tells the operator what follows and how to undo it.
type Store interface {
	// Describe names a secret for the operator.
	Describe(name string) string

	// List returns the names of all credentials that have a secret, in order.
	List(ctx context.Context) ([]string, error)

	// Find returns nil if there is such a secret, and a NotFoundError if there
	// is none and one can be created.
	Find(ctx context.Context, name string) error

	// Read returns a secret, the zero value if it has no value yet. The error
	// is a NotFoundError if there is none.
	Read(ctx context.Context, name string) (redact.String, error)

	// Create stores a new secret. It fails if there is one.
	Create(ctx context.Context, name string, text redact.String) (Created, error)

	// Replace replaces the value of a secret, if that is still the one before.
	// The error is a NotFoundError if there is none.
	Replace(ctx context.Context, name string, before, text redact.String) (notice string, err error)

	// Remove deletes a secret. The error is a NotFoundError if there is none.
	Remove(ctx context.Context, name string) (notice string, err error)

	// Discard deletes a secret that was just created, with all that Create has
	// made for it.
	Discard(ctx context.Context, name string) error
}

// Created is a secret that was just created.
type Created struct {
	Version string // as in api.StatusReport
	ARN     string // "" on this machine
}

// Names of a stack's secrets.
const (
	EnvPrefix     = "TOKENVEND_SECRET_PREFIX"
	DefaultPrefix = "tokenvend/"
)

// namesOf returns the names in a list, in order.
func namesOf(listed []credential.Listed, err error) ([]string, error) {
	var names []string
	for _, one := range listed {
		names = append(names, one.Name)
	}
	slices.Sort(names)
	return names, err
}

// unchanged returns an error unless a secret still has the value before: an
// operator takes a while to answer questions, and a trial takes a while too.
func unchanged(ctx context.Context, s Store, name string, before redact.String) error {
	now, err := s.Read(ctx, name)
	if err == nil && !now.Equal(before) {
		err = fmt.Errorf("the secret of %s was changed meanwhile, and nothing was written: run the command again", name)
	}
	return err
}

// AlreadyExists returns the error of a name that is taken.
func AlreadyExists(name string, commands hint.Commands) error {
	return fmt.Errorf("%s is there already: %s replaces its secret", name, commands.Line("set", name))
}

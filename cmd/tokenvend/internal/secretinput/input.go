// Package secretinput composes the secret of a credential from flags, from
// answers on a terminal and from standard input.
package secretinput

import (
	"github.com/tokenvend/tokenvend/pkg/descriptor"
	"github.com/tokenvend/tokenvend/pkg/redact"
)

// Help explains where a secret is kept and where it is read from.
const Help = `The secret is kept in Secrets Manager where a stack is named, as PREFIX and NAME; else it is a file
on this machine.
What is missing is asked for, the client secret without showing it. Where standard input is no
terminal, its first line is the client secret; with --json, all of it is the secret. No flag takes a
secret value: a flag --…-file names a file.
`

// Input is a credential's secret as flags, answers and standard input give it.
// No flag takes a secret value, because others can read a command line.
type Input struct {
	// IsNew reports whether the credential is a new one: it is asked for what
	// may be left out too.
	IsNew bool

	json   bool
	clear  []string       // fields that are removed before others are set
	values map[string]any // fields whose flag was given
	// in the fields params, variables and secrets
	params, variables, secrets map[string]string
	allow                      map[string][]string

	passphrase redact.String // of the private key; zero: it is asked for
}

// Grant returns the grant type that a flag names; "" if none does.
func (s *Input) Grant() descriptor.Grant {
	text, _ := s.values["grant"].(string)
	return descriptor.Grant(text)
}

// isGiven reports whether a flag that changes a field was given.
func (s *Input) isGiven() bool {
	return len(s.values)+len(s.params)+len(s.variables)+len(s.secrets)+len(s.allow)+len(s.clear) > 0
}

package secretsmanager

import (
	"regexp"
	"slices"

	"github.com/tokenvend/tokenvend/internal/standin/wire"
)

// content is what a request gives a secret.
type content struct {
	ClientRequestToken string
	SecretString       *string
	SecretBinary       []byte
}

const mostBytes = 64 << 10

// names match the names that a secret may have.
var names = regexp.MustCompile(`^[-A-Za-z0-9/_+=.@!]{1,512}$`)

func (c content) check() error {
	const shortest, longest = 32, 64
	if n := len(c.ClientRequestToken); n > 0 && (n < shortest || n > longest) {
		return wire.Errorf("InvalidParameterException",
			"ClientRequestToken must be %d-%d characters long.", shortest, longest)
	}
	if c.SecretString != nil && c.SecretBinary != nil {
		return wire.Errorf(
			"InvalidParameterException",
			"You can't specify both a binary secret value and a string secret value in the same secret.",
		)
	}
	if c.SecretString != nil && len(*c.SecretString) > mostBytes || len(c.SecretBinary) > mostBytes {
		return wire.Errorf("ValidationException", "Member must have length less than or equal to %d", mostBytes)
	}
	return nil
}

func (c content) none() bool { return c.SecretString == nil && c.SecretBinary == nil }

func (c content) same(v *version) bool {
	return (c.SecretString == nil) == (v.text == nil) && (v.text == nil || *v.text == *c.SecretString) &&
		slices.Equal(c.SecretBinary, v.binary)
}

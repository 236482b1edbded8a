package credentials

import (
	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/secretinput"
	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/terminal"
	"github.com/tokenvend/tokenvend/pkg/credential"
	"github.com/tokenvend/tokenvend/pkg/credential/secret"
	"github.com/tokenvend/tokenvend/pkg/redact"
)

// checked composes a secret and checks it.
func checked(
	c terminal.Console, in *secretinput.Input, name string, before secretinput.Fields,
) (redact.String, credential.Credential, error) {
	text, err := in.Compose(c, name, before)
	if err != nil {
		return text, credential.Credential{}, err
	}
	parsed, err := secret.Parse(name, "", []byte(text.Reveal()))
	return text, parsed, err
}

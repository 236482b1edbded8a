package mint

import (
	"errors"

	"github.com/tokenvend/tokenvend/pkg/descriptor"
	"github.com/tokenvend/tokenvend/pkg/provider"
)

// failureOf classifies the error of one exchange with grant.
//
// A refusal is the whole client's if client credentials were refused, or if
// the provider names the client. Any other refusal of a grant, a plain 401
// among them, may be about that grant alone: it must not delay the renewals
// of others. Neither must what an intermediary may have answered.
func failureOf(err error, grant descriptor.Grant) *fault {
	f := faultOf(err)
	var said *provider.Error
	if errors.As(err, &said) && said.Kind == provider.Rejected && grant != descriptor.ClientCredentials {
		f.client = f.client && namesClient(said.Code)
	}
	f.client = f.client && !f.intermediary
	return f
}

// namesClient reports whether an OAuth error is about the client itself
// (RFC 6749 §5.2).
func namesClient(code string) bool {
	return code == "invalid_client" || code == "unauthorized_client"
}

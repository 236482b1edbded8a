package attempt

import (
	"github.com/tokenvend/tokenvend/pkg/descriptor"
	"github.com/tokenvend/tokenvend/pkg/row"
	"github.com/tokenvend/tokenvend/pkg/token"
)

// extra returns the further values of a response. Many a renewal names only
// some of them, so those of the token before stay, if both tokens were obtained
// for the same. Those of the authorization response stay as long as the grant.
// A code is another grant, perhaps of another tenant.
func (a *attempt) extra(before, next *row.Row) token.Extra {
	d := a.record.Descriptor
	if a.grant == descriptor.AuthorizationCode || d == nil {
		return a.response.Extra
	}
	isNamed := func(name string) bool {
		if d.Authorize != nil && d.Authorize.Extra[name] != "" {
			return a.grant == descriptor.RefreshToken
		}
		return d.NamesExtra(name) && before.Digests.Same(next.Digests)
	}
	return a.response.Extra.WithEarlier(before.Token.Extra, isNamed)
}

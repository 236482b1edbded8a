package attempt

import (
	"github.com/tokenvend/tokenvend/pkg/descriptor"
	"github.com/tokenvend/tokenvend/pkg/row"
	"github.com/tokenvend/tokenvend/pkg/token"
)

// extra returns the further values of a response. Many a renewal names only
// some of them, so those of the token before stay, if both tokens were obtained
// for the same. A code is another grant, perhaps of another tenant.
func (a *attempt) extra(before, next *row.Row) token.Extra {
	if before.Digests != next.Digests || a.grant == descriptor.AuthorizationCode || a.record.Descriptor == nil {
		return a.response.Extra
	}
	return a.response.Extra.Keep(before.Token.Extra, a.record.Descriptor.NamesExtra)
}

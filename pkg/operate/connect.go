package operate

import (
	"context"
	"log/slog"
	"maps"
	"slices"

	"github.com/tokenvend/tokenvend/pkg/api"
	"github.com/tokenvend/tokenvend/pkg/attempt"
	"github.com/tokenvend/tokenvend/pkg/clock"
	"github.com/tokenvend/tokenvend/pkg/descriptor"
	"github.com/tokenvend/tokenvend/pkg/failure"
	"github.com/tokenvend/tokenvend/pkg/provider"
	"github.com/tokenvend/tokenvend/pkg/records"
	"github.com/tokenvend/tokenvend/pkg/token"
)

// Authorization is where a user grants access.
type Authorization struct {
	URL         string
	Challenge   string // the code challenge method that the provider takes: "S256" or "plain"; "": none
	Destination string // the value for [attempt.Code.Destination]
	// CodeParameter is the parameter of the authorization response that has the
	// code; "": it is "code".
	CodeParameter string
	// Extra are the parameters for [attempt.Code.Response].
	Extra []string
}

const connectsNone = "this credential's provider connects no accounts"

// Authorization returns where a user grants the access that key stands for. It
// sends no request to the provider and stores nothing.
func (o Operator) Authorization(ctx context.Context, key token.Key, redirectURI string) (Authorization, error) {
	s, err := o.connectable(ctx, key)
	if err != nil {
		return Authorization{}, err
	}
	// The secret itself says where a user is sent, not the stored record.
	c, record, err := o.mint.Registry.Credential(ctx, s.Record)
	if err != nil {
		return Authorization{}, failure.Of(err).APIError(clock.Now())
	}
	d := record.Descriptor
	if d == nil || !d.Connects() {
		return Authorization{}, invalid(connectsNone)
	}
	scope, audience := c.ScopeAndAudience(key.Variant)
	at, err := provider.Endpoint{Descriptor: d, Client: c.Client}.AuthorizeURL(redirectURI, scope, audience)
	if err != nil {
		cause := failure.Of(err)
		return Authorization{}, &api.Error{Code: cause.Code, Detail: cause.Detail}
	}
	authorization := Authorization{
		URL: at.String(), Destination: c.Destination().Digest(), CodeParameter: d.Authorize.Code,
		Extra: slices.Sorted(maps.Values(d.Authorize.Extra)),
	}
	if method := d.CodeChallenge(); method != descriptor.PKCENone {
		authorization.Challenge = string(method)
	}
	return authorization, nil
}

// connectable returns the snapshot of a key that a user may connect.
func (o Operator) connectable(ctx context.Context, key token.Key) (records.Snapshot, error) {
	if _, err := o.mint.Registry.Terms(ctx, key.Credential, key); err != nil {
		return records.Snapshot{}, failure.API(err)
	}
	s := o.mint.Records.Recall(key)
	d := s.Record.Descriptor
	switch {
	case d == nil:
		return s, &api.Error{Code: api.Misconfigured, Detail: "provider: expected one of the catalogue's"}
	case !d.Connects():
		return s, invalid(connectsNone)
	case !s.Record.Terms.Connected(key.Variant):
		return s, invalid(`account: expected one; without, the credential gets its tokens by client credentials, ` +
			`unless its secret says "grant":"authorization_code"`)
	}
	return s, nil
}

// Connect exchanges an authorization code and replaces the key's grant, see
// [mint.Mint.Redeem].
func (o Operator) Connect(ctx context.Context, key token.Key, code attempt.Code) error {
	if _, err := o.connectable(ctx, key); err != nil {
		return err
	}
	refreshing, err := o.mint.Redeem(ctx, key, code)
	if err != nil {
		return err
	}
	if !refreshing {
		o.mint.Journal.Event(ctx, slog.LevelWarn, "connected", key.Credential,
			"the provider gave no refresh token, so the grant ends with its access token: "+records.AskForRefresh)
	}
	return nil
}

package connection

import (
	"context"
	"time"

	"github.com/tokenvend/tokenvend/pkg/api"
	"github.com/tokenvend/tokenvend/pkg/client"
)

// Client calls the operations of tokenvend, with tokens that can be printed.
type Client struct {
	*client.Admin
	tokens *client.Client
}

func newClient(t client.Transport) *Client { return &Client{client.NewAdmin(t), client.New(t)} }

// Token obtains a token of a credential.
func (c *Client) Token(ctx context.Context, credential string, options ...client.Option) (api.Token, error) {
	t, err := c.tokens.Source(credential, options...).Token(ctx)
	return reveal(t), err
}

// Reject reports that an API answered 401 to the token with that fingerprint,
// and obtains another.
func (c *Client) Reject(ctx context.Context, credential, fingerprint string, options ...client.Option,
) (api.Token, error) {
	t, err := c.tokens.Source(credential, options...).Reject(ctx, fingerprint)
	return reveal(t), err
}

// reveal returns a token with its value, for the user who asked for it.
func reveal(t client.Token) api.Token {
	if t.Fingerprint == "" {
		return api.Token{}
	}
	return api.Token{
		AccessToken: t.Reveal(), TokenType: t.Type, Scope: t.Scope, Fingerprint: t.Fingerprint,
		ExpiresIn:  api.Seconds(time.Until(t.ExpiresAt)),
		ExpiresAt:  t.ExpiresAt.UTC().Truncate(time.Millisecond),
		CacheUntil: t.CacheUntil.UTC().Truncate(time.Millisecond),
		Extra:      t.Extras(),
		Use:        t.Use,
	}
}

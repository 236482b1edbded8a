package client

import (
	"context"
	"net/http"

	"github.com/tokenvend/tokenvend/pkg/api"
)

// Grant is what a person comes back with from a provider's authorize page. It is for operators: see [Client.Connect].
type Grant struct {
	Code         string // what the provider sent the person back with
	CodeVerifier string // what the code challenge was made of; "" where none was sent
	RedirectURI  string // the one that [Client.Authorize] was told
}

// Authorize says where a person goes to grant what the options ask for, and comes back to redirectURI from. The caller adds state, and a code challenge where the answer says so.
func (c *Client) Authorize(ctx context.Context, credential, redirectURI string, options ...Option) (api.Authorization, error) {
	r := request(credential, options)
	r.MinTTL = 0
	q := query(r)
	q.Set("redirect_uri", redirectURI)
	var at api.Authorization
	err := c.send(ctx, call{http.MethodGet, path(credential) + "/authorize", q, nil}, &at)
	return at, err
}

// Connect has a person's grant exchanged and kept, in the place of the one before, and reports on the new token. What tokenvend has refused is not kept.
// It is sent once: a code is of one use. Where no answer comes, Status tells whether the grant was kept.
func (c *Client) Connect(ctx context.Context, credential string, g Grant, options ...Option) (api.StatusReport, error) {
	r := request(credential, options)
	defer c.slot(r).forget()
	body := api.Request{Scope: r.Scope, Audience: r.Audience, Account: r.Account, Code: g.Code, CodeVerifier: g.CodeVerifier, RedirectURI: g.RedirectURI}
	return c.put(ctx, credential, body)
}

// Recover puts back a refresh token that could not be stored, out of the blob that tokenvend wrote into its log then, and reports on the entry it belongs to.
func (c *Client) Recover(ctx context.Context, credential, blob string) (api.StatusReport, error) {
	return c.put(ctx, credential, api.Request{Recovery: blob})
}

// Renew has a token replaced now, whatever was decided about it: no back-off is
// waited for, and a grant that was over is tried once more. It is for
// operators, and reports on the new token.
func (c *Client) Renew(ctx context.Context, credential string, options ...Option) (api.StatusReport, error) {
	r := request(credential, options)
	defer c.slot(r).forget()
	return c.put(ctx, credential, api.Request{Scope: r.Scope, Audience: r.Audience, Account: r.Account, Renew: true})
}

func (c *Client) put(ctx context.Context, credential string, body api.Request) (report api.StatusReport, err error) {
	err = c.send(ctx, call{http.MethodPut, path(credential), nil, body}, &report)
	return report, err
}

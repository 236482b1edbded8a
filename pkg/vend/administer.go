package vend

import (
	"context"

	"github.com/tokenvend/tokenvend/pkg/api"
	"github.com/tokenvend/tokenvend/pkg/journal"
	"github.com/tokenvend/tokenvend/pkg/mint"
	"github.com/tokenvend/tokenvend/pkg/redact"
	"github.com/tokenvend/tokenvend/pkg/token"
)

// administer does what a caller of tokens has no part in: IAM has judged a method and a path of its own, or Lambda vouches for the alias admin.
func (d *Desk) administer(ctx context.Context, c Call, key token.Key, line *journal.Vend) (any, error) {
	r := c.Request
	if !c.Caller.MayAdminister() {
		return nil, &api.Error{Code: api.AccessDenied, Detail: "action: " + r.Action + " is for the alias admin and for the API"}
	}
	switch r.Action {
	case api.Authorize:
		at, err := d.Mint.Authorization(ctx, key, r.RedirectURI)
		if err != nil {
			return nil, err
		}
		return api.Authorization{URL: d.browsed(at.URL), PKCE: at.Challenge, Destination: at.Destination}, nil
	case api.Connect:
		code := mint.Code{Code: redact.New(r.Code), Verifier: redact.New(r.CodeVerifier), RedirectURI: r.RedirectURI, Destination: r.Destination}
		if err := d.Mint.Connect(ctx, key, code); err != nil {
			return nil, err
		}
	case api.Recover:
		recovered, err := d.Mint.Recover(ctx, key.Credential, r.Recovery)
		if err != nil {
			return nil, err
		}
		key = recovered
	case api.Renew:
		if err := d.Mint.Insist(ctx, key); err != nil {
			return nil, err
		}
	case api.Accept:
		if err := d.Mint.Accept(ctx, key.Credential, r.Accept); err != nil {
			return nil, err
		}
	case api.Revoke:
		revoked, until, err := d.Mint.Revoke(ctx, key)
		if err != nil {
			return nil, err
		}
		return api.Forgotten{Revoked: revoked, MemoryUntil: until}, nil
	}
	line.Variant = key.Sort()
	return d.status(ctx, c, key)
}

// browsed is where a browser finds an authorize page.
func (d *Desk) browsed(url string) string {
	if d.Browse == nil {
		return url
	}
	return d.Browse(url)
}

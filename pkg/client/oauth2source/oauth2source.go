// Package oauth2source makes a source of tokenvend's tokens an
// [oauth2.TokenSource], for programs and libraries that take one.
package oauth2source

import (
	"context"
	"strings"
	"time"

	"golang.org/x/oauth2"

	"github.com/tokenvend/tokenvend/pkg/client"
)

// New returns a token source of s. ctx bounds its calls, which have no context
// of their own.
//
// A token's Expiry is its cache_until and not its end, so that whatever keeps
// it, as [oauth2.NewClient] does, asks again then. Where tokenvend cannot be
// asked and the token is used beyond that, Expiry is a few seconds away. It
// never lies behind the token's end. An API that answers 401 is not reported to
// tokenvend: use [client.Source.RoundTripper] where that matters.
//
// Package oauth2 sends a token in the Authorization header alone. Where the
// provider's API expects it elsewhere, use RoundTripper. Values that the
// provider gave with the token are returned by [oauth2.Token.Extra].
func New(ctx context.Context, s *client.Source) oauth2.TokenSource {
	return source{ctx, s}
}

type source struct {
	ctx    context.Context
	source *client.Source
}

// again is how soon a token that is past its cache_until is asked for again.
// Package oauth2 takes a token for expired 10 seconds before its Expiry.
const again = 15 * time.Second

// Token implements oauth2.TokenSource.
func (s source) Token() (*oauth2.Token, error) {
	t, err := s.source.Token(s.ctx)
	if err != nil {
		return nil, err
	}
	expiry := t.CacheUntil
	if soon := time.Now().Add(again); expiry.Before(soon) {
		expiry = soon
	}
	if expiry.After(t.ExpiresAt) {
		expiry = t.ExpiresAt
	}
	token := &oauth2.Token{AccessToken: t.Reveal(), TokenType: scheme(t), Expiry: expiry}
	if all := t.Extras(); all != nil {
		extra := map[string]any{}
		for name, value := range all {
			extra[name] = value
		}
		token = token.WithExtra(extra)
	}
	return token, nil
}

// scheme returns the word before the token in the Authorization header.
func scheme(t client.Token) string {
	if word, ok := strings.CutSuffix(t.Use.Prefix, " "); ok && strings.EqualFold(t.Use.Header, "Authorization") {
		return word
	}
	return t.Type
}

package client

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"

	"github.com/tokenvend/tokenvend/pkg/api"
	"github.com/tokenvend/tokenvend/pkg/redact"
)

// Admin makes an operator's calls. It keeps nothing. Its methods are safe for
// concurrent use, and their errors are those of [Client].
type Admin struct {
	transport Transport
	defaults  settings
}

// NewAdmin returns an operator's client that sends its requests over t. The
// options hold for each of its calls.
func NewAdmin(t Transport, options ...Option) *Admin {
	return &Admin{transport: t, defaults: settingsOf(settings{timeout: defaultTimeout}, options)}
}

// ask sends the request of an action on a credential, and decodes the answer.
// Of the options it sends what the operation takes.
func ask[T any](ctx context.Context, a *Admin, r api.Request, options []Option) (T, error) {
	s := settingsOf(a.defaults, options)
	if o, _ := api.Operations().Operation(r.Action); o.Takes("account") {
		r.Scope, r.Audience, r.Account = s.request.Scope, s.request.Audience, s.request.Account
	}
	ctx, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()
	return send[T](ctx, a.transport, r)
}

// Status reports on a credential's token without vending it.
func (a *Admin) Status(ctx context.Context, credential string, options ...Option) (api.StatusReport, error) {
	return ask[api.StatusReport](ctx, a, api.Request{Action: api.Status, Credential: credential}, options)
}

// Verify is Status, with what the provider says of the token when it is asked:
// the report's Verified, nil where there is no living token. Where the provider
// has no request that verifies a token, the error is invalid_request.
func (a *Admin) Verify(ctx context.Context, credential string, options ...Option) (api.StatusReport, error) {
	return ask[api.StatusReport](ctx, a, api.Request{Action: api.Status, Credential: credential, Verify: true}, options)
}

// maxPages bounds the pages of a list: a million credentials or accounts.
const maxPages = 10_000

// errEndless is the error of a list whose pages do not come to an end.
var errEndless = errors.New("tokenvend: the list does not end: is the URL right?")

// List names all the credentials that the caller may have.
func (a *Admin) List(ctx context.Context) ([]api.Listed, error) {
	var all []api.Listed
	after := ""
	for range maxPages {
		page, err := ask[api.Page](ctx, a, api.Request{Action: api.List, After: after}, nil)
		if err != nil {
			return nil, err
		}
		all = append(all, page.Credentials...)
		if page.Next == "" {
			return all, nil
		}
		if page.Next <= after { // names come in order
			break
		}
		after = page.Next
	}
	return nil, errEndless
}

// Accounts returns the status of all accounts of a credential: an entry for
// each combination of account, scope and audience that is kept.
func (a *Admin) Accounts(ctx context.Context, credential string) ([]api.StatusReport, error) {
	var all []api.StatusReport
	after := ""
	for range maxPages {
		page, err := ask[api.AccountPage](ctx, a, api.Request{
			Action: api.Accounts, Credential: credential, After: after,
		}, nil)
		if err != nil {
			return nil, err
		}
		all = append(all, page.Accounts...)
		if page.Next == "" {
			return all, nil
		}
		if page.Next <= after { // sort keys come in order
			break
		}
		after = page.Next
	}
	return nil, errEndless
}

// Revoke has a token revoked and forgotten. A [Source] that holds it keeps it
// until its cache_until, unless [Source.Forget] is called.
func (a *Admin) Revoke(ctx context.Context, credential string, options ...Option) (api.Forgotten, error) {
	return ask[api.Forgotten](ctx, a, api.Request{Action: api.Revoke, Credential: credential}, options)
}

// Grant is the authorization response of a provider, with which the user comes
// back from the authorize page. It is not
// shown when it is printed.
type Grant struct {
	Code         string // the authorization code
	CodeVerifier string // what the code challenge was made of; "" where none was sent
	RedirectURI  string // the one that [Admin.Authorize] was given
	Destination  string // that of the [api.Authorization]; with it, the code is sent to no other provider
	// Response has the parameters that the [api.Authorization] names, in the
	// form of a query; "": there are none.
	Response string
}

// Format writes "[redacted]", whatever the verb.
func (g Grant) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, redact.Mask) }

// LogValue returns "[redacted]".
func (g Grant) LogValue() slog.Value { return slog.StringValue(redact.Mask) }

// MarshalText returns "[redacted]".
func (g Grant) MarshalText() ([]byte, error) { return []byte(redact.Mask), nil }

// Authorize returns the page at which a user grants what the options ask for,
// and from which the user comes back to redirectURI. The caller adds state,
// and a code challenge where the answer says so.
func (a *Admin) Authorize(ctx context.Context, credential, redirectURI string, options ...Option) (
	api.Authorization, error,
) {
	r := api.Request{Action: api.Authorize, Credential: credential, RedirectURI: redirectURI}
	return ask[api.Authorization](ctx, a, r, options)
}

// Connect has a user's grant exchanged and kept, in the place of the one
// before, and reports on the new token. What tokenvend has refused is not kept.
// It is sent once: a code is of one use. Where no answer comes, Status reports
// whether the grant was kept. A [Source] that holds a token of the grant before
// drops it by [Source.Forget].
func (a *Admin) Connect(ctx context.Context, credential string, g Grant, options ...Option) (api.StatusReport, error) {
	return ask[api.StatusReport](ctx, a, api.Request{
		Action: api.Connect, Credential: credential,
		Code: g.Code, CodeVerifier: g.CodeVerifier, RedirectURI: g.RedirectURI, Destination: g.Destination,
		AuthorizationResponse: g.Response,
	}, options)
}

// Accept has the grants of a credential go on at the destination that its
// secret names now, and reports on the entry that the options name. destination
// is that of a report in the state [api.DestinationChanged], whose Changes the
// operator has looked at.
func (a *Admin) Accept(ctx context.Context, credential, destination string, options ...Option) (
	api.StatusReport, error,
) {
	r := api.Request{Action: api.Accept, Credential: credential, Accept: destination}
	if _, err := ask[api.StatusReport](ctx, a, r, nil); err != nil {
		return api.StatusReport{}, err
	}
	return a.Status(ctx, credential, options...)
}

// Renew has the provider asked for another token now, though a back-off forbids
// it or the grant counts as over, and reports on the new token.
func (a *Admin) Renew(ctx context.Context, credential string, options ...Option) (api.StatusReport, error) {
	return ask[api.StatusReport](ctx, a, api.Request{Action: api.Renew, Credential: credential}, options)
}

// Recover puts back a refresh token that could not be stored, out of the blob
// that tokenvend wrote into its log then, and reports on the entry it belongs
// to.
func (a *Admin) Recover(ctx context.Context, credential, blob string) (api.StatusReport, error) {
	r := api.Request{Action: api.Recover, Credential: credential, Recovery: blob}
	return ask[api.StatusReport](ctx, a, r, nil)
}

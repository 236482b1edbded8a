package request

import (
	"cmp"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/tokenvend/tokenvend/pkg/clock"
	"github.com/tokenvend/tokenvend/pkg/descriptor"
	"github.com/tokenvend/tokenvend/pkg/descriptor/placeholder"
	"github.com/tokenvend/tokenvend/pkg/proof"
	"github.com/tokenvend/tokenvend/pkg/provider/response"
	"github.com/tokenvend/tokenvend/pkg/provider/skew"
	"github.com/tokenvend/tokenvend/pkg/redact"
)

func wall() time.Time { return clock.Now() }

// Builder builds the requests of one client. Its errors are all of kind
// Misconfigured, but for those of kind Unproven.
type Builder struct {
	Descriptor *descriptor.Descriptor
	Client     Client
	// Clock returns the clock of the host of a URL.
	Clock func(*url.URL) skew.Skew
	// Prove returns the proof for a use, as [proof.Prover.Prove] does. It is
	// called where the client's Proof names a kind, and only for the request
	// that sends the proof.
	Prove func(proof.Use) (proof.Proof, error)
	// Before is the request before this one in the same exchange; nil: none.
	Before *Call
}

// building is a request that is being built.
type building struct {
	*Call
	descriptor *descriptor.Descriptor
	client     Client
	prove      func(proof.Use) (proof.Proof, error)
	scope      string
	audience   string
	tokenURL   string
	access     redact.String
	taken      map[string]redact.String // of earlier steps, by STEP.NAME
	random     string                   // the UUID
	at         time.Time                // the time
	authCode   redact.String            // the authorization code
	signed     string                   // the assertion
	used       map[string]bool          // names of values
	usedSecret bool
}

// start returns a request to a URL.
func (b Builder) start(r descriptor.Request, g descriptor.Grant, u *url.URL, now skew.Skew) *building {
	if !now.Known() {
		now = b.Clock(u)
	}
	q := &Call{
		Request: response.Request{Descriptor: b.Descriptor, Grant: g},
		Method:  r.Method,
		URL:     u,
		Header:  http.Header{},
		params:  map[string]any{},
		Clock:   now,
	}
	if b.Before != nil {
		q.Follow(&b.Before.Request)
	}
	q.maskQuery()
	at, _ := b.url(descriptor.ClientCredentials, nil)
	tokenURL := ""
	if at != nil {
		tokenURL = at.String()
	}
	return &building{
		Call: q, descriptor: b.Descriptor, client: b.Client, prove: b.Prove, tokenURL: tokenURL,
		used: map[string]bool{},
	}
}

// finish adds the client authentication, headers and parameters, and encodes
// them.
func (b *building) finish(r descriptor.Request, own map[string]any) (*Call, *Error) {
	err := cmp.Or(b.setHeaders(r.Headers), b.authenticate(r), b.extra(r.Params, own))
	if err != nil {
		return nil, err
	}
	b.encode(r.Body)
	return b.Call, nil
}

// Token returns a token request by the provider's clock. taken are the values
// of earlier steps, by STEP.NAME.
func (b Builder) Token(req TokenRequest, now skew.Skew, taken map[string]redact.String) (*Call, *Error) {
	d := b.Descriptor
	if err := checkGrant(d, req); err != nil {
		return nil, err
	}
	t := d.EndpointFor(req.Grant)
	u, err := b.url(req.Grant, taken)
	if err != nil {
		return nil, err
	}
	q := b.start(t.Request, req.Grant, u, now)
	q.Name = "token"
	q.forToken(t, req, taken)
	if err := q.setGrant(t, req); err != nil {
		return nil, err
	}
	call, err := q.finish(t.Request, b.Client.Params)
	if err != nil {
		return nil, err
	}
	// A GET is not replayed: net/http would send it again over each dead
	// connection.
	q.Replay = req.Grant == descriptor.ClientCredentials && !q.Signed && t.Method == http.MethodPost
	return call, q.checkScope(t, req)
}

// forToken sets the values that templates of token requests have.
func (b *building) forToken(t descriptor.TokenEndpoint, req TokenRequest, taken map[string]redact.String) {
	b.scope = strings.Join(strings.Fields(req.Scope), t.ScopeSep)
	b.audience, b.taken = req.Audience, taken
	b.Refresh, b.authCode = req.Refresh, req.Code
}

// checkScope refuses a scope or an audience that the request does not send. A
// refresh token has the scope that it was issued with (RFC 6749 §6).
func (b *building) checkScope(t descriptor.TokenEndpoint, req TokenRequest) *Error {
	isSent := func(f descriptor.Field, name string) bool {
		return t.ParamName(f) != "" || b.used[name] || req.Grant == descriptor.RefreshToken
	}
	switch {
	case b.scope != "" && !isSent(descriptor.FieldScope, placeholder.Scope):
		return Misconfigured("scope: this provider takes none")
	case b.audience != "" && !isSent(descriptor.FieldAudience, placeholder.Audience):
		return Misconfigured("audience: this provider takes none")
	}
	return nil
}

// checkGrant reports, as an error, that the provider has no such grant or that
// the request lacks something.
func checkGrant(d *descriptor.Descriptor, req TokenRequest) *Error {
	switch {
	case req.Grant.IsDirect() && req.Grant != descriptor.SelfSigned:
		return nil
	case req.Grant == descriptor.AuthorizationCode:
		return checkCode(d, req)
	case req.Grant != descriptor.RefreshToken:
		return Misconfigured("grant %s is not implemented", req.Grant)
	case d.Refresh == nil:
		return Misconfigured("refresh: this provider has no refresh tokens")
	case req.Refresh.IsZero():
		return Misconfigured("refresh: no refresh token to redeem")
	}
	return nil
}

func checkCode(d *descriptor.Descriptor, req TokenRequest) *Error {
	if d.Authorize == nil {
		return Misconfigured("authorize: this provider connects no accounts")
	}
	if req.Code.IsZero() || req.RedirectURI == "" {
		return Misconfigured("authorize: no code to redeem, or not the redirect_uri that it was asked for with")
	}
	return nil
}

// setGrant sets the standard parameters.
func (b *building) setGrant(t descriptor.TokenEndpoint, req TokenRequest) *Error {
	b.set(t.Request, descriptor.FieldGrantType, string(req.Grant))
	switch req.Grant {
	case descriptor.RefreshToken:
		b.Mask.Add(req.Refresh.Reveal())
		isPlaced := placeholder.Uses(b.descriptor)[placeholder.RefreshToken]
		if !b.set(t.Request, descriptor.FieldRefreshToken, req.Refresh.Reveal()) && !isPlaced {
			return Misconfigured("refresh.fields: leaves refresh_token out")
		}
	case descriptor.AuthorizationCode:
		return b.code(t, req) // its scope was decided by the authorization request (RFC 6749 §4.1.3)
	case descriptor.JWTBearer:
		if err := b.setJWT(t.Request); err != nil {
			return err
		}
	case descriptor.Password:
		if err := b.setPassword(t.Request); err != nil {
			return err
		}
	}
	if b.scope != "" {
		b.set(t.Request, descriptor.FieldScope, b.scope)
	}
	if b.audience != "" {
		b.set(t.Request, descriptor.FieldAudience, b.audience)
	}
	return nil
}

// setPassword sets the parameters of RFC 6749 §4.3.
func (b *building) setPassword(r descriptor.Request) *Error {
	for field, name := range map[descriptor.Field]string{
		descriptor.FieldUsername: "username", descriptor.FieldPassword: "password",
	} {
		if r.ParamName(field) == "" {
			continue
		}
		value, err := b.namedSecret(name)
		if err != nil {
			return asError(placeholder.SecretPrefix+name, err)
		}
		b.set(r, field, value)
	}
	return nil
}

// code sets the parameters of an authorization code.
func (b *building) code(t descriptor.TokenEndpoint, req TokenRequest) *Error {
	b.Mask.Add(req.Code.Reveal())
	b.Mask.Add(req.Verifier.Reveal())
	r := t.Request
	if !b.set(r, descriptor.FieldCode, req.Code.Reveal()) {
		return Misconfigured("fields: leaves code out")
	}
	b.set(r, descriptor.FieldRedirectURI, req.RedirectURI)
	if !req.Verifier.IsZero() && !b.set(r, descriptor.FieldCodeVerifier, req.Verifier.Reveal()) {
		return Misconfigured("fields: leaves code_verifier out, though a code challenge was sent")
	}
	return nil
}

// setHeaders sets the header fields.
func (b *building) setHeaders(own map[string]string) *Error {
	b.Header.Set("Accept", "application/json")
	b.Header.Set("User-Agent", "tokenvend")
	for name, text := range own {
		path := "headers." + redact.Name(name)
		value, err := b.expand(path, text)
		if err != nil {
			return err
		}
		if value == "" && text != "" {
			continue // its placeholders are all empty
		}
		if strings.ContainsFunc(value, func(r rune) bool { return r < ' ' || r > '~' }) {
			return OfClient(Misconfigured("%s: expected printable ASCII", path))
		}
		b.Header.Set(name, value)
		b.Mask.AddValue(value)
	}
	// set, so that no transport decompresses
	b.Header.Set("Accept-Encoding", "identity")
	return nil
}

// extra adds the additional parameters of the descriptor and of the credential.
func (b *building) extra(params descriptor.Params, own map[string]any) *Error {
	for _, name := range slices.Sorted(maps.Keys(own)) {
		if _, taken := b.params[name]; taken {
			return OfClient(Misconfigured("params.%s: the request has that parameter already", redact.Name(name)))
		}
	}
	all := map[string]any{}
	for name, value := range params {
		if _, replaced := own[name]; replaced {
			continue
		}
		expanded, left, err := b.expandValue("params."+redact.Name(name), value)
		if err != nil {
			return err
		}
		if left {
			all[name] = expanded
		}
	}
	maps.Copy(all, own)
	maps.Copy(b.params, all)
	b.maskValue(all)
	return nil
}

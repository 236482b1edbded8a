package main

import (
	"context"
	"crypto"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/tokenvend/tokenvend/pkg/api"
	"github.com/tokenvend/tokenvend/pkg/consent"
	"github.com/tokenvend/tokenvend/pkg/credential"
	"github.com/tokenvend/tokenvend/pkg/credential/secret"
	"github.com/tokenvend/tokenvend/pkg/descriptor"
	"github.com/tokenvend/tokenvend/pkg/provider"
	"github.com/tokenvend/tokenvend/pkg/redact"
	"github.com/tokenvend/tokenvend/pkg/token"
)

// run is the exchange of one shape.
type run struct {
	entry
	credential credential.Credential
	descriptor *descriptor.Descriptor
	public     crypto.PublicKey
	server     *server

	problems []string
	// got are the responses, in order, each with the request that it answers.
	got []obtained
}

type obtained struct {
	response provider.TokenResponse
	grant    descriptor.Grant
	answers  []request // whose answers led to it
	asked    time.Time
	came     time.Time
}

func (r *run) add(format string, args ...any) {
	r.problems = append(r.problems, fmt.Sprintf(format, args...))
}

// try returns why a shape does not work; nil if it does.
func try(ctx context.Context, e entry) []string {
	if e.secret == nil {
		return []string{"there is no credential for it"}
	}
	r := &run{entry: e}
	if err := r.parse(); err != nil {
		return []string{err.Error()}
	}
	r.server = newServer(e, r.public)
	defer r.server.close()
	if e.Kind == "account" {
		r.account(ctx)
	} else {
		r.machine(ctx)
	}
	r.problems = slices.Concat(r.server.finish(), r.problems)
	if len(r.problems) > 0 {
		return r.problems
	}
	r.checkToken()
	r.checkUse()
	r.checkRefusal(ctx)
	return r.problems
}

// parse reads the credential, with keys in the place of words.
func (r *run) parse() error {
	var fields map[string]any
	if err := json.Unmarshal(r.secret, &fields); err != nil {
		return err
	}
	m := rsaMaterial()
	if strings.HasPrefix(fmt.Sprint(fields["private_key"]), "<EC") {
		m = ecMaterial()
	}
	for _, name := range []string{"private_key", "certificate"} {
		if words, given := fields[name].(string); given {
			fields[name] = m.pem[words]
		}
	}
	r.public = m.signer.Public()
	data, err := json.Marshal(fields)
	if err != nil {
		return err
	}
	if r.credential, err = secret.Parse("example", "1", data); err != nil {
		return err
	}
	r.descriptor, err = r.credential.ProviderDescriptor()
	return err
}

// requests returns the requests of a purpose, and those that follow it.
func (r *run) requests(purposes ...string) []request {
	for i, first := range r.Requests {
		if !slices.Contains(purposes, first.Purpose) {
			continue
		}
		end := i + 1
		for end < len(r.Requests) && r.Requests[end].Purpose != "refresh" {
			end++
		}
		return r.Requests[i:end]
	}
	return nil
}

// machine obtains a token that needs no user, and renews it where both the
// shape and the descriptor know how.
func (r *run) machine(ctx context.Context) {
	request, requests := r.tokenRequest(), r.requests("token", "step 1")
	if request.Grant == descriptor.SelfSigned {
		requests = nil
	}
	resp, ok := r.exchange(ctx, request, requests)
	refreshes := r.requests("refresh")
	if ok && len(refreshes) > 0 && (r.descriptor.Refreshes() || !refreshes[0].optional()) {
		r.refresh(ctx, resp.Refresh)
	}
}

func (r *run) tokenRequest() provider.TokenRequest {
	byDefault := token.Variant{}
	request := provider.TokenRequest{Grant: r.credential.Strategy(byDefault).Direct}
	if request.Grant == "" {
		request.Grant, request.Refresh = descriptor.RefreshToken, r.credential.Refresh
	}
	request.Scope, request.Audience = r.credential.ScopeAndAudience(byDefault)
	return request
}

// account connects an account, and renews its token.
func (r *run) account(ctx context.Context) {
	pages := r.requests("authorize")
	if len(pages) == 0 {
		r.refresh(ctx, r.credential.Refresh)
		return
	}
	code, err := r.authorize(pages[0])
	if err != nil {
		r.add("authorize: %v", err)
		return
	}
	resp, ok := r.exchange(ctx, code, r.requests("code", "exchange"))
	if ok && len(r.requests("refresh")) > 0 {
		r.refresh(ctx, resp.Refresh)
	}
}

// authorize compares the page that a user is sent to, and returns the request
// for the code that comes back.
func (r *run) authorize(page request) (provider.TokenRequest, error) {
	redirect, _ := r.Credential["redirect_uri"].(string)
	if redirect == "" {
		redirect = "https://app.example.com/cb" // the vendor has it from elsewhere
	}
	scope, audience := r.credential.ScopeAndAudience(token.Variant{Account: "user"})
	endpoint := provider.Endpoint{Descriptor: r.descriptor, Client: r.credential.Client}
	address, err := endpoint.AuthorizeURL(redirect, scope, audience)
	if err != nil {
		return provider.TokenRequest{}, err
	}
	authorization := api.Authorization{URL: address.String()}
	if challenge := r.descriptor.CodeChallenge(); challenge != descriptor.PKCENone {
		authorization.PKCE = string(challenge)
	}
	asked, err := consent.New(authorization)
	if err != nil {
		return provider.TokenRequest{}, err
	}
	r.server.page(page, asked.Page().Reveal())
	code := r.expect.Code
	if code == "" {
		code = "CODE"
	}
	r.server.checks.roles["code"], r.server.checks.roles["verifier"] = code, asked.Verifier().Reveal()
	return provider.TokenRequest{
		Grant: descriptor.AuthorizationCode, Code: redact.New(code), Verifier: asked.Verifier(), RedirectURI: redirect,
	}, nil
}

func (r *run) refresh(ctx context.Context, held redact.String) {
	scope, audience := r.credential.ScopeAndAudience(token.Variant{})
	want := r.requests("refresh")
	if again := r.expect.Again; again != nil {
		repeated := r.requests(again.Purpose)[0]
		repeated.Query = again.Query
		want = append(slices.Clip(want), repeated)
	}
	r.exchange(ctx, provider.TokenRequest{
		Grant: descriptor.RefreshToken, Refresh: held, Scope: scope, Audience: audience,
	}, want)
}

// exchange sends one token request and compares the requests that it takes.
func (r *run) exchange(ctx context.Context, req provider.TokenRequest, want []request) (provider.TokenResponse, bool) {
	r.server.expect(want...)
	asked := time.Now()
	resp, err := r.endpoint().Exchange(ctx, req)
	purpose := "no request"
	if len(want) > 0 {
		purpose = want[0].Purpose
	}
	if err != nil {
		r.add("%s: %v", purpose, err)
		return resp, false
	}
	r.got = append(r.got, obtained{resp, req.Grant, want, asked, time.Now()})
	return resp, true
}

func (r *run) endpoint() provider.Endpoint {
	return provider.Endpoint{Descriptor: r.descriptor, Client: r.credential.Client, HTTP: r.server.client}
}

package vend

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/tokenvend/tokenvend/pkg/access"
	"github.com/tokenvend/tokenvend/pkg/api"
	"github.com/tokenvend/tokenvend/pkg/credential"
)

// MaxBody is the largest body of a request, in bytes.
const MaxBody = 8 << 10

// HTTPRequest is a request as it arrived over HTTP, whatever brought it.
type HTTPRequest struct {
	Method    string
	Path      string // as it stood on the wire, stage taken off, not decoded
	Query     string // as it stood on the wire, without the question mark
	Body      []byte // no longer than MaxBody+1 is needed to refuse it
	Caller    access.Caller
	RequestID string
}

// HTTPReply is the answer to an [HTTPRequest].
type HTTPReply struct {
	Status int
	Header map[string]string
	Body   []byte // JSON
}

// HTTP answers a request over HTTP.
func (d *Desk) HTTP(ctx context.Context, r HTTPRequest) HTTPReply {
	request, err := r.request()
	if err != nil {
		return failed(d.turnAway(ctx, r, request, err))
	}
	answer, err := d.Answer(ctx, Call{Caller: r.Caller, Request: request, RequestID: r.RequestID})
	if err != nil {
		return failed(err)
	}
	return reply(http.StatusOK, "application/json", answer)
}

// request reads the path, the method and the parameters. With an error it holds what was understood.
func (r HTTPRequest) request() (api.Request, error) {
	name, action, ok := route(r.Path)
	if !ok {
		return api.Request{}, &api.Error{Code: api.UnknownCredential, Detail: "the path: expected /tokens/NAME"}
	}
	at := api.Request{Credential: name}
	switch {
	case action == api.Vend && r.Method == http.MethodDelete:
		action = api.Revoke
	case action == api.Vend && (r.Method == http.MethodPost || r.Method == http.MethodPut):
		return r.carried(at)
	case r.Method != http.MethodGet:
		return at, notAllowed(action)
	}
	at.Action = action
	return r.queried(at)
}

// route understands /tokens, /tokens/<name>, /tokens/<name>/status and /tokens/<name>/authorize, spelt just so: IAM has judged that very path.
func route(path string) (name, action string, ok bool) {
	rest, found := strings.CutPrefix(path, "/tokens")
	if !found {
		return "", "", false
	}
	if rest == "" {
		return "", api.List, true
	}
	name, action = strings.TrimPrefix(rest, "/"), api.Vend
	for _, tail := range []string{api.Status, api.Authorize} {
		if before, is := strings.CutSuffix(name, "/"+tail); is {
			name, action = before, tail
			break
		}
	}
	return name, action, rest[0] == '/' && credential.ValidName(name)
}

func notAllowed(action string) error {
	allow := "GET"
	if action == api.Vend {
		allow = "GET, POST, PUT, DELETE"
	}
	return &api.Error{Code: api.MethodNotAllowed, Detail: "expected one of " + allow, Allow: allow}
}

// queried reads the parameters of a query.
func (r HTTPRequest) queried(at api.Request) (api.Request, error) {
	query, err := url.ParseQuery(r.Query)
	if err != nil {
		return at, invalid("the query: expected name=value pairs, percent-encoded")
	}
	for name, values := range query {
		set := setter(at.Action, name)
		if set == nil {
			return at, invalid("the query: a parameter that is not known here")
		}
		if len(values) != 1 {
			return at, invalid(name + ": expected one value")
		}
		if err := set(&at, values[0]); err != nil {
			return at, invalid(name + ": " + err.Error())
		}
	}
	return at, nil
}

// setter is how a query's parameter is read; nil where an action has none of that name.
func setter(action, name string) func(*api.Request, string) error {
	text := func(field func(*api.Request) *string) func(*api.Request, string) error {
		return func(r *api.Request, value string) error { *field(r) = value; return nil }
	}
	switch {
	case action == api.List && name == "after":
		return text(func(r *api.Request) *string { return &r.After })
	case action == api.List && name == "limit":
		return setLimit
	case action == api.List:
		return nil
	case name == "scope":
		return text(func(r *api.Request) *string { return &r.Scope })
	case name == "audience":
		return text(func(r *api.Request) *string { return &r.Audience })
	case name == "account":
		return text(func(r *api.Request) *string { return &r.Account })
	case name == "min_ttl" && action == api.Vend:
		return setMinTTL
	case name == "verify" && action == api.Status:
		return setVerify
	case name == "redirect_uri" && action == api.Authorize:
		return text(func(r *api.Request) *string { return &r.RedirectURI })
	}
	return nil
}

func setMinTTL(r *api.Request, value string) (err error) {
	r.MinTTL, err = api.ParseSeconds(value)
	return err
}

func setVerify(r *api.Request, value string) error {
	if value != "true" && value != "false" {
		return errors.New("expected true or false")
	}
	r.Verify = value == "true"
	return nil
}

func setLimit(r *api.Request, value string) (err error) {
	if r.Limit, err = strconv.Atoi(value); err != nil || r.Limit < 1 {
		return errors.New("expected a whole number from 1 on")
	}
	return nil
}

// carried reads the parameters of a body: of a POST, which asks for a token, or of a PUT, which brings a grant. What the path and the method say must not stand in it.
func (r HTTPRequest) carried(at api.Request) (api.Request, error) {
	if r.Query != "" {
		return at, invalid("the query: expected the parameters in the body")
	}
	if len(r.Body) > MaxBody {
		return at, invalid("the body: expected at most 8 KiB")
	}
	var body api.Request
	if len(r.Body) > 0 {
		var err error
		if body, err = api.DecodeRequest(r.Body); err != nil {
			return at, invalid(err.Error())
		}
	}
	if r.Method == http.MethodPut {
		return brought(at, body)
	}
	if body != (api.Request{Scope: body.Scope, Audience: body.Audience, Account: body.Account, MinTTL: body.MinTTL, Rejected: body.Rejected}) {
		return at, invalid("the body: expected no fields but scope, audience, account, min_ttl and rejected")
	}
	body.Credential = at.Credential
	return body, nil
}

// brought is what a PUT asks for: a code is to be exchanged, a recovery blob to
// be taken back, or a token to be renewed whatever was decided about it.
func brought(at, body api.Request) (api.Request, error) {
	switch body {
	case api.Request{Scope: body.Scope, Audience: body.Audience, Account: body.Account, Code: body.Code, CodeVerifier: body.CodeVerifier, RedirectURI: body.RedirectURI, Destination: body.Destination}:
		body.Action = api.Connect
	case api.Request{Recovery: body.Recovery}, api.Request{Accept: body.Accept}:
		body.Action = api.Recover
		if body.Accept != "" {
			body.Action = api.Accept
		}
	case api.Request{Scope: body.Scope, Audience: body.Audience, Account: body.Account, Renew: true}:
		body.Action, body.Renew = api.Renew, false
	default:
		return at, invalid("the body: expected scope, audience, account, code, code_verifier, redirect_uri and destination; or scope, audience, account and renew; or recovery or accept alone")
	}
	body.Credential = at.Credential
	return body, nil
}

// reply is an answer that nobody may keep.
func reply(status int, mediaType string, body any) HTTPReply {
	encoded, err := encode(body)
	if err != nil {
		status, mediaType, encoded = http.StatusInternalServerError, api.ProblemType, []byte(`{"type":"urn:tokenvend:error:internal","status":500,"code":"internal"}`)
	}
	return HTTPReply{Status: status, Body: encoded, Header: map[string]string{
		"Content-Type": mediaType, "Cache-Control": "no-store", "Pragma": "no-cache", "X-Content-Type-Options": "nosniff",
	}}
}

// encode is an answer as JSON.
func encode(answer any) ([]byte, error) {
	if t, ok := answer.(api.Token); ok {
		return t.AppendJSON(make([]byte, 0, len(t.AccessToken)+len(t.Scope)+250)), nil
	}
	return json.Marshal(answer)
}

func failed(err error) HTTPReply {
	problem := &api.Error{Code: api.Internal}
	errors.As(err, &problem)
	r := reply(problem.Code.Status(), api.ProblemType, problem)
	if problem.Allow != "" {
		r.Header["Allow"] = problem.Allow
	}
	if s := problem.RetrySeconds(); s > 0 {
		r.Header["Retry-After"] = strconv.Itoa(s)
	}
	return r
}

// Package client gets tokens from tokenvend. It keeps each one for as long as tokenvend allows, asks once where many ask at the same time, and reports a token that an API no longer takes.
//
// On Lambda a client is best made once, as a package variable, and shared by all invocations:
//
//	var tokens = client.New(client.Config{URL: os.Getenv("TOKENVEND_URL")})
//
//	var minut = &http.Client{Transport: tokens.Transport("minut", nil)}
package client

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"

	"github.com/tokenvend/tokenvend/pkg/api"
)

// Config says where tokenvend is, and who asks.
type Config struct {
	// URL is that of the API, its stage included: "https://abc123.execute-api.eu-north-1.amazonaws.com". Required; https, or http for a loopback host.
	URL string

	// PlainHTTP allows http for any host. Tokens then travel in the clear: for a network that is trusted as a whole.
	PlainHTTP bool

	// Region is the API's. "": the one in an execute-api URL, else AWS_REGION.
	Region string

	// Credentials sign the requests, as cfg.Credentials of the SDK's config package does. nil: AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN, which Lambda sets.
	Credentials aws.CredentialsProvider

	// HTTP sends the requests. nil: a client of its own. Without a Timeout it is given 30 seconds, and redirects are never followed.
	HTTP *http.Client
}

// Client gets tokens. All its methods are safe for concurrent use. Their errors are, or wrap, an [*api.Error] where tokenvend refused, a [*GatewayError] where something before it did, and otherwise say what kept the request from being answered.
type Client struct {
	config Config
	http   http.Client
	signer *v4.Signer

	mu    sync.Mutex
	slots map[slotKey]*slot
}

const defaultTimeout = 30 * time.Second

// New makes a client. What is wrong with the configuration is the error of every call, so that a client can be a package variable.
func New(c Config) *Client {
	client := &Client{config: c, signer: v4.NewSigner(), slots: map[slotKey]*slot{}}
	if c.HTTP != nil {
		client.http = *c.HTTP
	}
	if client.http.Timeout == 0 {
		client.http.Timeout = defaultTimeout
	}
	client.http.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return client
}

// Option narrows what is asked for.
type Option func(*api.Request)

// Scope asks for scopes, separated by spaces, instead of the credential's own.
func Scope(scope string) Option {
	return func(r *api.Request) { r.Scope = scope }
}

// Audience asks for an audience instead of the credential's own.
func Audience(audience string) Option {
	return func(r *api.Request) { r.Audience = audience }
}

// Account asks for a token by a person's grant instead of the client's own.
func Account(account string) Option {
	return func(r *api.Request) { r.Account = account }
}

// MinTTL asks for a token that lives at least that long, in whole seconds. A call that can't have one fails with ttl_unavailable.
func MinTTL(d time.Duration) Option {
	return func(r *api.Request) { r.MinTTL = api.Seconds((d + time.Second - 1).Truncate(time.Second)) }
}

func request(credential string, options []Option) api.Request {
	r := api.Request{Credential: credential}
	for _, o := range options {
		o(&r)
	}
	return r
}

// Status reports on a credential's token without vending it.
func (c *Client) Status(ctx context.Context, credential string, options ...Option) (api.StatusReport, error) {
	return c.status(ctx, request(credential, options))
}

// Verify is Status, with what the provider says of the token when it is asked: the report's Verified, nil where there is no living token.
// Where the provider has no request that proves a token, the error is invalid_request.
func (c *Client) Verify(ctx context.Context, credential string, options ...Option) (api.StatusReport, error) {
	r := request(credential, options)
	r.Verify = true
	return c.status(ctx, r)
}

func (c *Client) status(ctx context.Context, r api.Request) (report api.StatusReport, err error) {
	r.MinTTL = 0
	q := query(r)
	if r.Verify {
		q.Set("verify", "true")
	}
	err = c.send(ctx, call{http.MethodGet, path(r.Credential) + "/status", q, nil}, &report)
	return report, err
}

// List names all the credentials that the caller may have.
func (c *Client) List(ctx context.Context) ([]api.Listed, error) {
	var all []api.Listed
	for after := (url.Values{}); ; {
		var page api.Page
		if err := c.send(ctx, call{http.MethodGet, "/tokens", after, nil}, &page); err != nil {
			return nil, err
		}
		all = append(all, page.Credentials...)
		if page.Next == "" || page.Next == after.Get("after") {
			return all, nil
		}
		after = url.Values{"after": {page.Next}}
	}
}

// Revoke has a token revoked and forgotten, here too.
func (c *Client) Revoke(ctx context.Context, credential string, options ...Option) (api.Forgotten, error) {
	r := request(credential, options)
	r.MinTTL = 0
	var forgotten api.Forgotten
	err := c.send(ctx, call{http.MethodDelete, path(credential), query(r), nil}, &forgotten)
	c.slot(r).forget()
	return forgotten, err
}

func path(credential string) string { return "/tokens/" + url.PathEscape(credential) }

// query spells a request's parameters.
func query(r api.Request) url.Values {
	q := url.Values{}
	for name, value := range map[string]string{"scope": r.Scope, "audience": r.Audience, "account": r.Account} {
		if value = strings.TrimSpace(value); value != "" {
			q.Set(name, value)
		}
	}
	if r.MinTTL > 0 {
		q.Set("min_ttl", seconds(r.MinTTL))
	}
	return q
}

// Package client obtains tokens from tokenvend, keeps each one for as long as
// tokenvend allows, and reports a token that an API no longer takes.
//
// A client is made once, over the transport that the caller needs, and shared:
// package [github.com/tokenvend/tokenvend/pkg/client/signed] asks the API with
// AWS Signature V4, package
// [github.com/tokenvend/tokenvend/pkg/client/invoke] invokes the function. Both
// take the AWS SDK's configuration, and with it the SDK's credential chain:
//
//	cfg, err := config.LoadDefaultConfig(ctx)
//	tokens := client.New(signed.New(os.Getenv("TOKENVEND_URL"), cfg))
//	minut := tokens.Source("minut")
//
//	token, err := minut.Token(ctx)
//	web := &http.Client{Transport: minut.RoundTripper(nil)} // on each request
//
// # Waiting
//
// A call never waits while a good token is at hand. From a token's cache_until
// on, the first call starts a request for another in the background, and every
// call returns the token at hand until the other has come. So a token is used
// past its cache_until only while tokenvend is being asked or cannot answer. It
// is never used in the last tenth of its life, or in the last 10 seconds where
// that is shorter. tokenvend is asked at most once a second, and less often the
// longer it fails, at least every 30 seconds while there are calls. If it
// refuses, because the caller may no longer have the credential, the token at
// hand is dropped.
//
// A call without a good token waits for one, and at most as long as its
// context.
//
// Some providers end a token when they issue the next one. There a token that
// is used past its cache_until may meet a 401; [Source.RoundTripper] reports it
// and sends the request again.
//
// This package and its sub-packages promise stability.
package client

import "sync"

// Client obtains and keeps tokens. Its methods are safe for concurrent use.
//
// Errors of its calls are, or wrap, an
// [*github.com/tokenvend/tokenvend/pkg/api.Error] where tokenvend refused, a
// [*GatewayError] where something before it did, and otherwise say what kept
// the request from being answered.
type Client struct {
	requests *requests
	defaults settings

	mu      sync.Mutex
	sources map[settings]*Source
}

// maxSources bounds the sources that a client keeps, for programs that ask for
// the tokens of many accounts.
const maxSources = 10_000

// New returns a client that sends its requests over t. The options hold for
// each of its sources that has none of its own.
func New(t Transport, options ...Option) *Client {
	return &Client{
		requests: newRequests(t), defaults: settingsOf(settings{timeout: defaultTimeout}, options),
		sources: map[settings]*Source{},
	}
}

// Source returns the source of one credential's tokens. Calls with the same
// credential and options return the same source, of which the client keeps up
// to 10,000; one that is kept by the caller works on beyond that.
func (c *Client) Source(credential string, options ...Option) *Source {
	key := settingsOf(c.defaults, options)
	key.request.Credential = credential
	c.mu.Lock()
	defer c.mu.Unlock()
	if s := c.sources[key]; s != nil {
		return s
	}
	if len(c.sources) >= maxSources {
		c.evict()
	}
	s := &Source{refresher{requests: c.requests, settings: key}}
	c.sources[key] = s
	return s
}

// evict removes a source, one without a good token if it is quickly found. c.mu
// is held.
func (c *Client) evict() {
	const tries = 8
	now, tried := wall(), 0
	var victim settings
	for key, s := range c.sources {
		victim = key
		if h := s.held.Load(); h == nil || now >= h.end || tried == tries {
			break
		}
		tried++
	}
	delete(c.sources, victim)
}

// Close ends the requests that are under way and waits for them. Sources return
// the tokens at hand as long as they are good, and [ErrClosed] after that.
func (c *Client) Close() error {
	c.requests.close()
	return nil
}

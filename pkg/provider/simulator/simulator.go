// Package simulator simulates five providers as servers, faults included.
//
// It follows the providers' own documents and shares no code with package
// provider, so that a misread document does not go unnoticed on both sides.
// Where a document says nothing, it does what the provider's software does
// (Doorkeeper for movemint, League's oauth2-server for trackmania). It is
// strict: what a document does not allow is refused.
//
// A [Simulator] is an [http.Handler] that routes by Host, an
// [http.RoundTripper] that needs no network and starts no goroutine (for
// simulated time), and a TLS server on loopback ([Simulator.ListenTLS]).
//
// Users give their consent in a browser, on the authorize page of movemint and
// trackmania. Tests without a browser call [Simulator.IssueCode] or
// [Simulator.IssueRefreshToken].
package simulator

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"
)

// Options configures the servers. The zero value is ready to use.
type Options struct {
	// lifetime of access tokens; 0: as documented, or an hour
	Lifetime        time.Duration
	RefreshLifetime time.Duration // lifetime of refresh tokens; 0: 30 days, unlimited at movemint
	// by provider; without any, a provider has one with the id demo-<provider>
	// and the secret demo-secret-<provider>
	Clients map[string][]Client
	Reuse   map[string]Reuse // by provider; zero: Tolerated at movemint, Refused elsewhere
	Log     int              // the number of requests that the log keeps; 0: 200
}

// Client is an OAuth client that is registered at a provider.
type Client struct {
	ID, Secret string
	Scopes     []string // scopes that it may request: at movemint, at miden, and of users; nil: any
	// redirect URIs that are registered; loopback addresses are always allowed
	RedirectURIs []string
	Forbidden    bool // its account has no permission: miden responds 403
}

// Reuse is the behaviour of a provider when a redeemed refresh token is sent
// again.
type Reuse string

// The behaviours. The zero value is the provider's own.
const (
	// the old token works until the access token that replaced its own is used:
	// Doorkeeper with a column previous_refresh_token. At League, with
	// revokeRefreshTokens(false), it always works.
	Tolerated Reuse = "tolerated"
	// it is refused: League, and Doorkeeper without that column
	Refused Reuse = "refused"
	// it is refused, and all tokens that descend from it are revoked (RFC 9700
	// §4.14.2). Neither software does so by default.
	RevokesFamily Reuse = "revokes_family"
)

// Simulator simulates the five providers. Its methods are safe for concurrent
// use.
type Simulator struct {
	providers map[string]*provider // by name
	hosts     map[string]*provider
	log       requestLog
	tls       listener
}

// vendor describes how the server of one provider differs from others.
type vendor struct {
	name, host       string
	token            string        // path of the token endpoint
	accessLife       time.Duration // of an access token
	refreshLife      time.Duration // of a refresh token; 0: unlimited
	reuse            Reuse
	revokesAccess    bool   // redeeming a refresh token revokes its access token; see [call.markRedeemed]
	paired           bool   // an access token and its refresh token are revoked together
	refreshesClients bool   // client credentials yield a refresh token too
	authorize        string // path of the authorization endpoint; "": none
	expiry           string // the response's field for the expiry of the token
	newAccess        func(*call, *access) string
	newRefresh       func() string
	newCode          func() string
	routes           map[string]route // by path
	refuse           func(c *call, status int, code, hint string) response
}

// route is one path of a server.
type route struct {
	methods string // as in the header field Allow
	kind    string
	serve   func(*call) response // called with the provider locked
}

func (r *route) takes(method string) bool {
	return slices.Contains(strings.Split(r.methods, ", "), method)
}

// provider is the server of one vendor, with its state.
type provider struct {
	vendor
	mu            sync.Mutex
	clients       []Client
	accessTokens  boundedMap[*access]
	refreshTokens boundedMap[*refresh]
	codes         boundedMap[*code]
	families      int
	fault         Fault
	left          int // requests that the fault still applies to, if fault.Times is not 0
	counts        Counts
	inFlight      int
}

// New returns a simulator. It panics if o names an unknown provider.
func New(o Options) *Simulator {
	s := &Simulator{providers: map[string]*provider{}, hosts: map[string]*provider{}}
	s.log.limit = o.Log
	for _, v := range []vendor{minut(), movemint(), trackmania(), miden(), monta()} {
		p := newProvider(v, o)
		s.providers[v.name], s.hosts[v.host] = p, p
	}
	for name := range o.Clients {
		s.mustKnow(name)
	}
	for name := range o.Reuse {
		s.mustKnow(name)
	}
	return s
}

func newProvider(v vendor, o Options) *provider {
	if o.Lifetime > 0 {
		v.accessLife = o.Lifetime
	}
	if o.RefreshLifetime > 0 {
		v.refreshLife = o.RefreshLifetime
	}
	if r := o.Reuse[v.name]; r != "" {
		v.reuse = r
	}
	p := &provider{vendor: v, clients: slices.Clone(o.Clients[v.name])}
	if len(p.clients) == 0 {
		p.clients = []Client{{ID: "demo-" + v.name, Secret: "demo-secret-" + v.name}}
	}
	return p
}

func (s *Simulator) mustKnow(name string) {
	if _, err := s.provider(name); err != nil {
		panic(err)
	}
}

// ErrUnknownProvider is the error of a name that is none of the five.
var ErrUnknownProvider = errors.New("simulator: unknown provider")

func (s *Simulator) provider(name string) (*provider, error) {
	if p := s.providers[name]; p != nil {
		return p, nil
	}
	return nil, fmt.Errorf("%w %q: there are %s", ErrUnknownProvider, name, strings.Join(s.Providers(), ", "))
}

// with calls do with the provider locked.
func (s *Simulator) with(name string, do func(*provider)) error {
	p, err := s.provider(name)
	if err != nil {
		return err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	do(p)
	return nil
}

// Providers returns the five names, sorted.
func (s *Simulator) Providers() []string { return slices.Sorted(maps.Keys(s.providers)) }

// TokenURL returns the token URL of a provider; "" for an unknown one. That of
// miden is invented, because miden publishes none.
func (s *Simulator) TokenURL(name string) (url string) {
	_ = s.with(name, func(p *provider) { url = "https://" + p.host + p.token })
	return url
}

// AuthorizeURL returns the authorization endpoint of a provider; "" where it
// has none.
func (s *Simulator) AuthorizeURL(name string) (url string) {
	_ = s.with(name, func(p *provider) {
		if p.authorize != "" {
			url = "https://" + p.host + p.authorize
		}
	})
	return url
}

// ClientFor returns the first client of a provider; "" and "" for an unknown
// one.
func (s *Simulator) ClientFor(name string) (id, secret string) {
	_ = s.with(name, func(p *provider) { id, secret = p.clients[0].ID, p.clients[0].Secret })
	return id, secret
}

// SetClient adds a client, or replaces the one with that ID, as when a client
// secret is rotated at the provider. Issued tokens stay valid.
func (s *Simulator) SetClient(name string, c Client) error {
	return s.with(name, func(p *provider) {
		if i := slices.IndexFunc(p.clients, func(k Client) bool { return k.ID == c.ID }); i >= 0 {
			p.clients[i] = c
			return
		}
		p.clients = append(p.clients, c)
	})
}

// IssueRefreshToken returns the refresh token of a new grant, as after the
// consent of a user and the exchange of the code. Only movemint and trackmania
// have users.
func (s *Simulator) IssueRefreshToken(name, clientID, person, scope string) (refreshToken string, err error) {
	err = s.with(name, func(p *provider) {
		if p.authorize != "" && person != "" {
			c := &call{provider: p, now: time.Now()}
			_, r := c.issue(grant{client: clientID, subject: person, scope: scope}, nil)
			refreshToken = r.value
		}
	})
	if err == nil && refreshToken == "" {
		err = fmt.Errorf("simulator: %s knows no such person", name)
	}
	return refreshToken, err
}

// Accepts reports whether the provider would accept the access token now. It
// does not count as use of the token.
func (s *Simulator) Accepts(name, accessToken string) (alive bool) {
	_ = s.with(name, func(p *provider) {
		a, ok := p.accessTokens.get(accessToken)
		alive = ok && a.isValid(time.Now())
	})
	return alive
}

// Subject returns the user of an access token; "" for a client's own token, and
// for an unknown one.
func (s *Simulator) Subject(name, accessToken string) (person string) {
	_ = s.with(name, func(p *provider) {
		if a, ok := p.accessTokens.get(accessToken); ok {
			person = a.subject
		}
	})
	return person
}

// RevokeTokens revokes all access tokens of a provider, and its refresh tokens
// too if refreshToo is set. It returns the number of access tokens that were
// valid.
func (s *Simulator) RevokeTokens(name string, refreshToo bool) (killed int, err error) {
	err = s.with(name, func(p *provider) {
		killed = p.revokeAccess(time.Now(), func(*access) bool { return true })
		for _, r := range p.refreshTokens.items {
			r.revoked = r.revoked || refreshToo
		}
	})
	return killed, err
}

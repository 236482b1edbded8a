// Package simulator is the five providers as servers, misbehaviour included.
//
// It is written from the providers' own documents and shares nothing with package provider: a mistake in how a document was read would otherwise stand on both sides and show nowhere.
// Where a document is silent it does what the software behind that provider does (Doorkeeper for movemint, League's oauth2-server for trackmania), and it is strict: what a document does not allow is refused.
//
// A [Simulator] is used in three ways: as an [http.Handler] that routes by Host, as an [http.RoundTripper] that needs no network and starts no goroutine (for simulated time), and over TLS on loopback ([Simulator.ListenTLS]).
//
// People give their consent on the authorize page of movemint and trackmania, with a browser; [Simulator.IssueCode] and [Simulator.IssueRefreshToken] stand where a test has none.
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

// Options say what the servers start with. The zero value is ready to use.
type Options struct {
	Lifetime        time.Duration       // of every access token; 0: the documented one, an hour where none is documented
	RefreshLifetime time.Duration       // of every refresh token; 0: 30 days, for ever at movemint
	Clients         map[string][]Client // by provider; a provider without any has one, id demo-<provider>, secret demo-secret-<provider>
	Reuse           map[string]Reuse    // by provider; none: tolerated at movemint, refused elsewhere
	Log             int                 // how many requests the log keeps; 0: 200
}

// Client is one OAuth client that a provider knows.
type Client struct {
	ID, Secret   string
	Scopes       []string // what it may ask for, at movemint and miden, and of people; nil: anything
	RedirectURIs []string // where people may be sent with a code, besides to loopback addresses, which may always be named
	Forbidden    bool     // its account has no permission: miden answers 403
}

// Reuse is how a provider takes a refresh token that was already used.
type Reuse string

// The temperaments. The zero value is the provider's own.
const (
	Tolerated     Reuse = "tolerated"      // the old one works until the access token that came instead is used: Doorkeeper with a column previous_refresh_token; at League, with revokeRefreshTokens(false), for ever
	Refused       Reuse = "refused"        // it fails, and nothing else happens: League's own, and Doorkeeper's without that column
	RevokesFamily Reuse = "revokes_family" // it fails, and everything that descends from it dies: RFC 9700, section 4.14.2. Neither does so by itself
)

// Simulator is the five providers. All of its methods are safe for concurrent use.
type Simulator struct {
	providers map[string]*provider // by name
	hosts     map[string]*provider
	log       journal
	tls       listener
}

// vendor is what tells one provider's server from another's.
type vendor struct {
	name, host string
	token      string        // path of the token endpoint
	life       time.Duration // of an access token
	keep       time.Duration // of a refresh token; 0: for ever
	reuse      Reuse
	kills      bool   // redeeming a refresh token ends the access token that came with it; see [call.spend]
	row        bool   // an access token and its refresh token end together
	machines   bool   // client credentials bring a refresh token too
	authorize  string // path of the page on which people give their consent; "": there are no people's grants
	expiry     string // the answer's field that says when the token ends
	newAccess  func(*call, *access) string
	newRefresh func() string
	newCode    func() string
	routes     map[string]route // by path
	refuse     func(c *call, status int, code, hint string) answer
}

// route is what a server does at one path.
type route struct {
	methods string // as Allow lists them
	kind    string
	serve   func(*call) answer // called with the provider locked
}

func (r *route) takes(method string) bool {
	return slices.Contains(strings.Split(r.methods, ", "), method)
}

// provider is one vendor's server and what it remembers.
type provider struct {
	vendor
	mu       sync.Mutex
	clients  []Client
	accesses shelf[*access]
	refreshs shelf[*refresh]
	codes    shelf[*code]
	families int
	fault    Fault
	left     int // requests that the fault still applies to; counts only where fault.Times is not 0
	counts   Counts
	inFlight int
}

// New starts the five providers. It panics if o names a provider that does not exist.
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
		v.life = o.Lifetime
	}
	if o.RefreshLifetime > 0 {
		v.keep = o.RefreshLifetime
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

// ErrUnknownProvider is what a name that is none of the five gets.
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

// TokenURL returns the provider's token endpoint, "" for an unknown provider. Miden publishes none: its is made up.
func (s *Simulator) TokenURL(name string) (url string) {
	_ = s.with(name, func(p *provider) { url = "https://" + p.host + p.token })
	return url
}

// AuthorizeURL returns the page on which people give their consent, "" for a provider that has none.
func (s *Simulator) AuthorizeURL(name string) (url string) {
	_ = s.with(name, func(p *provider) {
		if p.authorize != "" {
			url = "https://" + p.host + p.authorize
		}
	})
	return url
}

// ClientFor returns the provider's first client, "" and "" for an unknown provider.
func (s *Simulator) ClientFor(name string) (id, secret string) {
	_ = s.with(name, func(p *provider) { id, secret = p.clients[0].ID, p.clients[0].Secret })
	return id, secret
}

// SetClient adds a client, or replaces the one with that id: so a client secret is rotated at the provider. Tokens already issued live on.
func (s *Simulator) SetClient(name string, c Client) error {
	return s.with(name, func(p *provider) {
		if i := slices.IndexFunc(p.clients, func(k Client) bool { return k.ID == c.ID }); i >= 0 {
			p.clients[i] = c
			return
		}
		p.clients = append(p.clients, c)
	})
}

// IssueRefreshToken is what a person's consent and the exchange of its code end in: the refresh token of a new grant is returned. Only movemint and trackmania know people.
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

// Accepts says whether the provider would accept the access token now. Asking does not count as using it.
func (s *Simulator) Accepts(name, accessToken string) (alive bool) {
	_ = s.with(name, func(p *provider) {
		a, ok := p.accesses.get(accessToken)
		alive = ok && a.lives(time.Now())
	})
	return alive
}

// Subject returns the person whose access token it is; "" for a client's own, and for one that is not known.
func (s *Simulator) Subject(name, accessToken string) (person string) {
	_ = s.with(name, func(p *provider) {
		if a, ok := p.accesses.get(accessToken); ok {
			person = a.subject
		}
	})
	return person
}

// RevokeTokens kills every access token that the provider has issued, and with refreshToo every refresh token. It returns how many access tokens lived.
func (s *Simulator) RevokeTokens(name string, refreshToo bool) (killed int, err error) {
	err = s.with(name, func(p *provider) {
		killed = p.kill(time.Now(), func(*access) bool { return true })
		for _, r := range p.refreshs.items {
			r.dead = r.dead || refreshToo
		}
	})
	return killed, err
}

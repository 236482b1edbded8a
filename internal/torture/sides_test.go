package torture_test

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"testing"
	"time"

	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"

	"github.com/tokenvend/tokenvend/internal/testworld"
	"github.com/tokenvend/tokenvend/pkg/api"
	"github.com/tokenvend/tokenvend/pkg/mint"
	"github.com/tokenvend/tokenvend/pkg/outbound"
)

const (
	tokenURL = "https://" + login + "/token"
	// timeout bounds a request of every contender, unless the row says
	// otherwise. It allows for a loaded machine.
	timeout = 10 * time.Second
)

// scene is one contender in front of one row's endpoints, with no requests so
// far.
type scene struct {
	t                       *testing.T
	row                     row
	trust                   authority
	login, elsewhere, clear *site
	log                     *testworld.Buffer // of tokenvend
}

// newScene starts a row's endpoints. A contender that routes sends the requests
// for names to them; the others use the addresses.
func newScene(t *testing.T, trust authority, r row, routes bool) *scene {
	t.Helper()
	s := &scene{t: t, row: r, trust: trust}
	s.elsewhere = serve(t, trust.over, foreign)
	s.clear = serve(t, nil, foreign)
	says := r.says
	if r.redirect != nil {
		says = to(r.redirect.status, s.target(routes))
	}
	s.login = serve(t, trust.over, says)
	return s
}

// target returns where the row's endpoint redirects clients.
func (s *scene) target(routes bool) string {
	switch {
	case routes && s.row.redirect.clear:
		return "http://" + login + "/token"
	case routes:
		return "https://" + elsewhere + "/token"
	case s.row.redirect.clear:
		return "http://" + s.clear.address() + "/token"
	}
	_, port, err := net.SplitHostPort(s.elsewhere.address())
	testworld.Must(s.t, err)
	return "https://localhost:" + port + "/token" // login is 127.0.0.1
}

// route returns the loopback address of a name and port.
func (s *scene) route(hostport string) (address string, ok bool) {
	switch hostport {
	case login + ":443":
		return s.login.address(), true
	case login + ":80":
		return s.clear.address(), true
	case elsewhere + ":443":
		return s.elsewhere.address(), true
	}
	return "", false
}

func (s *scene) requestTimeout() time.Duration { return cmp.Or(s.row.timeout, timeout) }

// instance is one process without cached tokens. A call requests the token.
type instance func() (vended, error)

// vended is a token as a caller gets it.
type vended struct {
	access, kind string
	expires      time.Time // zero: never
}

// oauth2 returns instances of golang.org/x/oauth2, configured as its
// documentation says: an AuthStyle, a source that reuses its token, and an
// http.Client with a timeout.
func (s *scene) oauth2() func() instance {
	style := oauth2.AuthStyleInParams
	if s.row.basic {
		style = oauth2.AuthStyleInHeader
	}
	return func() instance {
		ctx := context.WithValue(s.t.Context(), oauth2.HTTPClient, s.usersClient())
		c := clientcredentials.Config{
			ClientID: clientID, ClientSecret: clientSecret, TokenURL: tokenURL, AuthStyle: style,
		}
		source := c.TokenSource(ctx)
		return func() (vended, error) {
			t, err := source.Token()
			if err != nil {
				return vended{}, err
			}
			return vended{t.AccessToken, t.Type(), t.Expiry}, nil
		}
	}
}

// usersClient returns Go's default client with a timeout, routed to loopback
// and trusting its certificate.
func (s *scene) usersClient() *http.Client {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.Proxy = nil
	transport.TLSClientConfig.RootCAs = s.trust.pool
	transport.DialContext = func(ctx context.Context, network, hostport string) (net.Conn, error) {
		address, ok := s.route(hostport)
		if !ok {
			return nil, fmt.Errorf("%s is not in this test", hostport)
		}
		return new(net.Dialer).DialContext(ctx, network, address)
	}
	s.t.Cleanup(transport.CloseIdleConnections)
	hc := &http.Client{Transport: transport, Timeout: s.requestTimeout()}
	if s.row.careful {
		hc.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	}
	return hc
}

const credentialName = "torture"

// tokenvend returns instances of tokenvend: the real path from the store to the
// token endpoint, as in both functions, with one store for all.
func (s *scene) tokenvend() func() instance {
	w := testworld.New(s.t, testworld.Config{})
	s.log = &w.Log
	w.PutSecret(credentialName, s.credential())
	return func() instance {
		hc := outbound.NewClient(outbound.Config{Roots: s.trust.pool, Route: s.route})
		hc.Timeout = s.requestTimeout()
		m := w.NewProcess(func(c *mint.Config) { c.HTTP = hc })
		s.t.Cleanup(func() {
			m.Wait()
			hc.CloseIdleConnections()
		})
		return func() (vended, error) {
			ctx, cancel := context.WithTimeout(s.t.Context(), testworld.CallerTimeout)
			defer cancel()
			r, err := m.Token(ctx, testworld.Key(credentialName), mint.Want{})
			if err != nil {
				return vended{}, err
			}
			return vended{r.Token.Access.Reveal(), r.Token.Type, r.Token.ExpiresAt}, nil
		}
	}
}

// credential returns the content of the secret.
func (s *scene) credential() map[string]any {
	c := map[string]any{"client_id": clientID, "client_secret": clientSecret, "token_url": tokenURL}
	switch {
	case s.row.descriptor != "":
		c["descriptor"] = json.RawMessage(s.row.descriptor)
	case s.row.basic:
		c["provider"] = "oauth2"
	default:
		c["provider"] = "oauth2-post"
	}
	return c
}

// wordsOf describes an error by its code or its status.
func wordsOf(err error) string {
	var ours *api.Error
	var theirs *oauth2.RetrieveError
	var peers *peerError
	var slow net.Error
	switch {
	case errors.As(err, &ours):
		return fmt.Sprintf("`%s`", ours.Code)
	case errors.As(err, &theirs) && theirs.ErrorCode != "":
		return fmt.Sprintf("`%s`", theirs.ErrorCode)
	case errors.As(err, &theirs):
		return fmt.Sprintf("HTTP %d", theirs.Response.StatusCode)
	case errors.As(err, &peers):
		return peers.words()
	case errors.As(err, &slow) && slow.Timeout():
		return "timed out"
	}
	return "error"
}

// Package agent gives tokens to the programs beside it on one machine. It keeps
// each token until its cache_until, obtains the next one ahead of that, sends
// one request for any number of callers, and gives a living token while
// tokenvend cannot be asked.
//
// [Agent.Handler] serves HTTP. On loopback it belongs behind [Guard]; package
// unixsocket admits one user alone, and needs no guard.
package agent

import (
	"context"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/tokenvend/tokenvend/pkg/api"
	"github.com/tokenvend/tokenvend/pkg/client"
)

// Config is what an agent is made of.
type Config struct {
	Transport   client.Transport // carries requests to tokenvend
	Credentials []string         // the credentials that it may ask for; none: every one
	Log         *slog.Logger     // of requests that fail in the background; nil: silent
}

// Agent keeps the tokens of the programs beside it. Its methods are safe for
// concurrent use.
type Agent struct {
	tokens  *client.Client
	allowed []string

	mu    sync.Mutex
	inUse map[*client.Source]*use
}

// use is what is known of a source that was asked for a token.
type use struct {
	last  client.Token // the last one seen
	asked bool         // a caller has had that token
}

// maxInUse bounds the sources whose tokens are obtained ahead. Others are
// answered as well.
const maxInUse = 1000

// New returns an agent. [Agent.Run] has it obtain tokens ahead.
func New(c Config) *Agent {
	return &Agent{
		tokens:  client.New(c.Transport, client.Logger(c.Log)),
		allowed: c.Credentials, inUse: map[*client.Source]*use{},
	}
}

// Close ends the requests that are under way, and waits for them.
func (a *Agent) Close() { _ = a.tokens.Close() } // its error is always nil

// Token returns the token of a request, whose action is vend.
func (a *Agent) Token(ctx context.Context, r api.Request) (client.Token, error) {
	if err := a.checkName(r.Credential); err != nil {
		return client.Token{}, err
	}
	source := a.tokens.Source(r.Credential, client.Scope(r.Scope), client.Audience(r.Audience),
		client.Account(r.Account), client.MinTTL(time.Duration(r.MinTTL)))
	var t client.Token
	var err error
	if r.Rejected == "" {
		t, err = source.Token(ctx)
	} else {
		t, err = source.Reject(ctx, r.Rejected)
	}
	if err == nil {
		a.noteUse(source, t)
	}
	return t, err
}

// Prefetch starts a request for the token of each credential that the agent is
// limited to. It does not wait.
func (a *Agent) Prefetch() {
	for _, name := range a.allowed {
		_, _ = a.tokens.Source(name).Token(noWait) // an error is that of a later call
	}
}

// checkName refuses what is no credential's name, and a credential that is not
// on the agent's list.
func (a *Agent) checkName(credential string) error {
	if !ValidName(credential) {
		return &api.Error{Code: api.InvalidRequest, Detail: "the path: expected the name of a credential"}
	}
	if len(a.allowed) > 0 && !slices.Contains(a.allowed, credential) {
		return &api.Error{
			Code: api.UnknownCredential, Credential: credential,
			Detail: "the credential is not on the list of this agent",
		}
	}
	return nil
}

// ValidName reports whether s has the length and the characters of a
// credential's name.
func ValidName(s string) bool {
	for _, c := range []byte(s) {
		if (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-' && c != '_' {
			return false
		}
	}
	return s != "" && len(s) <= 63
}

// noteUse notes that a caller has had a token.
func (a *Agent) noteUse(s *client.Source, t client.Token) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if u := a.inUse[s]; u != nil {
		u.last, u.asked = t, true
	} else if len(a.inUse) < maxInUse {
		a.inUse[s] = &use{t, true}
	}
}

// noWait has ended: a call with it starts the request that it needs, and does
// not wait for it.
var noWait = ended()

func ended() context.Context {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	return ctx
}

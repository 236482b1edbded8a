// Fosite is a server of the library github.com/ory/fosite, with that library's
// own storage in memory. It listens on the port of 127.0.0.1 that is the one
// argument. Its clients are JSON in the environment. It remembers nothing when
// it is started again.
package main

import (
	"encoding/json"
	"log"
	"net/http"
	"os"
	"time"

	"github.com/ory/fosite"
	"github.com/ory/fosite/compose"
	"github.com/ory/fosite/storage"
	"golang.org/x/crypto/bcrypt"
)

// client is a client as the test describes it.
type client struct {
	ID       string `json:"id"`
	Secret   string `json:"secret"`
	Seconds  int    `json:"seconds"`
	Redirect string `json:"redirect"`
}

func main() {
	var settings struct {
		Clients []client `json:"clients"`
	}
	if err := json.Unmarshal([]byte(os.Getenv("TOKENVEND_TESTBED_PEER")), &settings); err != nil {
		log.Fatal(err)
	}
	kept := storage.NewMemoryStore()
	for _, c := range settings.Clients {
		registered, err := register(c)
		if err != nil {
			log.Fatal(err)
		}
		kept.Clients[c.ID] = registered
	}
	s := server{newProvider(kept)}
	http.HandleFunc("/token", s.token)
	http.HandleFunc("/authorize", s.authorize)
	http.HandleFunc("/revoke", s.revoke)
	http.HandleFunc("/me", s.me)
	log.Fatal(http.ListenAndServe("127.0.0.1:"+os.Args[1], nil))
}

func register(c client) (fosite.Client, error) {
	hash, err := bcrypt.GenerateFromPassword([]byte(c.Secret), bcrypt.MinCost)
	life := time.Duration(c.Seconds) * time.Second
	grants := []string{"client_credentials"}
	if c.Redirect != "" {
		grants = append(grants, "authorization_code", "refresh_token")
	}
	return &fosite.DefaultClientWithCustomTokenLifespans{
		DefaultClient: &fosite.DefaultClient{
			ID: c.ID, Secret: hash, RedirectURIs: []string{c.Redirect}, GrantTypes: grants,
			ResponseTypes: []string{"code"}, Scopes: []string{"read", "offline"},
		},
		TokenLifespans: &fosite.ClientLifespanConfig{
			AuthorizationCodeGrantAccessTokenLifespan: &life,
			ClientCredentialsGrantAccessTokenLifespan: &life,
			RefreshTokenGrantAccessTokenLifespan:      &life,
		},
	}, err
}

func newProvider(kept *storage.MemoryStore) fosite.OAuth2Provider {
	config := &fosite.Config{
		GlobalSecret: []byte("a secret of 32 bytes for testing"), EnforcePKCE: true,
		ScopeStrategy: fosite.ExactScopeStrategy,
	}
	return compose.Compose(config, kept, compose.NewOAuth2HMACStrategy(config),
		compose.OAuth2AuthorizeExplicitFactory,
		compose.OAuth2ClientCredentialsGrantFactory,
		compose.OAuth2RefreshTokenGrantFactory,
		compose.OAuth2TokenIntrospectionFactory,
		compose.OAuth2TokenRevocationFactory,
		compose.OAuth2PKCEFactory,
	)
}

type server struct{ provider fosite.OAuth2Provider }

func (s server) token(w http.ResponseWriter, r *http.Request) {
	ctx := r.Context()
	request, err := s.provider.NewAccessRequest(ctx, r, &fosite.DefaultSession{})
	if err != nil {
		s.provider.WriteAccessError(ctx, w, request, err)
		return
	}
	if request.GetGrantTypes().ExactOne("client_credentials") {
		for _, scope := range request.GetRequestedScopes() {
			request.GrantScope(scope)
		}
	}
	response, err := s.provider.NewAccessResponse(ctx, request)
	if err != nil {
		s.provider.WriteAccessError(ctx, w, request, err)
		return
	}
	s.provider.WriteAccessResponse(ctx, w, request, response)
}

// authorize grants every scope to the one user.
func (s server) authorize(w http.ResponseWriter, r *http.Request) {
	ctx := r.Context()
	request, err := s.provider.NewAuthorizeRequest(ctx, r)
	if err != nil {
		s.provider.WriteAuthorizeError(ctx, w, request, err)
		return
	}
	for _, scope := range request.GetRequestedScopes() {
		request.GrantScope(scope)
	}
	response, err := s.provider.NewAuthorizeResponse(ctx, request, &fosite.DefaultSession{Subject: "alice"})
	if err != nil {
		s.provider.WriteAuthorizeError(ctx, w, request, err)
		return
	}
	s.provider.WriteAuthorizeResponse(ctx, w, request, response)
}

func (s server) revoke(w http.ResponseWriter, r *http.Request) {
	s.provider.WriteRevocationResponse(r.Context(), w, s.provider.NewRevocationRequest(r.Context(), r))
}

func (s server) me(w http.ResponseWriter, r *http.Request) {
	token := fosite.AccessTokenFromRequest(r)
	if _, _, err := s.provider.IntrospectToken(
		r.Context(), token, fosite.AccessToken, &fosite.DefaultSession{},
	); err != nil {
		http.Error(w, "the token does not work", http.StatusUnauthorized)
	}
}

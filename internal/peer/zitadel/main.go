// Zitadel is a server of the library github.com/zitadel/oidc, with that
// library's own example storage. It listens on the port of 127.0.0.1 that is
// the one argument. Its clients are JSON in the environment. It remembers
// nothing when it is started again.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"log"
	"net/http"
	"os"
	"slices"
	"time"

	"github.com/zitadel/oidc/v3/example/server/storage"
	"github.com/zitadel/oidc/v3/pkg/oidc"
	"github.com/zitadel/oidc/v3/pkg/op"
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
	address := "127.0.0.1:" + os.Args[1]
	provider, kept, err := newProvider("http://"+address, settings.Clients)
	if err != nil {
		log.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.Handle("/", provider)
	mux.HandleFunc("GET /login/username", func(w http.ResponseWriter, r *http.Request) {
		id := r.FormValue("authRequestID")
		if err := kept.CheckUsernamePassword(alice.Username, alice.Password, id); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		http.Redirect(w, r, op.AuthCallbackURL(provider)(op.ContextWithIssuer(r.Context(), "http://"+address), id),
			http.StatusFound)
	})
	log.Fatal(http.ListenAndServe(address, mux))
}

func newProvider(issuer string, clients []client) (*op.Provider, *peerStorage, error) {
	kept := &peerStorage{clients: map[string]client{}}
	known := map[string]*storage.Client{}
	for _, c := range clients {
		kept.clients[c.ID] = c
		known[c.ID] = storage.WebClient(c.ID, c.Secret, c.Redirect)
	}
	kept.Storage = storage.NewStorageWithClients(users{}, known)
	provider, err := op.NewProvider(&op.Config{
		CryptoKey: [32]byte{1}, CodeMethodS256: true, AuthMethodPost: true, GrantTypeRefreshToken: true,
	}, kept, op.StaticIssuer(issuer), op.WithAllowInsecure())
	return provider, kept, err
}

// alice is the one user. She is logged in without a question.
var alice = storage.User{ID: "alice", Username: "alice", Password: "any"}

// users is the user store. A client's own token counts as a user's too.
type users struct{}

func (users) GetUserByID(id string) *storage.User { return &storage.User{ID: id} }

func (users) GetUserByUsername(name string) *storage.User {
	if name == alice.Username {
		return &alice
	}
	return nil
}

func (users) ExampleClientID() string { return "" }

// peerStorage adds the client credentials grant for every client, and its own
// lifetimes.
type peerStorage struct {
	*storage.Storage
	clients map[string]client
}

// machine is a client that also uses client credentials.
type machine struct{ op.Client }

func (m machine) GrantTypes() []oidc.GrantType {
	return append(slices.Clone(m.Client.GrantTypes()), oidc.GrantTypeClientCredentials)
}

// machineRequest is a token request for a client's own token.
type machineRequest struct {
	id     string
	scopes []string
}

func (r machineRequest) GetSubject() string    { return r.id }
func (r machineRequest) GetAudience() []string { return []string{r.id} }
func (r machineRequest) GetScopes() []string   { return r.scopes }

// GetClientByClientID implements op.Storage.
func (s *peerStorage) GetClientByClientID(ctx context.Context, id string) (op.Client, error) {
	c, err := s.Storage.GetClientByClientID(ctx, id)
	if err != nil {
		return nil, err
	}
	return machine{c}, nil
}

// ClientCredentials implements op.ClientCredentialsStorage.
func (s *peerStorage) ClientCredentials(ctx context.Context, id, secret string) (op.Client, error) {
	if err := s.AuthorizeClientIDSecret(ctx, id, secret); err != nil {
		return nil, err
	}
	return s.GetClientByClientID(ctx, id)
}

// ClientCredentialsTokenRequest implements op.ClientCredentialsStorage.
func (s *peerStorage) ClientCredentialsTokenRequest(
	_ context.Context, id string, scopes []string,
) (op.TokenRequest, error) {
	if _, ok := s.clients[id]; !ok {
		return nil, errors.New("no such client")
	}
	return machineRequest{id, scopes}, nil
}

// CreateAccessToken implements op.Storage.
func (s *peerStorage) CreateAccessToken(ctx context.Context, r op.TokenRequest) (string, time.Time, error) {
	id, _, err := s.Storage.CreateAccessToken(ctx, r)
	return id, s.expiry(r), err
}

// CreateAccessAndRefreshTokens implements op.Storage.
func (s *peerStorage) CreateAccessAndRefreshTokens(
	ctx context.Context, r op.TokenRequest, current string,
) (string, string, time.Time, error) {
	id, refresh, _, err := s.Storage.CreateAccessAndRefreshTokens(ctx, r, current)
	return id, refresh, s.expiry(r), err
}

// expiry is the end of a token's life by its client, which is its audience.
func (s *peerStorage) expiry(r op.TokenRequest) time.Time {
	seconds := 300
	for _, id := range r.GetAudience() {
		if c, ok := s.clients[id]; ok {
			seconds = c.Seconds
		}
	}
	return time.Now().Add(time.Duration(seconds) * time.Second)
}

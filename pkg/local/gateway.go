package local

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"time"

	"github.com/tokenvend/tokenvend/pkg/api"
	"github.com/tokenvend/tokenvend/pkg/journal"
	"github.com/tokenvend/tokenvend/pkg/redact"
	"github.com/tokenvend/tokenvend/pkg/sigv4"
	"github.com/tokenvend/tokenvend/pkg/vend"
)

const (
	// gatewayTimeout is API Gateway's own limit for one call.
	gatewayTimeout = 29 * time.Second
	// gatewayBody is API Gateway's own limit for a body, in bytes. A longer one
	// is not read, so its signature cannot be verified.
	gatewayBody = 10 << 20
)

// gateway does what API Gateway with IAM authorisation does in front of vend:
// it authenticates requests by their signature. It answers 403 and nothing else
// to a request that is not authenticated; the reason is in the log.
type gateway struct {
	answer   func(context.Context, vend.HTTPRequest) vend.HTTPReply // vend.Service's HTTP
	keys     map[string]Key                                         // by their ids
	verifier *sigv4.Verifier
	log      *slog.Logger
}

// newGateway returns a gateway that takes the requests of a region that are
// signed with one of the keys.
func newGateway(region string, keys []Key, log *slog.Logger) *gateway {
	byID, secrets := map[string]Key{}, map[string]redact.String{}
	for _, k := range keys {
		byID[k.ID], secrets[k.ID] = k, k.Secret
	}
	return &gateway{keys: byID, verifier: sigv4.NewVerifier(region, secrets), log: log}
}

// ServeHTTP answers one call.
func (g *gateway) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	id := rand.Text()
	w.Header()["Apigw-Requestid"] = []string{id}
	key, body, err := g.authenticate(w, r)
	if err != nil {
		g.log.LogAttrs(r.Context(), slog.LevelWarn, "forbidden",
			slog.String("reason", err.Error()), slog.String("from", r.RemoteAddr), slog.String("request_id", id))
		forbid(w)
		return
	}
	path, query := sigv4.Target(r)
	ctx, cancel := context.WithTimeout(r.Context(), gatewayTimeout)
	defer cancel()
	send(w, g.guarded(ctx, vend.HTTPRequest{
		Method: r.Method, Path: path, Query: query, Body: body.start, RequestID: id,
		Caller: key.caller(),
	}))
}

// authenticate returns the key that the request is signed with, and its body.
func (g *gateway) authenticate(w http.ResponseWriter, r *http.Request) (Key, payload, error) {
	claim, err := g.verifier.Claim(r, time.Now())
	if err != nil {
		return Key{}, payload{}, err
	}
	body := emptyPayload
	if r.Body != http.NoBody {
		if body, err = read(http.MaxBytesReader(w, r.Body, gatewayBody)); err != nil {
			return Key{}, payload{}, err
		}
	}
	id, err := g.verifier.Verify(claim, r, body.Body)
	return g.keys[id], body, err
}

// payload is a request's body, of which only the start is kept.
type payload struct {
	sigv4.Body
	start []byte // at most vend.MaxBody+1 bytes
}

// emptyPayload is the body that most requests have.
var emptyPayload = payload{Body: sigv4.Body{
	SHA256: "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
}}

func read(body io.Reader) (payload, error) {
	hash := sha256.New()
	body = io.TeeReader(body, hash)
	start, err1 := io.ReadAll(io.LimitReader(body, vend.MaxBody+1))
	rest, err2 := io.Copy(io.Discard, body)
	if errors.Join(err1, err2) != nil {
		return payload{}, errors.New("the body: too long, or cut short")
	}
	sum := sigv4.Body{Length: int64(len(start)) + rest, SHA256: hex.EncodeToString(hash.Sum(nil))}
	return payload{Body: sum, start: start}, nil
}

// guarded answers with status 500 where answering panics.
func (g *gateway) guarded(ctx context.Context, r vend.HTTPRequest) (reply vend.HTTPReply) {
	defer func() {
		if p := recover(); p != nil {
			journal.Journal{Log: g.log}.Panic(ctx, p, r.RequestID)
			reply = broken(r.RequestID)
		}
	}()
	return g.answer(ctx, r)
}

func broken(requestID string) vend.HTTPReply {
	problem := &api.Error{Code: api.Internal, Detail: "an unexpected error, told in the log", RequestID: requestID}
	body, _ := json.Marshal(problem) // strings and numbers: cannot fail
	header := uncached(api.ProblemType)
	return vend.HTTPReply{Status: http.StatusInternalServerError, Body: body, Header: header}
}

// forbid answers as an HTTP API of API Gateway does.
func forbid(w http.ResponseWriter) {
	header := uncached("application/json")
	header["x-amzn-ErrorType"] = "AccessDeniedException"
	send(w, vend.HTTPReply{Status: http.StatusForbidden, Body: []byte(`{"message":"Forbidden"}`), Header: header})
}

// uncached are the headers of an answer that must not be cached.
func uncached(mediaType string) map[string]string {
	return map[string]string{
		"Content-Type": mediaType, "Cache-Control": "no-store", "Pragma": "no-cache", "X-Content-Type-Options": "nosniff",
	}
}

func send(w http.ResponseWriter, r vend.HTTPReply) {
	for name, value := range r.Header {
		w.Header().Set(name, value)
	}
	w.WriteHeader(r.Status)
	_, _ = w.Write(r.Body) // an error means that the client has left
}

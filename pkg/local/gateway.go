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
	"github.com/tokenvend/tokenvend/pkg/vend"
)

const (
	// gatewayTimeout is API Gateway's own limit for one call.
	gatewayTimeout = 29 * time.Second
	// gatewayBody is API Gateway's own limit for a body, in bytes. A longer one is not read, so its signature cannot be checked.
	gatewayBody = 10 << 20
)

// gateway does what API Gateway with IAM authorisation does in front of vend: it
// authenticates requests by their signature. It answers 403 and nothing else to
// a request that is not authenticated; the reason is in the log.
type gateway struct {
	answer func(context.Context, vend.HTTPRequest) vend.HTTPReply // vend.Desk's HTTP
	keys   *keyring
	log    *slog.Logger
}

// ServeHTTP answers one call.
func (g *gateway) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	id := rand.Text()
	w.Header()["Apigw-Requestid"] = []string{id}
	key, body, err := g.admit(w, r)
	if err != nil {
		g.log.LogAttrs(r.Context(), slog.LevelWarn, "forbidden", slog.String("reason", err.Error()), slog.String("from", r.RemoteAddr), slog.String("request_id", id))
		forbid(w)
		return
	}
	path, query := onTheWire(r)
	ctx, cancel := context.WithTimeout(r.Context(), gatewayTimeout)
	defer cancel()
	send(w, g.guarded(ctx, vend.HTTPRequest{
		Method: r.Method, Path: path, Query: query, Body: body.start, RequestID: id,
		Caller: key.caller(),
	}))
}

// admit returns the key that the request is signed with, and its body.
func (g *gateway) admit(w http.ResponseWriter, r *http.Request) (key Key, body payload, err error) {
	c, err := g.keys.claimed(r, time.Now())
	if err != nil {
		return Key{}, payload{}, err
	}
	body = nothing
	if r.Body != http.NoBody {
		body, err = read(http.MaxBytesReader(w, r.Body, gatewayBody))
	}
	if err != nil {
		return Key{}, payload{}, err
	}
	key, err = g.keys.prove(c, r, body)
	return key, body, err
}

// payload is a request's body, of which only the start is kept.
type payload struct {
	start  []byte // at most vend.MaxBody+1 bytes
	length int64
	sum    string // SHA-256 of the whole, in hex
}

// nothing is the body that most requests have.
var nothing = payload{sum: "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"}

func read(body io.Reader) (payload, error) {
	hash := sha256.New()
	body = io.TeeReader(body, hash)
	start, err1 := io.ReadAll(io.LimitReader(body, vend.MaxBody+1))
	rest, err2 := io.Copy(io.Discard, body)
	if errors.Join(err1, err2) != nil {
		return payload{}, errors.New("the body: too long, or cut short")
	}
	return payload{start: start, length: int64(len(start)) + rest, sum: hex.EncodeToString(hash.Sum(nil))}, nil
}

// guarded answers, whatever happens on the way.
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
	body, _ := json.Marshal(&api.Error{Code: api.Internal, Detail: "an unexpected error, told in the log", RequestID: requestID}) // strings and numbers: cannot fail
	return vend.HTTPReply{Status: http.StatusInternalServerError, Body: body, Header: map[string]string{
		"Content-Type": api.ProblemType, "Cache-Control": "no-store", "Pragma": "no-cache", "X-Content-Type-Options": "nosniff",
	}}
}

// forbid answers just as an HTTP API does.
func forbid(w http.ResponseWriter) {
	send(w, vend.HTTPReply{Status: http.StatusForbidden, Body: []byte(`{"message":"Forbidden"}`), Header: map[string]string{
		"Content-Type": "application/json", "x-amzn-ErrorType": "AccessDeniedException",
		"Cache-Control": "no-store", "Pragma": "no-cache", "X-Content-Type-Options": "nosniff",
	}})
}

func send(w http.ResponseWriter, r vend.HTTPReply) {
	for name, value := range r.Header {
		w.Header().Set(name, value)
	}
	w.WriteHeader(r.Status)
	_, _ = w.Write(r.Body) // an error means that nobody listens any more
}

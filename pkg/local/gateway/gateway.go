// Package gateway is an HTTP handler that does on one machine what API Gateway
// with IAM authorization does in AWS: it authenticates requests by their
// signature and passes them on with the caller's ARN.
package gateway

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

	"github.com/tokenvend/tokenvend/pkg/access"
	"github.com/tokenvend/tokenvend/pkg/api"
	"github.com/tokenvend/tokenvend/pkg/deadline"
	"github.com/tokenvend/tokenvend/pkg/failure"
	"github.com/tokenvend/tokenvend/pkg/journal"
	"github.com/tokenvend/tokenvend/pkg/redact"
	"github.com/tokenvend/tokenvend/pkg/sigv4"
	"github.com/tokenvend/tokenvend/pkg/vend"
)

// Timeout is API Gateway's own limit for one call.
const Timeout = 29 * time.Second

// maxBody is API Gateway's own limit for a body, in bytes. A longer one is not
// read, so its signature cannot be verified.
const maxBody = 10 << 20

// Integration answers the requests that are authenticated, such as
// [vend.Service.HTTP].
type Integration func(context.Context, vend.HTTPRequest) vend.HTTPReply

// Gateway authenticates requests and has its integration answer them. To a
// request that is not authenticated it answers 403 and nothing else; the reason
// is in the log.
type Gateway struct {
	integration Integration
	callers     map[string]access.Caller // by the ids of their keys
	verifier    *sigv4.Verifier
	log         *slog.Logger
}

// New returns a gateway for the requests of a region that are signed with one
// of the keys.
func New(region string, keys []Key, integration Integration, log *slog.Logger) *Gateway {
	callers, secrets := map[string]access.Caller{}, map[string]redact.String{}
	for _, k := range keys {
		callers[k.ID], secrets[k.ID] = k.caller(), k.Secret
	}
	return &Gateway{
		integration: integration, callers: callers, verifier: sigv4.NewVerifier(region, secrets), log: log,
	}
}

// ServeHTTP answers one call.
func (g *Gateway) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	id, now := rand.Text(), time.Now()
	w.Header()["Apigw-Requestid"] = []string{id}
	caller, body, err := g.authenticate(w, r, now)
	if err != nil {
		g.log.LogAttrs(r.Context(), slog.LevelWarn, "forbidden",
			slog.String("reason", err.Error()), slog.String("from", r.RemoteAddr), slog.String("request_id", id))
		writeReply(w, forbidden())
		return
	}
	path, query := sigv4.Target(r)
	ctx := deadline.New(r.Context(), now.Add(Timeout))
	defer ctx.Release()
	writeReply(w, g.invoke(ctx, vend.HTTPRequest{
		Method: r.Method, Path: path, Query: query, Body: body.start, RequestID: id, Caller: caller,
	}))
}

// authenticate returns the caller that has signed the request, and its body.
func (g *Gateway) authenticate(
	w http.ResponseWriter, r *http.Request, now time.Time,
) (access.Caller, payload, error) {
	claim, err := g.verifier.Claim(r, now)
	if err != nil {
		return access.Caller{}, payload{}, err
	}
	body := emptyPayload
	if r.Body != http.NoBody {
		if body, err = readPayload(http.MaxBytesReader(w, r.Body, maxBody)); err != nil {
			return access.Caller{}, payload{}, err
		}
	}
	id, err := g.verifier.Verify(claim, r, body.Body)
	return g.callers[id], body, err
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

func readPayload(body io.Reader) (payload, error) {
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

// invoke returns what the integration answers, and status 500 if it panics.
func (g *Gateway) invoke(ctx context.Context, r vend.HTTPRequest) (reply vend.HTTPReply) {
	defer func() {
		if p := recover(); p != nil {
			journal.Journal{Log: g.log}.Panic(ctx, p, r.RequestID)
			reply = internalError(r.RequestID)
		}
	}()
	return g.integration(ctx, r)
}

func internalError(requestID string) vend.HTTPReply {
	problem := &api.Error{Code: api.Internal, Detail: failure.InternalDetail, RequestID: requestID}
	body, _ := json.Marshal(problem) // strings and numbers: cannot fail
	return vend.HTTPReply{Status: http.StatusInternalServerError, Body: body, Header: uncached(api.ProblemType)}
}

// forbidden is the refusal of API Gateway's HTTP APIs.
func forbidden() vend.HTTPReply {
	header := uncached("application/json")
	header["x-amzn-ErrorType"] = "AccessDeniedException"
	return vend.HTTPReply{Status: http.StatusForbidden, Body: []byte(`{"message":"Forbidden"}`), Header: header}
}

// uncached returns the headers of a response that must not be cached.
func uncached(mediaType string) map[string]string {
	return map[string]string{
		"Content-Type": mediaType, "Cache-Control": "no-store", "Pragma": "no-cache",
		"X-Content-Type-Options": "nosniff",
	}
}

func writeReply(w http.ResponseWriter, r vend.HTTPReply) {
	header, values := w.Header(), make([]string, 0, len(r.Header))
	for name, value := range r.Header {
		values = append(values, value)
		n := len(values)
		header[name] = values[n-1 : n : n]
	}
	w.WriteHeader(r.Status)
	_, _ = w.Write(r.Body) // an error means that the client has left
}

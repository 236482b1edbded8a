package clienttest

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"

	"github.com/tokenvend/tokenvend/pkg/api"
	"github.com/tokenvend/tokenvend/pkg/client"
)

// maxBody is the longest body that is read, in bytes.
const maxBody = 8 << 10

// ServeHTTP answers a request as tokenvend's API does. It implements
// http.Handler.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	asked, err := requestOf(r)
	if err != nil {
		refuse(w, err)
		return
	}
	answer, err := s.Send(r.Context(), asked)
	if err != nil {
		refuse(w, err)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(answer) // #nosec G705 -- JSON, and named so; an error means that nobody listens
}

// refuse writes an error as tokenvend, or a gateway before it, does.
func refuse(w http.ResponseWriter, err error) {
	if e, ok := errors.AsType[*api.Error](err); ok {
		w.Header().Set("Content-Type", api.ProblemType)
		w.WriteHeader(e.Code.Status())
		_ = json.NewEncoder(w).Encode(e)
		return
	}
	status := http.StatusServiceUnavailable
	if e, ok := errors.AsType[*client.GatewayError](err); ok {
		status = e.Status
		w.Header().Set("X-Amzn-Errortype", e.Kind)
		w.Header().Set("Apigw-Requestid", e.RequestID)
	}
	w.WriteHeader(status)
	_, _ = io.WriteString(w, `{"message":"`+http.StatusText(status)+`"}`)
}

// requestOf reads a request of the API.
func requestOf(r *http.Request) (at api.Request, err error) {
	body, err := io.ReadAll(io.LimitReader(r.Body, maxBody))
	if err == nil && len(body) > 0 {
		at, err = api.DecodeRequest(body)
	}
	if err != nil {
		return at, &api.Error{Code: api.InvalidRequest, Detail: err.Error()}
	}
	name, isToken := strings.CutPrefix(r.URL.Path, "/tokens/")
	name, tail, _ := strings.Cut(name, "/")
	if !isToken && r.URL.Path != "/tokens" {
		return at, &api.Error{Code: api.UnknownCredential, Detail: "the path: expected /tokens/NAME"}
	}
	q := r.URL.Query()
	for parameter, field := range map[string]*string{
		"scope": &at.Scope, "audience": &at.Audience, "account": &at.Account,
		"after": &at.After, "redirect_uri": &at.RedirectURI,
	} {
		if q.Has(parameter) {
			*field = q.Get(parameter)
		}
	}
	at.Verify = q.Get("verify") == "true"
	if q.Has("min_ttl") {
		if at.MinTTL, err = api.ParseSeconds(q.Get("min_ttl")); err != nil {
			return at, &api.Error{Code: api.InvalidRequest, Detail: "min_ttl: " + err.Error()}
		}
	}
	at.Credential, at.Action = name, tail
	switch {
	case !isToken:
		at.Credential, at.Action = "", api.List
	case tail != "":
	case r.Method == http.MethodDelete:
		at.Action = api.Revoke
	case r.Method == http.MethodPut && at.Recovery != "":
		at.Action = api.Recover
	case r.Method == http.MethodPut && at.Renew:
		at.Action, at.Renew = api.Renew, false
	case r.Method == http.MethodPut:
		at.Action = api.Connect
	}
	return at, nil
}

package clienttest

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"

	"github.com/tokenvend/tokenvend/pkg/api"
	"github.com/tokenvend/tokenvend/pkg/client"
)

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
		if e.Allow != "" {
			w.Header().Set("Allow", e.Allow)
		}
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
func requestOf(r *http.Request) (api.Request, error) {
	body, err := io.ReadAll(io.LimitReader(r.Body, api.MaxBody+1))
	if err != nil {
		return api.Request{}, &api.Error{Code: api.InvalidRequest, Detail: "the body: it broke off"}
	}
	route, ok := api.Operations().Route(r.URL.Path)
	if !ok {
		return api.Request{}, &api.Error{Code: api.UnknownCredential, Detail: "the path: expected /tokens/NAME"}
	}
	return route.Decode(r.Method, r.URL.RawQuery, body)
}

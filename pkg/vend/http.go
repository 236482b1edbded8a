package vend

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strconv"

	"github.com/tokenvend/tokenvend/pkg/access"
	"github.com/tokenvend/tokenvend/pkg/api"
	"github.com/tokenvend/tokenvend/pkg/credential"
	"github.com/tokenvend/tokenvend/pkg/eventbridge"
)

// MaxBody is the largest body of a request, in bytes.
const MaxBody = api.MaxBody

// HTTPRequest is a request as it arrived over HTTP, by API Gateway or another
// server.
type HTTPRequest struct {
	Method    string
	Path      string // as received, without the stage, not decoded
	Query     string // as received, without the question mark
	Body      []byte // no longer than MaxBody+1 is needed to refuse it
	Caller    access.Caller
	RequestID string
}

// HTTPReply is the answer to an [HTTPRequest].
type HTTPReply struct {
	Status int
	Header map[string]string // by names as they are sent; may be shared by several answers
	Body   []byte            // JSON
}

// HTTP answers a request over HTTP.
func (s *Service) HTTP(ctx context.Context, r HTTPRequest) HTTPReply {
	request, err := r.request()
	if err != nil && eventbridge.IsPing(r.Body) {
		return HTTPReply{Status: http.StatusNoContent}
	}
	if err != nil {
		return errorReply(s.refuse(ctx, Call{Caller: r.Caller, Request: request, RequestID: r.RequestID}, err))
	}
	answer, err := s.Answer(ctx, Call{Caller: r.Caller, Request: request, RequestID: r.RequestID})
	if err != nil {
		return errorReply(err)
	}
	return reply(http.StatusOK, answerHeader, answer)
}

// request decodes the request. With an error the result holds the credential,
// if the path names one.
func (r HTTPRequest) request() (api.Request, error) {
	route, ok := api.Operations().Route(r.Path)
	if !ok || route.Credential != "" && !credential.ValidName(route.Credential) {
		return api.Request{}, &api.Error{Code: api.UnknownCredential, Detail: "the path: expected /tokens/NAME"}
	}
	request, err := route.Decode(r.Method, r.Query, r.Body)
	if err != nil {
		return api.Request{Credential: route.Credential}, err
	}
	return request, nil
}

// answerHeader is the header of every answer that is no error. It must not be
// changed.
var answerHeader = uncached("application/json")

// uncached returns the header of an answer that must not be cached.
func uncached(mediaType string) map[string]string {
	return map[string]string{
		"Content-Type": mediaType, "Cache-Control": "no-store", "Pragma": "no-cache",
		"X-Content-Type-Options": "nosniff",
	}
}

func reply(status int, header map[string]string, body any) HTTPReply {
	encoded, err := encode(body)
	if err != nil {
		status, header = http.StatusInternalServerError, uncached(api.ProblemType)
		encoded = []byte(`{"type":"urn:tokenvend:error:internal","status":500,"code":"internal"}`)
	}
	return HTTPReply{Status: status, Body: encoded, Header: header}
}

// encode returns an answer in JSON.
func encode(answer any) ([]byte, error) {
	if t, ok := answer.(api.Token); ok {
		return t.AppendJSON(make([]byte, 0, len(t.AccessToken)+len(t.Scope)+250)), nil
	}
	return json.Marshal(answer)
}

func errorReply(err error) HTTPReply {
	problem := &api.Error{Code: api.Internal}
	errors.As(err, &problem)
	r := reply(problem.Code.Status(), uncached(api.ProblemType), problem)
	if problem.Allow != "" {
		r.Header["Allow"] = problem.Allow
	}
	if s := problem.RetrySeconds(); s > 0 {
		r.Header["Retry-After"] = strconv.Itoa(s)
	}
	return r
}

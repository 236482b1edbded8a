package agent

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strconv"

	"github.com/tokenvend/tokenvend/pkg/api"
	"github.com/tokenvend/tokenvend/pkg/client"
)

// Unavailable is the code of an error that is not tokenvend's: no answer came
// from it. Its status is 503.
const Unavailable api.Code = "tokenvend_unavailable"

// writeError writes a problem document (RFC 9457).
func writeError(w http.ResponseWriter, err error) {
	e := problemOf(err)
	status, document := e.Code.Status(), any(e)
	if e.Code == Unavailable {
		status, document = http.StatusServiceUnavailable, unavailable(e)
	}
	text, err := json.Marshal(document)
	if err != nil {
		status, text = http.StatusInternalServerError, nil
	}
	h := w.Header()
	h.Set("Content-Type", api.ProblemType)
	if e.Allow != "" {
		h.Set("Allow", e.Allow)
	}
	if s := e.RetrySeconds(); s > 0 {
		h.Set("Retry-After", strconv.Itoa(s))
	}
	w.WriteHeader(status)
	_, _ = w.Write(text) // an error means that nobody listens
}

// problemOf returns an error for callers. One of tokenvend's is passed on; of
// any other, the text of package client is: it quotes no answer.
func problemOf(err error) *api.Error {
	if e, ok := errors.AsType[*api.Error](err); ok {
		return e
	}
	if e, ok := errors.AsType[*client.GatewayError](err); ok && isRefusal(e.Status) {
		return &api.Error{Code: api.AccessDenied, Detail: e.Error()}
	}
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return &api.Error{Code: Unavailable, Detail: "no answer from tokenvend in time"}
	}
	return &api.Error{Code: Unavailable, Detail: err.Error()}
}

func isRefusal(status int) bool {
	return status == http.StatusUnauthorized || status == http.StatusForbidden
}

// unavailable returns the problem document of an [Unavailable], which is not
// one of the API's codes.
func unavailable(e *api.Error) any {
	return struct {
		Type   string   `json:"type"`
		Title  string   `json:"title"`
		Status int      `json:"status"`
		Detail string   `json:"detail"`
		Code   api.Code `json:"code"`
	}{
		"urn:tokenvend:error:" + string(e.Code), "tokenvend can't be asked now", http.StatusServiceUnavailable,
		e.Detail, e.Code,
	}
}

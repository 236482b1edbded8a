package signed

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/tokenvend/tokenvend/pkg/api"
	"github.com/tokenvend/tokenvend/pkg/client"
)

// message is a request as the API takes it.
type message struct {
	method, path, query string
	body                []byte // nil: none
}

// messageOf returns how the API takes a request.
func messageOf(r api.Request) (message, error) {
	path := "/tokens/" + url.PathEscape(r.Credential)
	switch r.Action {
	case "", api.Vend:
		if r.Rejected != "" {
			return withBody(http.MethodPost, path, r)
		}
		return message{method: http.MethodGet, path: path, query: query(r)}, nil
	case api.Status:
		return message{method: http.MethodGet, path: path + "/status", query: query(r)}, nil
	case api.Authorize:
		return message{method: http.MethodGet, path: path + "/authorize", query: query(r)}, nil
	case api.Revoke:
		return message{method: http.MethodDelete, path: path, query: query(r)}, nil
	case api.Renew:
		r.Renew = true // an action has no path of its own
		return withBody(http.MethodPut, path, r)
	case api.Connect, api.Recover, api.Accept:
		return withBody(http.MethodPut, path, r)
	case api.List:
		return message{method: http.MethodGet, path: "/tokens", query: query(r)}, nil
	}
	return message{}, errors.New("tokenvend: an action that the API does not have")
}

func withBody(method, path string, r api.Request) (message, error) {
	r.Action, r.Credential = "", "" // the method and the path say it
	body, err := json.Marshal(r)
	return message{method: method, path: path, body: body}, err
}

// query returns a request's parameters. SigV4 has no + for a space.
func query(r api.Request) string {
	q := url.Values{}
	for name, value := range map[string]string{
		"scope": r.Scope, "audience": r.Audience, "account": r.Account, "after": r.After, "redirect_uri": r.RedirectURI,
	} {
		if value != "" {
			q.Set(name, value)
		}
	}
	if r.MinTTL > 0 {
		q.Set("min_ttl", strconv.Itoa(int(time.Duration(r.MinTTL)/time.Second)))
	}
	if r.Limit > 0 {
		q.Set("limit", strconv.Itoa(r.Limit))
	}
	if r.Verify {
		q.Set("verify", "true")
	}
	return strings.ReplaceAll(q.Encode(), "+", "%20")
}

// refusal returns the error of an answer that is none. Nothing of a body but a
// problem's own fields gets into it: it may hold a token.
func refusal(answer *http.Response, data []byte) error {
	problem := &api.Error{}
	if json.Unmarshal(data, problem) == nil && problem.Code != "" {
		problem.Allow = answer.Header.Get("Allow")
		return problem
	}
	e := &client.GatewayError{Status: answer.StatusCode, Kind: answer.Header.Get("X-Amzn-Errortype")}
	for _, name := range []string{"Apigw-Requestid", "X-Amzn-Requestid"} {
		if e.RequestID == "" {
			e.RequestID = answer.Header.Get(name)
		}
	}
	return e
}

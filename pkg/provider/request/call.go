package request

import (
	"bytes"
	"crypto/tls"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"

	"github.com/tokenvend/tokenvend/pkg/descriptor"
	"github.com/tokenvend/tokenvend/pkg/provider/response"
	"github.com/tokenvend/tokenvend/pkg/provider/skew"
)

// Call is one request, built and not yet sent.
type Call struct {
	response.Request

	// Name is the request's in the descriptor: "token" for each token request,
	// "steps.NAME", "then", "revoke" or "verify".
	Name   string
	Method string
	URL    *url.URL
	Header http.Header
	Body   []byte
	Cert   *tls.Certificate // for auth tls; nil means none
	Clock  skew.Skew        // of the provider

	// Replay reports whether the request may use a kept connection, and may be
	// sent once more where that connection is dead.
	Replay bool
	// Signed reports whether the request holds an assertion, whose times are of
	// Clock.
	Signed bool

	params map[string]any
}

// set sets a standard parameter under the provider's name for it. It returns
// false where the provider has none.
func (q *Call) set(r descriptor.Request, f descriptor.Field, value string) bool {
	name := r.ParamName(f)
	if name == "" {
		return false
	}
	q.params[name] = value
	return true
}

// maskValue masks a configured value: any may be a secret.
func (q *Call) maskValue(value any) {
	switch value := value.(type) {
	case string:
		q.Mask.AddValue(value)
	case json.Number:
		q.Mask.AddValue(value.String())
	case []any:
		for _, item := range value {
			q.maskValue(item)
		}
	case map[string]any:
		for _, item := range value {
			q.maskValue(item)
		}
	}
}

// maskQuery masks the parameters of the configured URL.
func (q *Call) maskQuery() {
	for _, values := range q.URL.Query() {
		for _, value := range values {
			q.Mask.AddValue(value)
		}
	}
}

// encode writes the parameters where the provider expects them.
func (q *Call) encode(b descriptor.Body) {
	switch b {
	case descriptor.BodyJSON:
		var buf bytes.Buffer
		enc := json.NewEncoder(&buf)
		enc.SetEscapeHTML(false)
		_ = enc.Encode(q.params) // values of JSON: cannot fail
		q.Body = bytes.TrimSpace(buf.Bytes())
		q.setContentType("application/json")
	case descriptor.BodyQuery:
		u := *q.URL
		u.RawQuery = strings.TrimPrefix(u.RawQuery+"&"+q.form().Encode(), "&")
		u.RawQuery = strings.TrimSuffix(u.RawQuery, "&")
		q.URL = &u
	default:
		q.Body = []byte(q.form().Encode())
		q.setContentType("application/x-www-form-urlencoded")
	}
}

// setContentType sets the header field where the descriptor has none.
func (q *Call) setContentType(usual string) {
	if q.Header.Get("Content-Type") == "" {
		q.Header.Set("Content-Type", usual)
	}
}

// form returns the parameters as those of a form or a query.
func (q *Call) form() url.Values {
	form := url.Values{}
	for name, value := range q.params {
		items, several := value.([]any)
		if !several {
			items = []any{value}
		}
		for _, item := range items {
			form.Add(name, formText(item))
		}
	}
	return form
}

func formText(value any) string {
	if text, ok := value.(string); ok {
		return text
	}
	text, _ := json.Marshal(value) // a value of JSON: cannot fail
	return string(text)
}

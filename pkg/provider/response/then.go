package response

import (
	"github.com/tokenvend/tokenvend/pkg/provider/body"
	"github.com/tokenvend/tokenvend/pkg/provider/expiry"
	"github.com/tokenvend/tokenvend/pkg/provider/refusal"
	"github.com/tokenvend/tokenvend/pkg/redact"
)

// Then completes a token response by the answer to the request that follows it.
// Beside an error, the refresh token of the token response is returned: the old
// one may be spent.
func (q *Request) Then(m Message, resp TokenResponse) (TokenResponse, *Error) {
	q.Mask.Add(resp.Refresh.Reveal())
	if m.Status/100 != 2 {
		return resp.WithoutToken(), q.Error(m)
	}
	then := q.Descriptor.Then
	doc, _, syntax := m.Body.Document()
	v := body.Values{Document: doc, Header: m.Header}
	q.maskTokens(v)
	q.maskExtra(v, then.Extra)
	said := refusal.Read(q.Descriptor, v)
	problem := m.Body.Problem(q.code)
	if problem == "" && then.Access != "" {
		problem = q.readThen(v, m, &resp)
	}
	hasNothing := problem != "" || then.Access == "" && !holdsAny(v, then.Extra)
	switch {
	case said.Business != "", said.Given && hasNothing:
		return resp.WithoutToken(), q.classify(m.Status, said)
	case problem != "" && syntax != "":
		return resp.WithoutToken(), unusable(m, syntax)
	case problem != "":
		return resp.WithoutToken(), unusable(m, problem)
	}
	q.readExtra(v, then.Extra, &resp)
	return resp, nil
}

// holdsAny reports whether one of the places has a value.
func holdsAny(v body.Values, places map[string]string) bool {
	for _, at := range places {
		if text, _ := body.AsText(v.Lookup(at)); text != "" {
			return true
		}
	}
	return false
}

// AfterToken marks an error as one of the request that follows the token
// request. It says nothing of the code or the refresh token, which was
// redeemed, nor of the client, which has obtained a token.
func (e *Error) AfterToken() *Error {
	e.Redeemed, e.Meaning = true, ""
	if e.Kind == Rejected && e.Client {
		e.Client, e.Permanent = false, false
	}
	return e
}

// readThen sets the access token that callers get. problem says why it cannot
// be used; "" means that it can.
func (q *Request) readThen(v body.Values, m Message, resp *TokenResponse) (problem string) {
	then := q.Descriptor.Then
	token := v.Token(then.Access)
	if token == "" {
		return "no access token at " + then.Access
	}
	if problem = unsafeToken(token); problem != "" {
		return "the access token at " + then.Access + " " + problem
	}
	if q.holdsRefresh(token, resp.Refresh) {
		return "the value at " + then.Access + " is a refresh token, or holds one"
	}
	resp.Access, resp.Type, resp.Expiry = redact.New(token), "", expiry.Expiry{}
	if then.Expiry.At != "" {
		var odd expiry.Oddity
		if resp.Expiry, odd = expiry.ReadAt(v.Lookup(then.Expiry.At), then.Expiry, m.At); odd != "" {
			resp.warn("the expiry " + string(odd))
		}
	}
	return ""
}

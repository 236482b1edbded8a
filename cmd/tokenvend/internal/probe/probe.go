// Package probe tries a descriptor: it obtains one token, and describes the
// requests, the answers and what was read of them. No secret is in what it
// returns, and it stores nothing.
package probe

import (
	"context"
	"net/http"

	"github.com/tokenvend/tokenvend/pkg/clock"
	"github.com/tokenvend/tokenvend/pkg/credential"
	"github.com/tokenvend/tokenvend/pkg/descriptor"
	"github.com/tokenvend/tokenvend/pkg/mask"
	"github.com/tokenvend/tokenvend/pkg/provider"
	"github.com/tokenvend/tokenvend/pkg/schedule"
	"github.com/tokenvend/tokenvend/pkg/token"
)

// Result is what became of a probe.
type Result struct {
	Exchanges []Exchange `json:"exchanges"`
	// SelfSigned describes the token of the grant self_signed, for which no
	// request is sent.
	SelfSigned string    `json:"self_signed,omitempty"`
	Read       []Reading `json:"read"`
	Warnings   []string  `json:"warnings,omitempty"`
	Problem    string    `json:"problem,omitempty"` // why there is no token
}

// CanProbe reports whether the tokens of a credential need nothing but the
// client itself. Others need a user, or a refresh token, which may be usable
// once.
func CanProbe(c credential.Credential) bool { return c.Strategy(token.Variant{}).Direct != "" }

// Run obtains one token. err is why there is none.
func Run(ctx context.Context, c credential.Credential, hc *http.Client) (result Result, err error) {
	d, err := c.ProviderDescriptor()
	if err != nil {
		return Result{}, err
	}
	request := provider.TokenRequest{Grant: c.Strategy(token.Variant{}).Direct}
	request.Scope, request.Audience = c.ScopeAndAudience(token.Variant{})
	result.Exchanges, result.SelfSigned = requests(d, c.Client, request)

	answers, secrets := map[string]provider.Message{}, &mask.Set{}
	endpoint := provider.Endpoint{
		Descriptor: d, Client: c.Client, HTTP: hc,
		// A token request may be sent twice, by another clock: the last answer
		// counts. The last request has the secrets of those before it.
		Observe: func(q *provider.Call, m provider.Message) { answers[q.Name], secrets = m, &q.Mask },
	}
	response, err := endpoint.Exchange(ctx, request)
	if err == nil && !lives(response) {
		err = &provider.Error{Kind: provider.Malformed, Description: "the token was over when it came"}
	}
	result.addAnswers(answers, secrets)
	result.Read, result.Warnings = stepReadings(d, answers), response.Warnings
	switch {
	case err != nil && response.Access.IsZero():
		result.Read = append(result.Read, errorReadings(d.Response, err)...)
	case request.Grant == descriptor.SelfSigned:
		result.Read = append(result.Read, selfSignedReadings(response)...)
	default:
		result.Read = append(result.Read, readings(d, response, answers["token"])...)
		result.Read = append(result.Read, thenReadings(d.Then, response, answers["then"])...)
	}
	if err != nil {
		result.Problem = err.Error()
	}
	return result, err
}

// lives reports whether a token could be vended: one that has ended is not.
func lives(r provider.TokenResponse) bool {
	return schedule.Token(r, schedule.Rules{}, schedule.Jitter{}).Expires.After(clock.Now())
}

// addAnswers adds the answers to their requests.
func (r *Result) addAnswers(answers map[string]provider.Message, secrets *mask.Set) {
	for i, x := range r.Exchanges {
		if m, ok := answers[x.name]; ok {
			answer := describe(m, secrets)
			r.Exchanges[i].Answer = &answer
		}
	}
}

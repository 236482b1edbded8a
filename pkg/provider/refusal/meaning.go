package refusal

import (
	"net/http"
	"slices"
	"strings"

	"github.com/tokenvend/tokenvend/pkg/descriptor"
	"github.com/tokenvend/tokenvend/pkg/provider/sentence"
)

// vendorCodes are error codes that vendors use besides those of RFC 6749, in
// lower case. The RFC's own codes about clients are not among them.
var vendorCodes = map[string]descriptor.Meaning{
	"bad_refresh_token":            descriptor.GrantOver, // GitHub, HubSpot
	"invalid_refresh_token":        descriptor.GrantOver, // Slack, Zendesk
	"refresh_token_expired":        descriptor.GrantOver,
	"refresh_token_revoked":        descriptor.GrantOver,
	"expired_refresh_token":        descriptor.GrantOver,
	"refresh_token_reused":         descriptor.GrantOver,     // OpenAI
	"refresh_token_invalidated":    descriptor.GrantOver,     // OpenAI
	"refresh_token_not_found":      descriptor.GrantOver,     // Supabase
	"refresh_token_already_used":   descriptor.GrantOver,     // Supabase
	"incorrect_client_credentials": descriptor.UnknownClient, // GitHub
	"bad_client_id":                descriptor.UnknownClient, // HubSpot
	"bad_client_secret":            descriptor.UnknownClient, // HubSpot, Slack
	"invalid_client_id":            descriptor.UnknownClient, // Slack
	"invalid_client_secret":        descriptor.UnknownClient, // Zoho
	"deleted_client":               descriptor.UnknownClient, // Google
	"disabled_client":              descriptor.UnknownClient, // Google
	"temporarily_unavailable":      descriptor.TryLater,
	"server_error":                 descriptor.TryLater,
	"slow_down":                    descriptor.TryLater,
	"internal_error":               descriptor.TryLater,
	"internal_failure":             descriptor.TryLater,
	"internal_server_error":        descriptor.TryLater,
	"service_unavailable":          descriptor.TryLater,
	"ratelimited":                  descriptor.TryLater, // Slack
	"rate_limited":                 descriptor.TryLater,
	"rate_limit_exceeded":          descriptor.TryLater,
	"too_many_requests":            descriptor.TryLater,
}

// Meaning returns what an error means, and the known code that was found. The
// descriptor's phrases count first, with any status. Known codes count only in
// a 2xx or 4xx: a 5xx with a code is still a failing server.
func (r Refusal) Meaning(own descriptor.Errors, g descriptor.Grant, status int) (descriptor.Meaning, string) {
	if m := r.byDescriptor(own); m != "" {
		return m, ""
	}
	if status/100 != 2 && status/100 != 4 || IsTransient(status) {
		return "", ""
	}
	// hh.ru sends the sentence beside invalid_grant, so it counts first.
	if g == descriptor.RefreshToken && r.anyText(sentence.IsTooEarly) {
		return descriptor.TooEarly, ""
	}
	m, word := r.knownCode(g)
	if m == "" && r.refusesRefreshToken(g, status) {
		m, word = descriptor.GrantOver, "invalid_grant"
	}
	if (m == "" && !isOfRFC6749(r.Code) || m == descriptor.GrantOver) &&
		g == descriptor.RefreshToken && r.anyText(sentence.IsPassing) {
		m = descriptor.TryLater
	}
	return m, word
}

// knownCode returns the meaning of the first known code in a refusal, and that
// code. Beside another code of RFC 6749, a word about the grant does not
// count: it may be part of a sentence.
func (r Refusal) knownCode(g descriptor.Grant) (descriptor.Meaning, string) {
	if r.Code == "invalid_grant" {
		return descriptor.GrantOver, ""
	}
	for _, word := range r.words {
		m := vendorCodes[strings.ToLower(word)]
		if word == "invalid_grant" {
			m = descriptor.GrantOver
		}
		if m == "" || m == descriptor.GrantOver && (g != descriptor.RefreshToken || isOfRFC6749(r.Code)) {
			continue
		}
		return m, word
	}
	return "", ""
}

// isOfRFC6749 reports whether a code is one of RFC 6749 §5.2 or RFC 8707 §2
// that names its cause, and the cause is not the grant. invalid_request names
// none.
func isOfRFC6749(code string) bool {
	return slices.Contains([]string{
		"invalid_client", "unauthorized_client", "unsupported_grant_type", "invalid_scope", "invalid_target",
	}, code)
}

// vagueCodes are in lower case.
var vagueCodes = []string{"", "invalid_request", "invalidrequest", "invalid_token", "bad_request", "badrequest"}

// IsVague reports whether a code says nothing by itself, so that the sentence
// beside it counts.
func IsVague(code string) bool { return slices.Contains(vagueCodes, strings.ToLower(code)) }

// refusesRefreshToken reports whether the sentence of a refusal can only mean
// the refresh token.
func (r Refusal) refusesRefreshToken(g descriptor.Grant, status int) bool {
	switch {
	case g != descriptor.RefreshToken:
		return false
	case r.Code == "unauthorized_client":
		return r.anyText(sentence.PlainlyEndsGrant)
	case status == http.StatusForbidden, status == http.StatusNotFound, !IsVague(r.Code):
		return false
	}
	return r.anyText(sentence.EndsGrant)
}

// anyText reports whether a condition holds for one of the sentences.
func (r Refusal) anyText(holds func(text string) bool) bool {
	return slices.ContainsFunc(append(r.texts, r.Text), holds)
}

// byDescriptor returns the meaning of the first phrase that matches the error.
func (r Refusal) byDescriptor(own descriptor.Errors) descriptor.Meaning {
	for meaning, phrase := range own.Phrases() {
		if r.has(phrase) {
			return meaning
		}
	}
	return ""
}

// has reports whether an error has a code, or the phrase in one of its texts. A
// number that may be the vendor's own code is not searched for in texts, which
// have other numbers.
func (r Refusal) has(phrase string) bool {
	codes := append(r.words, r.Code, r.Business)
	if slices.ContainsFunc(codes, func(w string) bool { return strings.EqualFold(w, phrase) }) {
		return true
	}
	if descriptor.IsNumber(phrase) && (r.Business != "" || len(phrase) <= 2) {
		return false
	}
	return slices.ContainsFunc(append(r.texts, r.Text), func(text string) bool {
		return strings.Contains(strings.ToLower(text), strings.ToLower(phrase))
	})
}

// IsTransient reports whether a 4xx is about the server at this moment, and not
// about the request.
func IsTransient(status int) bool {
	return slices.Contains([]int{http.StatusRequestTimeout, http.StatusMisdirectedRequest, http.StatusTooEarly}, status)
}

// IsOAuth reports whether an error code is one of OAuth. Gateways and
// frameworks put "Forbidden" and "Unauthorized" in the same field.
func IsOAuth(code string) bool {
	return code != "" && code == strings.ToLower(code) && code != "forbidden"
}

package provider

import (
	"fmt"
	"slices"
	"strings"
)

// Meaning is what a refusal says in the vendor's own words. The zero value
// means that nothing of these is known.
type Meaning string

// The meanings.
const (
	GrantOver     Meaning = "grant_over"     // the refresh token, or the code, works no more
	TooEarly      Meaning = "too_early"      // the access token is not nearly over
	TryLater      Meaning = "try_later"      // the server's own trouble
	UnknownClient Meaning = "unknown_client" // the client id or its secret is wrong
)

// spellings are error codes that vendors use besides those of RFC 6749, in
// lower case. The RFC's own codes for clients are judged by refusesClient.
var spellings = map[string]Meaning{
	"bad_refresh_token":            GrantOver, // GitHub, HubSpot
	"invalid_refresh_token":        GrantOver, // Slack, Zendesk
	"refresh_token_expired":        GrantOver,
	"refresh_token_revoked":        GrantOver,
	"expired_refresh_token":        GrantOver,
	"incorrect_client_credentials": UnknownClient, // GitHub
	"bad_client_id":                UnknownClient, // HubSpot
	"bad_client_secret":            UnknownClient, // HubSpot, Slack
	"invalid_client_id":            UnknownClient, // Slack
	"invalid_client_secret":        UnknownClient, // Zoho
	"deleted_client":               UnknownClient, // Google
	"disabled_client":              UnknownClient, // Google
	"temporarily_unavailable":      TryLater,
	"server_error":                 TryLater,
	"slow_down":                    TryLater,
	"internal_error":               TryLater,
	"internal_failure":             TryLater,
	"internal_server_error":        TryLater,
	"service_unavailable":          TryLater,
	"ratelimited":                  TryLater, // Slack
	"rate_limited":                 TryLater,
	"rate_limit_exceeded":          TryLater,
	"too_many_requests":            TryLater,
}

// meaning returns what a refusal means, and the known code that says so. The
// descriptor's words count first, with any status. Known spellings count only
// in a 2xx or 4xx: a 5xx with a code is still a server in trouble.
func (d *Descriptor) meaning(q *call, status int, said complaint) (Meaning, string) {
	if m := d.Errors.meaning(said); m != "" {
		return m, ""
	}
	if status/100 != 2 && status/100 != 4 || passing(status) {
		return "", ""
	}
	if q.grant == RefreshToken && saysTooEarly(said) { // before the code: hh.ru says it beside invalid_grant
		return TooEarly, ""
	}
	m, word := spelled(q, said)
	if m == "" && refusesRefreshToken(q, status, said) {
		m, word = GrantOver, "invalid_grant"
	}
	if m == GrantOver && q.grant == RefreshToken && saysPassing(said) {
		m = TryLater
	}
	return m, word
}

// spelled returns the meaning of the first known code in a refusal, and that
// code. Beside another code of RFC 6749, a word about the grant does not
// count: it may be part of a sentence.
func spelled(q *call, said complaint) (Meaning, string) {
	if said.code == "invalid_grant" {
		return GrantOver, ""
	}
	for _, word := range said.words {
		m := spellings[strings.ToLower(word)]
		if word == "invalid_grant" {
			m = GrantOver
		}
		if m == "" || m == GrantOver && (q.grant != RefreshToken || isOfRFC6749(said.code)) {
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
	return slices.Contains([]string{"invalid_client", "unauthorized_client", "unsupported_grant_type", "invalid_scope", "invalid_target"}, code)
}

// meaning looks a refusal up among the descriptor's words.
func (e Errors) meaning(said complaint) Meaning {
	for _, list := range e.lists() {
		for _, phrase := range list.phrases {
			if said.has(phrase) {
				return list.meaning
			}
		}
	}
	return ""
}

type phrases struct {
	meaning Meaning
	phrases []string
}

// lists orders the descriptor's words: what costs a person least first.
func (e Errors) lists() []phrases {
	return []phrases{{TooEarly, e.TooEarly}, {TryLater, e.TryLater}, {UnknownClient, e.UnknownClient}, {GrantOver, e.GrantOver}}
}

// has reports whether a complaint names a code, or has the phrase in a text.
func (c complaint) has(phrase string) bool {
	if slices.ContainsFunc(append(c.words, c.code), func(w string) bool { return strings.EqualFold(w, phrase) }) {
		return true
	}
	return slices.ContainsFunc(append(c.texts, c.text), func(text string) bool {
		return strings.Contains(strings.ToLower(text), strings.ToLower(phrase))
	})
}

// longestSpelled is the longest answer that is searched for errors where
// RFC 6749 does not look. Each place costs a pass over the answer.
const longestSpelled = 16 << 10

// spelledErrors returns the codes and the sentences that an answer may carry
// where RFC 6749 does not look: {"status":…,"message":…}, {"errors":[…]}.
func spelledErrors(doc document) (words, texts []string) {
	if len(doc) > longestSpelled {
		return nil, nil
	}
	add := func(text string) {
		if text != "" {
			word, _, _ := strings.Cut(strings.TrimSpace(text), " ")
			words, texts = append(words, strings.TrimRight(word, ":,;.")), append(texts, text)
		}
	}
	for _, at := range spelledAt {
		text, _ := lookup(doc, at).(string)
		add(text)
	}
	if _, isObject := lookup(doc, "/errors/0").(document); !isObject {
		return words, texts
	}
	var all []string
	for _, name := range []string{"errorType", "type", "resource", "field", "code", "error", "message", "detail"} {
		if text, ok := lookup(doc, "/errors/0/"+name).(string); ok {
			add(text)
			all = append(all, text)
		}
	}
	add(strings.Join(all, " "))
	return words, texts
}

// spelledAt are the places of error codes and of their descriptions.
var spelledAt = []string{
	"/error", "/error/code", "/error/type", "/errorCode", "/error_code", "/code", "/status", "/errorType",
	"/message", "/error/message", "/error_description", "/errors/0",
}

// validate refuses words that would match nearly anything.
func (e Errors) validate(p *problems) {
	const shortest, longest = 3, 100
	seen := map[string]Meaning{}
	for _, list := range e.lists() {
		for i, phrase := range list.phrases {
			path := fmt.Sprintf("errors.%s[%d]", list.meaning, i)
			if len(phrase) < shortest || len(phrase) > longest {
				p.add(path, "expected %d to %d characters", shortest, longest)
			}
			if other, twice := seen[strings.ToLower(phrase)]; twice && other != list.meaning {
				p.add(path, "stands in errors.%s too", other)
			}
			seen[strings.ToLower(phrase)] = list.meaning
		}
	}
}

package response

import (
	"net/http"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/tokenvend/tokenvend/pkg/descriptor"
)

// This file reads what a refusal says in a sentence. To take a living grant
// for dead is the worst mistake: a person has to connect the account again. To
// take a dead one for living costs a request now and then. So a sentence has
// to be plain.

// tooEarlyText is how vendors say in a sentence that a refresh came too early:
// Exact Online "access_token not expired", hh.ru "token not expired".
var tooEarlyText = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`(?i)\b(access[ _-]?)?token (is |has )?(not|still not) (yet )?expired|` +
		`access[ _-]?token is still valid`)
})

// passingText is how vendors say that they refuse for now, also beside
// invalid_grant: Salesforce "login rate exceeded" and "ip restricted", Entra ID
// AADSTS50196 (a request loop), AADSTS90033 (a transient error), AADSTS90025
// and AADSTS50053 (a locked account, a blocked address), Cognito any fault of a
// trigger of the client's, WSO2 one of its database.
var passingText = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`(?i)\brate (limit )?exceeded|\brate[ -]?limit(ed|ing)?\b|` +
		`\btoo[ _]?many[ _]?(requests|attempts)|throttl|\btransient\b|\btemporar(y|ily)\b|` +
		`\b(try|retry|attempt) (it )?(again )?(later|after|in)\b|\bconcurrent(ly)?\b|\bin progress\b|` +
		`\b(being|already) (used by another|processed)|` +
		`\b(service|server) (is )?(currently )?(not available|unavailable|(too )?busy)|` +
		`maintenance|\boverload(ed)?\b|\brequest loop\b|` +
		`\b(internal|unexpected) (server )?error\b|\berror occurred\b|\bdatabase\b|\bpretokengeneration\b|` +
		`\bretry your request\b|\bgateway allowance\b|\baccount is locked\b|\bmalicious activity\b|` +
		`\bip restricted\b|\blogin hours\b`)
})

// These match a sentence about a refresh token that works no more, as Dex,
// Apigee and Strava write it. One about the request's form, the grant type, the
// server's own trouble or trying again says something else.
var (
	namesRefreshToken = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`(?i)refresh[ _-]?token`) })
	saysDead          = sync.OnceValue(func() *regexp.Regexp {
		return regexp.MustCompile(`(?i)\b(invalid|expired|revoked|claimed|used|consumed|unknown|not valid|` +
			`not found|no longer|does not exist)\b`)
	})
	saysOtherwise = sync.OnceValue(func() *regexp.Regexp {
		return regexp.MustCompile(`(?i)\b(missing|required|must|parameter|malformed|header|format|type|` +
			`grant([ _-]?type)?|scopes?|client[ _](id|secret|credentials|authentication)|` +
			`unsupported|again|later|temporarily|retry|wait|minutes?|seconds?|timeout|timed out|not (yet |` +
			`been )?used|not yet|being|currently|in use|quota|limit|` +
			`errors?|fail(s|ed|ure)?|internal|server|service|upstream|database|connection|response|` +
			`unavailable|maintenance)\b`)
	})
	// plainlyDead is the whole of a sentence beside a code that says something
	// else: Atlassian "refresh_token is invalid" with unauthorized_client.
	plainlyDead = sync.OnceValue(func() *regexp.Regexp {
		return regexp.MustCompile(`(?i)^(the )?(provided |given )?refresh[ _-]?token (is |was |has been |` +
			`has )?(invalid|expired|revoked|not valid)[.!]?$`)
	})
)

// vagueCodes are codes that say nothing by themselves, so that the sentence
// beside them counts.
var vagueCodes = []string{"", "invalid_request", "invalidrequest", "invalid_token", "bad_request", "badrequest"}

// refusesRefreshToken reports whether the sentence of a refusal can only mean
// the refresh token.
func refusesRefreshToken(q *Request, status int, said oauthError) bool {
	switch {
	case q.Grant != descriptor.RefreshToken:
		return false
	case said.code == "unauthorized_client":
		return said.anyText(plainlyDead())
	case status == http.StatusForbidden, status == http.StatusNotFound,
		!slices.Contains(vagueCodes, strings.ToLower(said.code)):
		return false
	}
	return slices.ContainsFunc(append(said.texts, said.text), func(text string) bool {
		return len(text) <= maxSentence && namesRefreshToken().MatchString(text) && saysDead().MatchString(text) &&
			!saysOtherwise().MatchString(text)
	})
}

// maxSentence is how much of a sentence is searched, in bytes: a search costs
// much, and what is longer is no sentence.
const maxSentence = 2 << 10

// anyText reports whether one of the sentences matches.
func (e oauthError) anyText(pattern *regexp.Regexp) bool {
	return slices.ContainsFunc(append(e.texts, e.text), func(text string) bool {
		return pattern.MatchString(text[:min(len(text), maxSentence)])
	})
}

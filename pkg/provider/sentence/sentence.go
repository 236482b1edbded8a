// Package sentence reads what a refusal of a token endpoint says in a sentence.
// To take a living grant for dead is the worst mistake: a person has to connect
// the account again. To take a dead one for living costs a request now and
// then. So a sentence has to be plain.
package sentence

import (
	"regexp"
	"sync"
)

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

// longest is how much of a sentence is searched, in bytes: a search costs much,
// and what is longer is no sentence.
const longest = 2 << 10

func matches(pattern *regexp.Regexp, text string) bool {
	return pattern.MatchString(text[:min(len(text), longest)])
}

// IsTooEarly reports whether a text says that a refresh came too early.
func IsTooEarly(text string) bool { return matches(tooEarlyText(), text) }

// IsPassing reports whether a text says that the server refuses for now.
func IsPassing(text string) bool { return matches(passingText(), text) }

// EndsGrant reports whether a text can only mean that the refresh token works
// no more.
func EndsGrant(text string) bool {
	return len(text) <= longest && namesRefreshToken().MatchString(text) && saysDead().MatchString(text) &&
		!saysOtherwise().MatchString(text)
}

// PlainlyEndsGrant reports whether the whole of a text says so: then it counts
// beside a code that says something else.
func PlainlyEndsGrant(text string) bool { return matches(plainlyDead(), text) }

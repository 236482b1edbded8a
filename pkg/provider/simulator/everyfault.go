package simulator

import (
	"maps"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// EveryFault returns faults of every kind, by name. echoed is the text that
// careless servers repeat of the request; token is in responses that must not
// be accepted. Both must need no escape in a JSON string.
func EveryFault(echoed, token string) map[string]Fault {
	all := errorFaults(echoed)
	maps.Copy(all, incomplete(token))
	maps.Copy(all, badTokens(token))
	return all
}

// errorFaults returns error responses, of OAuth and others.
func errorFaults(echoed string) map[string]Fault {
	all := map[string]Fault{
		"no more client": {
			Status: 401,
			Body:   `{"error":"invalid_client","error_description":"no client with secret ` + echoed + `"}`,
		},
		"told as the error": {Status: 400, Body: `{"error":"` + echoed + `"}`},
		"told as an object": {
			Status: 400,
			Body:   `{"error":{"code":"` + echoed + `","message":"you sent ` + echoed + `"}}`,
		},
		"told as Monta does": {
			Status: 400,
			Body:   `{"status":"BAD_REQUEST","message":"` + echoed + `","errorCode":"` + echoed + `"}`,
		},
		"forbidden": {Status: 403, Body: `{"error":"access_denied","error_description":"` + echoed + `"}`},
		"an error with 200": {
			Body: `{"error":"invalid_grant","error_description":"` + echoed + `","access_token":"` + echoed + `"}`,
		},
		"a firewall":            {Status: 403, HTML: true},
		"too many":              {Status: 429, Body: echoed, RetryAfter: time.Second},
		"too many until a date": {Status: 429, RetryAfter: time.Second, RetryDate: true},
		"a limit that is told": {
			Status: 400,
			Header: map[string]string{"RateLimit-Remaining": "0", "RateLimit-Reset": echoed},
		},
		"a WWW-Authenticate": {
			Status: 401,
			Header: map[string]string{"WWW-Authenticate": `Basic realm="` + echoed + `"`},
		},
		"a description for ever": {
			Status: 400,
			Body:   `{"error":"invalid_scope","error_description":"` + strings.Repeat(echoed+" ", 50) + `"}`,
		},
	}
	for _, status := range []int{500, 502, 503, 504} {
		all[strconv.Itoa(status)] = Fault{Status: status, Body: echoed}
	}
	for _, status := range []int{http.StatusMovedPermanently, http.StatusFound, http.StatusSeeOther,
		http.StatusTemporaryRedirect, http.StatusPermanentRedirect} {
		all["redirect "+strconv.Itoa(status)] = Fault{
			Status:   status,
			Redirect: "https://elsewhere.test/" + echoed + "?secret=" + echoed,
			Body:     echoed,
		}
	}
	return all
}

// incomplete returns responses that do not arrive, or only in part.
func incomplete(token string) map[string]Fault {
	return map[string]Fault{
		"a page":             {HTML: true},
		"nothing":            {Status: 200, ContentType: "text/plain"},
		"no content":         {Status: 204},
		"an empty object":    {Body: `{}`},
		"a list":             {Body: `["` + token + `"]`},
		"no JSON":            {Body: token},
		"JSON cut short":     {Body: `{"access_token":"` + token},
		"bytes that follow":  {Body: `{"access_token":"` + token + `","expires_in":60} ` + token},
		"cut":                {Cut: true},
		"dropped":            {Drop: true},
		"dropped afterwards": {Drop: true, Late: true},
		"down":               {Down: true},
		"a hanging server":   {Delay: time.Minute},
		"a slow drip":        {Drip: time.Minute},
		"2 MiB":              {Pad: 2 << 20},
		"a strange header":   {Header: map[string]string{"X-Token": token, "Date": token}},
		"another type":       {ContentType: "text/html"},
	}
}

// badTokens returns token responses that must not be accepted, or not as they
// are.
func badTokens(token string) map[string]Fault {
	quoted := `"` + token + `"`
	access := func(value string) map[string]string {
		return map[string]string{"access_token": value, "accessToken": value}
	}
	return map[string]Fault{
		"a token that splits a header": {Set: access(`"` + token + `\r\nX: y"`)},
		"a token in other letters":     {Set: access(`"` + token + `é"`)},
		"a token in a list":            {Set: access(`[` + quoted + `]`)},
		"a number for a token":         {Set: access(`7`)},
		"no token":                     {Set: access(Omit)},
		"a refresh token that splits": {
			Set: map[string]string{"refresh_token": `"` + token + `\n"`, "refreshToken": `"` + token + `\n"`},
		},
		"another token type":     {Set: map[string]string{"token_type": quoted}},
		"another scope":          {Set: map[string]string{"scope": `"less"`}},
		"a token for a lifetime": {Expiry: quoted},
		"no lifetime":            {Expiry: Omit},
		"a lifetime of null":     {Expiry: `null`},
		"a token that is over":   {Expiry: `0`},
		"a negative lifetime":    {Expiry: `-1`},
		"an absurd lifetime":     {Expiry: `1e300`},
		"the same token":         {Same: true},
		"a token that kills":     {Overlap: OverlapRevokes},
		"a refused reuse":        {Reuse: Refused},
		"a reuse that kills":     {Reuse: RevokesFamily},
		"a clock that is off":    {Skew: time.Hour},
	}
}

// IssuedTokens returns every access and refresh token that the provider issued
// and still knows; none for an unknown provider.
func (s *Simulator) IssuedTokens(name string) (tokens []string) {
	_ = s.with(name, func(p *provider) { // an unknown provider issued none
		tokens = append(append(tokens, p.accessTokens.order...), p.refreshTokens.order...)
	})
	return tokens
}

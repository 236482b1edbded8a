package simulator

import (
	"maps"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// EveryFault returns faults of every kind, by a name for each: what a provider can do wrong. Told stands wherever a careless server repeats what it was sent, and token in answers that must not be taken. Both must be fit for a JSON string as they are.
func EveryFault(told, token string) map[string]Fault {
	all := refusals(told)
	maps.Copy(all, unfinished(token))
	maps.Copy(all, spoilt(token))
	return all
}

// refusals are errors, OAuth's and others'.
func refusals(told string) map[string]Fault {
	all := map[string]Fault{
		"no more client":         {Status: 401, Body: `{"error":"invalid_client","error_description":"no client with secret ` + told + `"}`},
		"told as the error":      {Status: 400, Body: `{"error":"` + told + `"}`},
		"told as an object":      {Status: 400, Body: `{"error":{"code":"` + told + `","message":"you sent ` + told + `"}}`},
		"told as Monta does":     {Status: 400, Body: `{"status":"BAD_REQUEST","message":"` + told + `","errorCode":"` + told + `"}`},
		"forbidden":              {Status: 403, Body: `{"error":"access_denied","error_description":"` + told + `"}`},
		"an error with 200":      {Body: `{"error":"invalid_grant","error_description":"` + told + `","access_token":"` + told + `"}`},
		"a firewall":             {Status: 403, HTML: true},
		"too many":               {Status: 429, Body: told, RetryAfter: time.Second},
		"too many until a date":  {Status: 429, RetryAfter: time.Second, RetryDate: true},
		"a limit that is told":   {Status: 400, Header: map[string]string{"RateLimit-Remaining": "0", "RateLimit-Reset": told}},
		"a WWW-Authenticate":     {Status: 401, Header: map[string]string{"WWW-Authenticate": `Basic realm="` + told + `"`}},
		"a description for ever": {Status: 400, Body: `{"error":"invalid_scope","error_description":"` + strings.Repeat(told+" ", 50) + `"}`},
	}
	for _, status := range []int{500, 502, 503, 504} {
		all[strconv.Itoa(status)] = Fault{Status: status, Body: told}
	}
	for _, status := range []int{http.StatusMovedPermanently, http.StatusFound, http.StatusSeeOther, http.StatusTemporaryRedirect, http.StatusPermanentRedirect} {
		all["redirect "+strconv.Itoa(status)] = Fault{Status: status, Redirect: "https://elsewhere.test/" + told + "?secret=" + told, Body: told}
	}
	return all
}

// unfinished are answers that do not arrive, or not as they should.
func unfinished(token string) map[string]Fault {
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

// spoilt are tokens that must not be taken, or not as they come.
func spoilt(token string) map[string]Fault {
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
		"a refresh token that splits":  {Set: map[string]string{"refresh_token": `"` + token + `\n"`, "refreshToken": `"` + token + `\n"`}},
		"another token type":           {Set: map[string]string{"token_type": quoted}},
		"another scope":                {Set: map[string]string{"scope": `"less"`}},
		"a token for a lifetime":       {Expiry: quoted},
		"no lifetime":                  {Expiry: Omit},
		"a lifetime of null":           {Expiry: `null`},
		"a token that is over":         {Expiry: `0`},
		"a negative lifetime":          {Expiry: `-1`},
		"an absurd lifetime":           {Expiry: `1e300`},
		"the same token":               {Same: true},
		"a token that kills":           {Overlap: OverlapRevokes},
		"a refused reuse":              {Reuse: Refused},
		"a reuse that kills":           {Reuse: RevokesFamily},
		"a clock that is off":          {Skew: time.Hour},
	}
}

// IssuedTokens returns every access and refresh token that the provider has issued and not forgotten; none for an unknown provider.
func (s *Simulator) IssuedTokens(name string) (tokens []string) {
	_ = s.with(name, func(p *provider) { // an unknown one has issued none
		tokens = append(append(tokens, p.accesses.order...), p.refreshs.order...)
	})
	return tokens
}

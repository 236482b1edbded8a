// Package report prints the status of a token.
package report

import (
	"cmp"
	"fmt"
	"time"

	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/clierror"
	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/command"
	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/hint"
	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/terminal"
	"github.com/tokenvend/tokenvend/pkg/api"
)

// Print prints a status in the format that was chosen.
func Print(c terminal.Console, o command.Output, r api.StatusReport, commands hint.Commands) error {
	return o.Print(c, r, func() error { return c.Table(Rows(r, commands, time.Now())) })
}

var meanings = map[api.State]string{
	api.Fresh:       "a living token",
	api.Stale:       "past its time to renew",
	api.Failing:     "no living token, and the last attempt failed",
	api.Reauthorize: "the account has to be connected again",
	api.Revoking:    "forgotten here, not yet revoked at the provider",

	api.DestinationChanged: "the secret names other endpoints than those where the grant was given",

	api.Idle: "no requests: it is renewed with the next one",
	api.Gone: "its secret was removed",
	api.None: "no token yet: it is obtained with the first request",
}

// Meaning returns what the state of a token means.
func Meaning(r api.StatusReport) string {
	if r.State == api.None && r.Account != "" {
		return "the account is not connected"
	}
	return meanings[r.State]
}

// Rows returns a status as rows of a label and a value. What is not known has
// no row.
func Rows(r api.StatusReport, commands hint.Commands, now time.Time) [][]string {
	rows := [][]string{{"credential", r.Credential}, {"provider", r.Provider}}
	add := func(label, value string) {
		if value != "" {
			rows = append(rows, []string{label, value})
		}
	}
	add("account", r.Account)
	add("audience", r.Audience)
	add("scope", r.Scope)
	add("state", fmt.Sprintf("%s (%s)", r.State, Meaning(r)))
	add("verified", Verified(r.Verified))
	add("generation", fmt.Sprint(r.Generation))
	add("fingerprint", r.Fingerprint)
	add("expires", relative(r.ExpiresAt, now))
	add("renews", relative(r.NextAt, now))
	add("grant until", relative(r.GrantUntil, now))
	add("asked for", lastRequest(r.AskedAt, now))
	if r.Quota != nil {
		add("quota", r.Quota.String())
	}
	if f := r.Failure; f != nil {
		add("failure", fmt.Sprintf("%s: %s", clierror.Uncapitalize(f.Code.Title()), commands.Complete(f.Detail)))
		add("failing since", fmt.Sprintf("%s, %d in a row", relative(f.Since, now), f.Count))
		add("next attempt", relative(f.RetryAt, now))
	}
	for _, change := range r.Changes {
		add("changed", change.Part+": "+cmp.Or(change.Old, "nothing")+" became "+cmp.Or(change.New, "nothing"))
	}
	add("warning", r.Warning)
	for _, warning := range r.Warnings {
		add("warning", warning)
	}
	add("what to do", Remedy(r, commands))
	return rows
}

// Verified returns what the provider answered about the token; "" where it was
// not asked.
func Verified(v *api.Verified) string {
	switch {
	case v == nil:
		return ""
	case v.Works:
		return "the provider takes the token"
	}
	return "the provider does not take the token"
}

// needsUser reports whether a user has to authorize for the next token.
func needsUser(r api.StatusReport) bool {
	return r.State == api.Reauthorize || r.State == api.None && r.Account != ""
}

// Remedy returns what to do; "" for nothing.
func Remedy(r api.StatusReport, commands hint.Commands) string {
	switch {
	case r.State == api.DestinationChanged:
		return commands.Token("accept", r.Credential) + ", or " + commands.Token("connect", r.Credential)
	case needsUser(r):
		return commands.Token("connect", r.Credential)
	case r.Failure != nil:
		return clierror.Advice(r.Failure.Code, r.Credential, commands)
	case r.Verified != nil && !r.Verified.Works:
		return commands.Token("renew", r.Credential)
	}
	return ""
}

// relative returns how far a time is from now; "" for the zero time.
func relative(t, now time.Time) string {
	left := t.Sub(now).Truncate(time.Second) // so that no remaining life is overstated
	switch {
	case t.IsZero():
		return ""
	case left > 0:
		return "in " + left.String()
	}
	return (-left).String() + " ago"
}

// lastRequest returns when the last recorded request was. Requests are recorded
// once an hour at most.
func lastRequest(t, now time.Time) string {
	if t.IsZero() {
		return ""
	}
	return relative(t, now) + ", and perhaps since: recorded once an hour"
}

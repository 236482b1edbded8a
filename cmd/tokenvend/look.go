package main

import (
	"cmp"
	"context"
	"flag"
	"fmt"
	"time"

	"github.com/tokenvend/tokenvend/pkg/api"
)

var lsCommand = command{
	name: "ls", does: "Lists the credentials that you may have", example: "tokenvend ls",
	make: func() action { return &ls{} },
}

type ls struct {
	server
	json bool
}

func (l *ls) flags(f *flag.FlagSet) {
	l.server.flags(f)
	f.BoolVar(&l.json, "json", false, "print JSON")
}

func (l *ls) run(ctx context.Context, c console, args []string) error {
	if err := noArguments(args); err != nil {
		return err
	}
	at, err := l.client(ctx)
	if err != nil {
		return err
	}
	all, err := at.List(ctx)
	if err != nil {
		return err
	}
	if l.json {
		return c.JSON(api.Page{Credentials: append([]api.Listed{}, all...)})
	}
	rows := [][]string{{"NAME", "PROVIDER"}}
	for _, one := range all {
		rows = append(rows, []string{one.Credential, one.Provider})
	}
	return c.Table(rows)
}

var statusCommand = command{
	name: "status", args: "NAME", does: "Says how a credential's token is doing, without showing it", example: "tokenvend status minut",
	make: func() action { return &status{} },
}

type status struct {
	target
	verify bool
}

func (s *status) flags(f *flag.FlagSet) {
	s.target.flags(f)
	f.BoolVar(&s.verify, "verify", false, "ask the provider whether it takes the token")
}

func (s *status) run(ctx context.Context, c console, args []string) error {
	name, err := oneName(args)
	if err != nil {
		return err
	}
	at, err := s.client(ctx)
	if err != nil {
		return err
	}
	ask := at.Status
	if s.verify {
		ask = at.Verify
	}
	report, err := ask(ctx, name, s.options()...)
	if err != nil {
		return err
	}
	return s.print(c, report)
}

// print prints what is known of the token.
func (t *target) print(c console, report api.StatusReport) error {
	if t.json {
		return c.JSON(report)
	}
	return c.Table(describe(report, t.variant, time.Now()))
}

var meanings = map[api.State]string{
	api.Fresh:       "a living token",
	api.Stale:       "past its time to renew",
	api.Failing:     "no living token, and the last attempt failed",
	api.Reauthorize: "the account has to be connected again",
	api.Revoking:    "forgotten here, not yet revoked at the provider",

	api.DestinationChanged: "the secret names other endpoints than those where the grant was given",

	api.Idle: "nobody asks: made anew when somebody does",
	api.Gone: "its secret was removed",
	api.None: "no token yet: made when somebody asks",
}

// describe is a report on what was asked for, as lines of a label and a value; what is not known has none.
func describe(r api.StatusReport, asked variant, now time.Time) [][]string {
	lines := [][]string{{"credential", r.Credential}, {"provider", r.Provider}}
	add := func(label, value string) {
		if value != "" {
			lines = append(lines, []string{label, value})
		}
	}
	add("account", r.Account)
	add("audience", r.Audience)
	add("scope", r.Scope)
	add("state", fmt.Sprintf("%s (%s)", r.State, meaning(r)))
	add("verified", verdict(r.Verified))
	add("generation", fmt.Sprint(r.Generation))
	add("fingerprint", r.Fingerprint)
	add("expires", when(r.ExpiresAt, now))
	add("renews", when(r.NextAt, now))
	add("grant until", when(r.GrantUntil, now))
	add("asked for", noted(r.AskedAt, now))
	if f := r.Failure; f != nil {
		add("failure", fmt.Sprintf("%s: %s", uncapitalised(f.Code.Title()), f.Detail))
		add("failing since", fmt.Sprintf("%s, %d in a row", when(f.Since, now), f.Count))
		add("next attempt", when(f.RetryAt, now))
	}
	for _, change := range r.Changes {
		add("changed", change.Part+": "+cmp.Or(change.Old, "nothing")+" became "+cmp.Or(change.New, "nothing"))
	}
	add("warning", r.Warning)
	for _, warning := range r.Warnings {
		add("warning", warning)
	}
	add("what to do", remedy(r, asked))
	return lines
}

// isUnconnected says whether only a person can bring a token.
func isUnconnected(r api.StatusReport) bool {
	return r.State == api.Reauthorize || r.State == api.None && r.Account != ""
}

func meaning(r api.StatusReport) string {
	if r.State == api.None && r.Account != "" {
		return "the account is not connected"
	}
	return meanings[r.State]
}

// verdict is what the provider says of the token; "" where it was not asked.
func verdict(v *api.Verified) string {
	switch {
	case v == nil:
		return ""
	case v.Works:
		return "the provider takes the token"
	}
	return "the provider does not take the token"
}

// remedy is what to do; "" where there is nothing to be done.
func remedy(r api.StatusReport, asked variant) string {
	switch {
	case r.State == api.DestinationChanged:
		return asked.line("accept", r.Credential) + ", or " + asked.line("connect", r.Credential)
	case isUnconnected(r):
		return asked.line("connect", r.Credential)
	case r.Failure != nil:
		return advice[r.Failure.Code]
	case r.Verified != nil && !r.Verified.Works:
		return asked.line("renew", r.Credential)
	}
	return ""
}

// when says how far a time is from now; "" for one that is not known.
func when(t, now time.Time) string {
	left := t.Sub(now).Truncate(time.Second) // a life is never told longer than it is
	switch {
	case t.IsZero():
		return ""
	case left > 0:
		return "in " + left.String()
	}
	return (-left).String() + " ago"
}

// noted is when somebody was last seen asking, which is written down once an hour at most.
func noted(t, now time.Time) string {
	if t.IsZero() {
		return ""
	}
	return when(t, now) + ", and perhaps since: noted once an hour"
}

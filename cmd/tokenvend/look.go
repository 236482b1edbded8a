package main

import (
	"context"
	"flag"
	"fmt"
	"text/tabwriter"
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
		return printJSON(c, api.Page{Credentials: append([]api.Listed{}, all...)})
	}
	t := tabwriter.NewWriter(c.out, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintln(t, "NAME\tPROVIDER")
	for _, one := range all {
		_, _ = fmt.Fprintf(t, "%s\t%s\n", one.Credential, one.Provider)
	}
	return t.Flush()
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
		return printJSON(c, report)
	}
	table := tabwriter.NewWriter(c.out, 0, 0, 2, ' ', 0)
	for _, line := range describe(report, t.variant, time.Now()) {
		_, _ = fmt.Fprintf(table, "%s\t%s\n", line[0], line[1])
	}
	return table.Flush()
}

var meanings = map[api.State]string{
	api.Fresh:       "a living token",
	api.Stale:       "past its time to renew",
	api.Failing:     "no living token, and the last attempt failed",
	api.Reauthorize: "the account has to be connected again",
	api.Revoking:    "forgotten here, not yet revoked at the provider",
	api.Idle:        "nobody asks: made anew when somebody does",
	api.Gone:        "its secret was removed",
	api.None:        "no token yet: made when somebody asks",
}

// describe is a report on what was asked for, as lines of a label and a value; what is not known has none.
func describe(r api.StatusReport, asked variant, now time.Time) [][2]string {
	lines := [][2]string{{"credential", r.Credential}, {"provider", r.Provider}}
	add := func(label, value string) {
		if value != "" {
			lines = append(lines, [2]string{label, value})
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
	add("warning", r.Warning)
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

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

type status struct{ target }

func (s *status) run(ctx context.Context, c console, args []string) error {
	name, err := oneName(args)
	if err != nil {
		return err
	}
	at, err := s.client(ctx)
	if err != nil {
		return err
	}
	report, err := at.Status(ctx, name, s.options()...)
	if err != nil {
		return err
	}
	if s.json {
		return printJSON(c, report)
	}
	t := tabwriter.NewWriter(c.out, 0, 0, 2, ' ', 0)
	for _, line := range describe(report, time.Now()) {
		_, _ = fmt.Fprintf(t, "%s\t%s\n", line[0], line[1])
	}
	return t.Flush()
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

// describe is a report as lines of a label and a value; what is not known has none.
func describe(r api.StatusReport, now time.Time) [][2]string {
	lines := [][2]string{{"credential", r.Credential}, {"provider", r.Provider}}
	add := func(label, value string) {
		if value != "" {
			lines = append(lines, [2]string{label, value})
		}
	}
	add("account", r.Account)
	add("audience", r.Audience)
	add("scope", r.Scope)
	add("state", fmt.Sprintf("%s (%s)", r.State, meanings[r.State]))
	add("generation", fmt.Sprint(r.Generation))
	add("fingerprint", r.Fingerprint)
	add("expires", when(r.ExpiresAt, now))
	add("renews", when(r.NextAt, now))
	add("asked for", noted(r.AskedAt, now))
	if f := r.Failure; f != nil {
		add("failure", fmt.Sprintf("%s: %s", uncapitalised(f.Code.Title()), f.Detail))
		add("failing since", fmt.Sprintf("%s, %d in a row", when(f.Since, now), f.Count))
		add("next attempt", when(f.RetryAt, now))
		add("what to do", advice[f.Code])
	}
	return lines
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

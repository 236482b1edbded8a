package doctor

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/clierror"
	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/connection"
	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/report"
	"github.com/tokenvend/tokenvend/pkg/api"
	"github.com/tokenvend/tokenvend/pkg/quota"
)

// tokens checks the state of each credential's default token. No token is
// obtained.
func (s *setup) tokens(ctx context.Context, caller *connection.Client) {
	all, err := report.AllNames(ctx, caller)
	if err != nil {
		s.Unread("server", err)
		return
	}
	s.OK("server", "answers, and lists %d credentials", len(all))
	for _, r := range report.Statuses(ctx, caller, all) {
		if r.Err != nil {
			s.Unread("token "+r.Name, r.Err)
			continue
		}
		s.state("token "+r.Name, r.Status)
		s.quota("quota "+r.Name, r.Status.Quota)
	}
	s.accounts(ctx, caller, all)
}

// quota checks how much of a provider's quota of token requests is used; nil:
// none is stated.
func (s *setup) quota(subject string, q *quota.Use) {
	switch {
	case q == nil:
	case q.IsNearlyUsedUp():
		s.Warn(subject, fmt.Sprintf("%v: %.0f %%", q, q.Percent()), "see Quota in docs/guide/runbook.md; "+
			"another "+q.Per+" begins at "+q.Until.UTC().Format(time.RFC3339))
	default:
		s.OK(subject, "%v", q)
	}
}

// accounts checks the state of each connected account. Those that are well are
// counted.
func (s *setup) accounts(ctx context.Context, caller *connection.Client, names []string) {
	well := 0
	for _, r := range report.Accounts(ctx, caller, names) {
		if r.Err != nil { // as by a server that is older than this program
			text, _ := clierror.Explain(r.Err, s.Commands)
			s.Warn("accounts", "not looked at: "+text, "")
			return
		}
		for _, account := range r.Accounts {
			if account.State == api.Fresh && account.Failure == nil {
				well++
				continue
			}
			s.state("account "+account.Account+" of "+r.Name, account)
		}
	}
	if well > 0 {
		s.OK("accounts", "%d have a living token", well)
	}
}

func (s *setup) state(subject string, r api.StatusReport) {
	commands := s.Commands
	if r.Account != "" {
		commands = commands.WithAccount(r.Account)
	}
	finding, advice := string(r.State)+": "+report.Meaning(r), report.Remedy(r, commands)
	if r.Failure != nil {
		detail := strings.TrimSuffix(s.Commands.Complete(r.Failure.Detail), ".")
		finding += "; " + clierror.Uncapitalize(r.Failure.Code.Title()) + ": " + detail
	}
	switch {
	case report.IsWrong(r.State):
		s.Fail(subject, finding, advice)
	case r.State == api.Stale, r.State == api.Revoking, r.Failure != nil:
		s.Warn(subject, finding, advice)
	default:
		s.OK(subject, "%s", finding)
	}
}

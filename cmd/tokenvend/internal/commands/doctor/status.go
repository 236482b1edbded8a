package doctor

import (
	"context"
	"strings"

	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/clierror"
	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/connection"
	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/report"
	"github.com/tokenvend/tokenvend/pkg/api"
)

// tokens checks the state of each credential's default token. No token is
// obtained.
func (f *findings) tokens(ctx context.Context, caller *connection.Client) {
	all, err := report.AllNames(ctx, caller)
	if err != nil {
		f.unread("server", err)
		return
	}
	f.ok("server", "answers, and lists %d credentials", len(all))
	for _, r := range report.Statuses(ctx, caller, all) {
		if r.Err != nil {
			f.unread("token "+r.Name, r.Err)
			continue
		}
		f.state(r.Status)
	}
}

func (f *findings) state(r api.StatusReport) {
	subject, finding, advice := "token "+r.Credential, string(r.State)+": "+report.Meaning(r), ""
	if r.Failure != nil {
		detail := strings.TrimSuffix(f.commands.Complete(r.Failure.Detail), ".")
		finding += "; " + clierror.Uncapitalize(r.Failure.Code.Title()) + ": " + detail
		advice = clierror.Advice(r.Failure.Code, r.Credential, f.commands)
	}
	switch {
	case report.IsWrong(r.State):
		f.fail(subject, finding, advice)
	case r.State == api.Stale, r.State == api.Revoking, r.Failure != nil:
		f.warn(subject, finding, advice)
	default:
		f.ok(subject, "%s", finding)
	}
}

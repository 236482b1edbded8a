package doctor

import (
	"context"
	"fmt"
	"strings"

	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/clierror"
	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/connection"
	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/report"
	"github.com/tokenvend/tokenvend/pkg/api"
)

// maxCredentials bounds how many credentials are checked one by one.
const maxCredentials = 200

// tokens checks the state of each credential's default token. No token is
// obtained.
func (f *findings) tokens(ctx context.Context, caller *connection.Client) {
	all, err := caller.List(ctx)
	if err != nil {
		f.unread("server", err)
		return
	}
	f.ok("server", "answers, and lists %d credentials", len(all))
	if len(all) > maxCredentials {
		f.warn("tokens", fmt.Sprintf("only the first %d of %d were looked at", maxCredentials, len(all)), "")
		all = all[:maxCredentials]
	}
	for _, one := range all {
		r, err := caller.Status(ctx, one.Credential)
		if err != nil {
			f.unread("token "+one.Credential, err)
			continue
		}
		f.state(r)
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
	case r.State == api.Failing, r.State == api.Reauthorize:
		f.fail(subject, finding, advice)
	case r.State == api.Stale, r.State == api.Revoking, r.Failure != nil:
		f.warn(subject, finding, advice)
	default:
		f.ok(subject, "%s", finding)
	}
}

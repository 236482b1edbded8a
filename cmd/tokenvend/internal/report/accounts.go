package report

import (
	"context"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/clierror"
	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/connection"
	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/hint"
	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/terminal"
	"github.com/tokenvend/tokenvend/pkg/api"
)

// AccountTable writes one line for each account.
func AccountTable(c terminal.Console, all []api.StatusReport, commands hint.Commands) error {
	rows := [][]string{{"ACCOUNT", "STATE", "EXPIRES", "RENEWS", "SCOPE", "LAST FAILURE", "WHAT TO DO"}}
	now := time.Now()
	for _, r := range all {
		rows = append(rows, []string{
			r.Account, string(r.State), relative(r.ExpiresAt, now), relative(r.NextAt, now), r.Scope,
			failureText(r.Failure, now), Remedy(r, commands.WithAccount(r.Account)),
		})
	}
	return c.GradedTable(rows, 1, stateColor)
}

// AccountsResult is the accounts of a credential, or why they are not known.
type AccountsResult struct {
	Name     string
	Accounts []api.StatusReport
	Err      error
}

// Accounts requests the accounts of each credential, and returns them in the
// order of the names.
func Accounts(ctx context.Context, caller *connection.Client, names []string) []AccountsResult {
	results := make([]AccountsResult, len(names))
	var group errgroup.Group
	group.SetLimit(atOnce)
	for i, name := range names {
		group.Go(func() error {
			all, err := caller.Accounts(ctx, name)
			results[i] = AccountsResult{name, all, err}
			return nil
		})
	}
	_ = group.Wait() // errors are in the results
	return results
}

// failureText describes the last failure, "" for none.
func failureText(f *api.Failure, now time.Time) string {
	if f == nil {
		return ""
	}
	text := clierror.Uncapitalize(f.Code.Title())
	if detail := strings.TrimSuffix(f.Detail, "."); detail != "" {
		text += ": " + detail
	}
	return text + ", " + relative(f.Since, now)
}

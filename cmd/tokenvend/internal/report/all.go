package report

import (
	"context"
	"errors"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/clierror"
	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/connection"
	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/hint"
	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/terminal"
	"github.com/tokenvend/tokenvend/pkg/api"
	"github.com/tokenvend/tokenvend/pkg/client"
)

// atOnce is how many statuses are requested at the same time.
const atOnce = 8

// Result is the status of one credential's token, or why there is none.
type Result struct {
	Name   string
	Status api.StatusReport
	Err    error
}

// Statuses requests the status of each credential's token, and returns them in
// the order of the names.
func Statuses(ctx context.Context, caller *connection.Client, names []string, options ...client.Option) []Result {
	results := make([]Result, len(names))
	var group errgroup.Group
	group.SetLimit(atOnce)
	for i, name := range names {
		group.Go(func() error {
			r, err := caller.Status(ctx, name, options...)
			results[i] = Result{name, r, err}
			return nil
		})
	}
	_ = group.Wait() // errors are in the results
	return results
}

// AllNames returns the names of all credentials that the caller may have.
func AllNames(ctx context.Context, caller *connection.Client) ([]string, error) {
	listed, err := caller.List(ctx)
	var names []string
	for _, one := range listed {
		names = append(names, one.Credential)
	}
	return names, err
}

// IsWrong reports whether callers get no token in this state, because something
// has failed or an operator has to act.
func IsWrong(s api.State) bool {
	switch s {
	case api.Failing, api.Reauthorize, api.DestinationChanged, api.Gone:
		return true
	}
	return false
}

// Wrong returns an error that names the tokens that are wrong, and nil if there
// is none.
func Wrong(results []Result) error {
	var names []string
	for _, r := range results {
		if r.Err != nil || IsWrong(r.Status.State) {
			names = append(names, r.Name)
		}
	}
	switch len(names) {
	case 0:
		return nil
	case 1:
		return errors.New(names[0] + ": the token is not well")
	}
	return errors.New("these tokens are not well: " + strings.Join(names, ", "))
}

// Table writes one line for each result.
func Table(c terminal.Console, results []Result, commands hint.Commands, now time.Time) error {
	rows := [][]string{{"NAME", "PROVIDER", "STATE", "EXPIRES", "RENEWS", "WHAT TO DO"}}
	for _, r := range results {
		if r.Err != nil {
			text, _ := clierror.Explain(r.Err, commands)
			rows = append(rows, []string{r.Name, r.Status.Provider, "unknown", "", "", text})
			continue
		}
		s := r.Status
		rows = append(rows, []string{
			r.Name, s.Provider, string(s.State), relative(s.ExpiresAt, now), relative(s.NextAt, now),
			Remedy(s, commands),
		})
	}
	return c.GradedTable(rows, 2, stateColor)
}

// stateColor returns the color of a state, and that of the head of the table.
func stateColor(cell string) terminal.Color {
	switch state := api.State(cell); {
	case state == api.Fresh:
		return terminal.Green
	case IsWrong(state), cell == "unknown":
		return terminal.Red
	}
	return terminal.Yellow
}

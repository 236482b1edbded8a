package report_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/spf13/pflag"

	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/command"
	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/hint"
	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/report"
	"github.com/tokenvend/tokenvend/pkg/api"
	"github.com/tokenvend/tokenvend/pkg/quota"
)

// commands returns the commands that repeat the flags of a command line.
func commands(t *testing.T, args ...string) hint.Commands {
	t.Helper()
	var v command.Variant
	set := pflag.NewFlagSet("status", pflag.ContinueOnError)
	v.Register(set)
	if err := set.Parse(args); err != nil {
		t.Fatal(err)
	}
	return hint.New("tokenvend", set)
}

// value returns the value of a label; "" if there is no such row.
func value(rows [][]string, label string) string {
	i := slices.IndexFunc(rows, func(row []string) bool { return row[0] == label })
	if i < 0 {
		return ""
	}
	return rows[i][1]
}

func TestRowsLeaveOutWhatIsNotKnown(t *testing.T) {
	now := time.Now()
	r := api.StatusReport{Credential: "x", State: api.None, ExpiresAt: now.Add(-time.Hour)}
	rows := report.Rows(r, hint.Commands{}, now)
	labels := make([]string, len(rows))
	for i, row := range rows {
		labels[i] = row[0]
	}
	got := strings.Join(labels, " ") + ", " + value(rows, "expires")
	if want := "credential provider state generation expires, 1h0m0s ago"; got != want {
		t.Errorf("Rows(%+v) = %q, want %q", r, got, want)
	}
}

func TestRowsShowTheQuota(t *testing.T) {
	r := api.StatusReport{Quota: &quota.Use{Used: 812, Requests: 1000, Per: "hour"}}
	if got := value(report.Rows(r, hint.Commands{}, time.Now()), "quota"); got != "812 of 1000 this hour" {
		t.Errorf("the quota of Rows(%+v) = %q, want 812 of 1000 this hour", r, got)
	}
}

func TestRowsOfAUsersGrant(t *testing.T) {
	now := time.Now()
	for _, c := range []struct {
		name   string
		report api.StatusReport
		flags  []string
		want   string
	}{
		{"ended", api.StatusReport{Credential: "x", State: api.Reauthorize, Account: "alice"},
			[]string{"--account", "alice"}, "tokenvend connect x --account alice"},
		{"not connected", api.StatusReport{Credential: "x", State: api.None, Account: "o'hara"},
			[]string{"--account", "o'hara", "--scope", "a b"},
			`tokenvend connect x --account 'o'\''hara' --scope 'a b'`},
		{"provider unavailable", api.StatusReport{
			Credential: "x", State: api.Failing, Failure: &api.Failure{Code: api.ProviderUnavailable},
		}, nil, "try again"},
		{"no grant", api.StatusReport{Credential: "x", State: api.None}, nil, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := value(report.Rows(c.report, commands(t, c.flags...), now), "what to do"); got != c.want {
				t.Errorf("Rows(%s) says what to do: %q, want %q", c.report.State, got, c.want)
			}
		})
	}
	rows := report.Rows(api.StatusReport{GrantUntil: now.Add(90*time.Minute + time.Second)}, hint.Commands{}, now)
	if got := value(rows, "grant until"); !strings.HasPrefix(got, "in 1h30m") {
		t.Errorf("Rows of a grant that ends in 90 minutes say %q, want in 1h30m", got)
	}
}

// Package doctor holds the command that checks a setup and reports what is
// wrong with it.
package doctor

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/clierror"
	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/command"
	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/connection"
	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/hint"
	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/report"
	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/secretstore"
	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/terminal"
	"github.com/tokenvend/tokenvend/pkg/api"
)

// Commands returns the commands of this package.
func Commands(p command.Program) []*cobra.Command { return []*cobra.Command{newDoctor(p)} }

type doctor struct {
	command.Program
	connection.Flags
	command.Output
	prefix    string
	operators string
}

func newDoctor(p command.Program) *cobra.Command {
	d := &doctor{Program: p}
	cmd := &cobra.Command{
		Use:   "doctor",
		Short: "Checks a setup and reports what is wrong with it",
		Long: `On a stack it reads the function, its aliases and policies, IAM, the secrets and the tokens' states; on this machine
the data folder and the server. It changes nothing.
Every grant that reaches the alias api, the alias admin or the bare function is a warning, except that of the stack's API
on api, and those of --operators on admin.
Name the function with --function, and the stack's API with --url, so that another API is told from it.
What may not be read is reported, and is no failure. It exits with 1 where a check failed; a warning is none.
`,
		Example:           "tokenvend doctor --function tokenvend-VendFunction-1A2B3C --operators arn:aws:iam::123456789012:role/ops",
		Args:              command.NoArguments,
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE:              func(cmd *cobra.Command, _ []string) error { return d.run(cmd.Context(), p.Hints(cmd)) },
	}
	d.Flags.Register(cmd.Flags())
	d.Output.Register(cmd)
	secretstore.RegisterPrefix(cmd, &d.prefix)
	cmd.Flags().StringVar(&d.operators, "operators", "",
		"the `ARNS` of roles and users that are meant to invoke the alias admin, separated by commas")
	return cmd
}

// Grade is the result of a check.
type Grade string

// The grades.
const (
	Fine    Grade = "ok"
	Warning Grade = "warning"
	Failed  Grade = "failed"
)

// Check is one thing that was checked.
type Check struct {
	Subject string `json:"subject"`
	Grade   Grade  `json:"grade"`
	Finding string `json:"finding"`
	Advice  string `json:"advice,omitempty"` // what to do; "": nothing
}

// findings are the checks that were made.
type findings struct {
	expected
	commands    hint.Commands
	all         []Check
	aliasNames  []string // of the function; nil: not read
	credentials []string // that have a secret; nil: not read
}

func (f *findings) ok(subject, format string, args ...any) {
	f.all = append(f.all, Check{Subject: subject, Grade: Fine, Finding: fmt.Sprintf(format, args...)})
}

func (f *findings) warn(subject, finding, advice string) {
	f.all = append(f.all, Check{subject, Warning, finding, advice})
}

func (f *findings) fail(subject, finding, advice string) {
	f.all = append(f.all, Check{subject, Failed, finding, advice})
}

// unread adds what could not be read: for lack of a permission it is a warning,
// else a failure.
func (f *findings) unread(subject string, err error) {
	text, _ := clierror.Explain(err, f.commands)
	if clierror.IsDenied(err) {
		f.warn(subject, "not looked at: "+text, "")
		return
	}
	f.fail(subject, text, "")
}

func (f *findings) count(g Grade) (n int) {
	for _, c := range f.all {
		if c.Grade == g {
			n++
		}
	}
	return n
}

func (d *doctor) run(ctx context.Context, commands hint.Commands) error {
	f := findings{commands: commands}
	at, err := d.expectations(&f)
	if err != nil {
		return err
	}
	place, err := at.Place(ctx, commands)
	if err != nil {
		return err
	}
	if place.IsLocal() {
		f.machine(ctx, place)
	} else if err := f.stack(ctx, place, d.prefix); err != nil {
		return err
	}
	if err := d.print(f); err != nil {
		return err
	}
	if n := f.count(Failed); n > 0 {
		return fmt.Errorf("%d of %d checks failed", n, len(f.all))
	}
	return nil
}

// expectations reads who is meant to have what, and returns where requests go.
// Beside --function, --url names the stack's API and not where requests go.
func (d *doctor) expectations(f *findings) (at connection.Flags, err error) {
	at = d.Flags
	if f.operators, err = parseOperators(d.operators); err != nil {
		return at, err
	}
	f.api = connection.ParseAPI(d.URL).ID
	if d.URL != "" && d.Function != "" {
		if f.api == "" {
			return at, clierror.Usage("--url beside --function: expected the stack's output ApiUrl, " +
				"https://ID.execute-api.REGION.amazonaws.com")
		}
		at.URL = ""
	}
	return at, nil
}

var colors = map[string]terminal.Color{
	string(Fine): terminal.Green, string(Warning): terminal.Yellow, string(Failed): terminal.Red,
}

func (d *doctor) print(f findings) error {
	data := map[string]any{"checks": f.all, "failed": f.count(Failed), "warnings": f.count(Warning)}
	return d.Print(d.Console, data, func() error {
		var rows [][]string
		for _, one := range f.all {
			line := strings.Join(strings.Fields(one.Finding), " ")
			if one.Advice != "" {
				line += "; " + one.Advice
			}
			rows = append(rows, []string{string(one.Grade), one.Subject, line})
		}
		return d.GradedTable(rows, 0, func(grade string) terminal.Color { return colors[grade] })
	})
}

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

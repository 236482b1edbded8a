// Package command holds what the commands of the program have in common: the
// program that they belong to, their flags and their output formats.
package command

import (
	"cmp"
	"context"
	"errors"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/clierror"
	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/connection"
	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/hint"
	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/terminal"
	"github.com/tokenvend/tokenvend/pkg/client"
	"github.com/tokenvend/tokenvend/pkg/credential"
)

// Program is the running program.
type Program struct {
	terminal.Console
	Name    string // by which a shell finds it, see hint.Program
	Version string // stamped at build time; "": that of the module
}

// Hints returns the commands that repeat the flags of a command line.
func (p Program) Hints(cmd *cobra.Command) hint.Commands { return hint.New(p.Name, cmd.Flags()) }

// OneName takes the name of a credential, as the only argument.
func OneName(_ *cobra.Command, args []string) error {
	if len(args) != 1 {
		return clierror.Usage("expected the name of one credential")
	}
	return CheckName(args[0])
}

// CheckName checks the name of a credential.
func CheckName(name string) error {
	if !credential.ValidName(name) {
		return clierror.Usage("expected a credential's name: a lower-case letter or digit, then " +
			"at most 62 more, _ or -")
	}
	return nil
}

// NoArguments refuses arguments.
func NoArguments(_ *cobra.Command, args []string) error {
	if len(args) != 0 {
		return clierror.Usage("expected no argument")
	}
	return nil
}

// Variant is what is requested beyond a credential's default.
type Variant struct {
	scope, audience string
	account         account
}

// account is the value of the flag --account.
type account string

// String implements pflag.Value.
func (a *account) String() string { return string(*a) }

// Type implements pflag.Value.
func (a *account) Type() string { return "string" }

// Set implements pflag.Value. An empty value, as of a variable that is not set,
// would mean the client's own grant.
func (a *account) Set(value string) error {
	value = strings.TrimSpace(value)
	if value == "" {
		return clierror.Expected("expected an account; without the flag, it is the client's own grant")
	}
	*a = account(value)
	return nil
}

// Register adds the flags to a command.
func (v *Variant) Register(set *pflag.FlagSet) {
	set.StringVar(&v.scope, "scope", "", "`SCOPES`, separated by spaces, instead of the credential's own")
	set.StringVar(&v.audience, "audience", "", "`AUDIENCE` instead of the credential's own")
	set.Var(&v.account, "account", "by the grant of this `ACCOUNT` instead of the client's own")
}

// Account returns the account; "" for the client's own grant.
func (v Variant) Account() string { return string(v.account) }

// Options returns the options of a call.
func (v Variant) Options() []client.Option {
	return []client.Option{client.Scope(v.scope), client.Audience(v.audience), client.Account(v.Account())}
}

// MinTTL is the flag --min-ttl.
type MinTTL struct{ ttl time.Duration }

// Register adds the flag to a command.
func (m *MinTTL) Register(set *pflag.FlagSet) {
	set.DurationVar(&m.ttl, "min-ttl", 0, "`DURATION` that the token must live at least, as in 10m")
}

// Option returns the option of a call.
func (m MinTTL) Option() (client.Option, error) {
	if m.ttl < 0 {
		return client.MinTTL(0), clierror.Usage("--min-ttl: expected no negative duration")
	}
	return client.MinTTL(m.ttl), nil
}

// Confirm asks the operator whether to go on; nil means yes. consequence is
// what the error says of a no: "nothing was written". Without a terminal to ask
// on, the flag --yes is required.
func (p Program) Confirm(question, consequence string) error {
	if !p.Interactive() {
		return clierror.Usage("--yes is needed, since there is no terminal to ask on; %s", consequence)
	}
	answer, err := p.Question(question + " [y/N] ")
	if err != nil {
		return err
	}
	if answer = strings.ToLower(answer); answer != "y" && answer != "yes" {
		return errors.New(consequence)
	}
	return nil
}

// completionTimeout bounds how long a shell waits for the names of credentials.
const completionTimeout = 2 * time.Second

// CompleteNames completes the name of a credential, as the only argument, at
// the place that the flags name.
func CompleteNames(at *connection.Flags) cobra.CompletionFunc {
	return func(cmd *cobra.Command, args []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
		if len(args) > 0 {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		ctx, cancel := context.WithTimeout(cmp.Or(cmd.Context(), context.Background()), completionTimeout)
		defer cancel()
		return names(ctx, at), cobra.ShellCompDirectiveNoFileComp
	}
}

// names lists the credentials of a place; none if that fails.
func names(ctx context.Context, at *connection.Flags) []string {
	caller, err := at.Client(ctx, hint.Commands{})
	if err != nil {
		return nil
	}
	listed, err := caller.List(ctx)
	if err != nil {
		return nil
	}
	var found []string
	for _, one := range listed {
		if credential.ValidName(one.Credential) {
			found = append(found, one.Credential)
		}
	}
	return found
}

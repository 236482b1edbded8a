package credentials

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/command"
	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/connection"
	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/hint"
	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/secretinput"
	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/secretstore"
	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/terminal"
	"github.com/tokenvend/tokenvend/pkg/access"
	"github.com/tokenvend/tokenvend/pkg/credential"
	"github.com/tokenvend/tokenvend/pkg/redact"
)

type set struct {
	command.Program
	secretinput.Input
	secretstore.Target
	yes, noTrial bool
}

func newSet(p command.Program) *cobra.Command {
	s := &set{Program: p}
	cmd := &cobra.Command{
		Use:   "set NAME",
		Short: "Changes the secret of a credential, once a trial has shown that it works",
		Long: secretinput.Help + `What is neither given nor asked for stays as it is: a flag of --allow-… adds to
its own list, and leaves the others alone. --clear removes a field first, so that --clear allow.scopes --allow-scope
read replaces a list. With --json the whole secret is replaced.
Where what is sent to the provider changes, a token is obtained by the new secret first, under
another name, which is removed again; a secret that the provider refuses is not written.
The rule that results is printed. What gives more than before, to more callers or of more scopes,
audiences or accounts, is asked about on a terminal, or takes --yes.
`,
		Example: "tokenvend set minut\n" +
			"tokenvend set minut --clear allow.principals --allow-principal 'arn:aws:iam::123456789012:role/billing' " +
			"--yes",
		Args: command.OneName,
		RunE: func(cmd *cobra.Command, args []string) error { return s.run(cmd.Context(), p.Hints(cmd), args[0]) },
	}
	s.Input.Register(cmd)
	s.Target.Register(cmd)
	s.RegisterClear(cmd)
	cmd.Flags().BoolVar(&s.yes, "yes", false, "write what gives more than before, and do not ask")
	cmd.Flags().BoolVar(&s.noTrial, "no-trial", false, "write the secret without a trial")
	cmd.ValidArgsFunction = command.CompleteNames(&s.Flags)
	return cmd
}

func (s *set) run(ctx context.Context, commands hint.Commands, name string) error {
	place, store, err := s.Open(ctx, commands)
	if err != nil {
		return err
	}
	before, err := store.Read(ctx, name)
	if err != nil {
		return err
	}
	text, parsed, err := s.changed(name, before)
	if err != nil {
		return err
	}
	if !s.noTrial {
		if err := (replacement{s.Program, place, store, name, before, text, parsed}).tryFirst(ctx); err != nil {
			return err
		}
	}
	notice, err := store.Replace(ctx, name, before, text)
	if err != nil {
		return err
	}
	makeKnown(ctx, place, name)
	s.Say("%s is written. %s: %s then has a token obtained by the new secret.",
		name, notice, commands.Line("renew", name))
	return nil
}

// makeKnown has a function read a credential that it may not know yet: by the
// alias admin, a request for the status is enough. Where that fails, and
// elsewhere, the next pass of rotate finds it.
func makeKnown(ctx context.Context, place connection.Place, name string) {
	if place.URL != "" || place.IsLocal() {
		return
	}
	if caller, err := place.Client(); err == nil {
		_, _ = caller.Status(ctx, name)
	}
}

// changed composes the secret that replaces the one before, once the operator
// has agreed to what it allows beyond it.
func (s *set) changed(name string, before redact.String) (redact.String, credential.Credential, error) {
	standing, _ := secretinput.ReadFields(before) // a secret that is no JSON can be replaced too
	text, parsed, err := checked(s.Console, &s.Input, name, standing)
	if err != nil {
		return text, parsed, err
	}
	defaults := access.Requested{Scope: parsed.Scope, Audience: parsed.Audience}
	after := access.Policy{Rule: parsed.Allow, Defaults: defaults}
	s.Text("Who may have " + name + ", and what:\n" + terminal.Columns(ruleRows(after)))
	return text, parsed, s.agreed(widened(name, before, after))
}

// agreed asks about what a secret allows beyond the one before; nil means yes.
func (s *set) agreed(more []string) error {
	if len(more) == 0 || s.yes {
		return nil
	}
	s.Say("This gives more than before:")
	for _, one := range more {
		s.Say("  %s", one)
	}
	return s.Confirm("Write it?", "nothing was written")
}

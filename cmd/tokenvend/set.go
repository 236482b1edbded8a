package main

import (
	"context"
	"flag"

	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/terminal"
	"github.com/tokenvend/tokenvend/pkg/access"
	"github.com/tokenvend/tokenvend/pkg/redact"
)

var setCommand = command{
	name: "set", args: "NAME", does: "Changes the secret of a credential",
	more: secretHelp + `What is neither given nor asked for stays as it is: a flag of --allow-… adds to its own list,
and leaves the others alone. --clear takes a field away first, so that --clear allow.scopes --allow-scope read replaces a list.
With --json the whole secret is replaced. The rule that results is printed. What gives more than before, to
more callers or of more scopes, audiences or accounts, is asked about on a terminal, or takes --yes.
`,
	example: "tokenvend set minut\n" +
		"tokenvend set minut --clear allow.principals --allow-principal 'arn:aws:iam::123456789012:role/billing' --yes",
	make: func() action { return &set{} },
}

type set struct {
	secret
	keeper
	yes bool
}

func (s *set) flags(f *flag.FlagSet) {
	s.secret.flags(f)
	s.keeper.flags(f)
	f.Func("clear", "take this `FIELD` away, such as scope, params or allow.principals, "+
		"before what other flags say is added; may be repeated", into(&s.clear))
	f.BoolVar(&s.yes, "yes", false, "write what gives more than before, and do not ask")
}

func (s *set) run(ctx context.Context, c console, args []string) error {
	name, err := oneName(args)
	if err != nil {
		return err
	}
	p, v, err := s.open(ctx)
	if err != nil {
		return err
	}
	before, err := v.read(ctx, name)
	if err != nil {
		return err
	}
	text, err := s.changed(c, name, before)
	if err != nil {
		return err
	}
	told, err := v.replace(ctx, name, text)
	if err != nil {
		return err
	}
	p.makeKnown(ctx, name)
	c.Say("%s is written. %s: tokenvend renew %s tries the new secret then.", name, told, name)
	return nil
}

// makeKnown has a function look for a credential that it may not know yet: by
// the alias admin, a question about it is enough. Where that fails, and
// elsewhere, the next pass of rotate finds it.
func (p place) makeKnown(ctx context.Context, name string) {
	if p.url != "" || p.data != "" {
		return
	}
	if at, err := p.client(); err == nil {
		_, _ = at.Status(ctx, name)
	}
}

// changed composes the secret that takes the place of the one before, once the
// operator has agreed to what it gives beyond it.
func (s *set) changed(c console, name string, before redact.String) (redact.String, error) {
	standing, _ := readFields(before) // a secret that is no JSON is no obstacle to replacing it
	text, parsed, err := s.checked(c, name, standing)
	if err != nil {
		return text, err
	}
	after := access.Policy{Rule: parsed.Allow, Defaults: access.Asked{Scope: parsed.Scope, Audience: parsed.Audience}}
	c.Text("Who may have " + name + ", and what:\n" + terminal.Columns(ruleRows(after)))
	return text, s.agreed(c, widened(name, before, after))
}

// agreed asks about what a secret gives beyond the one before; nil: go on.
func (s *set) agreed(c console, more []string) error {
	if len(more) == 0 || s.yes {
		return nil
	}
	c.Say("This gives more than before:")
	for _, one := range more {
		c.Say("  %s", one)
	}
	return confirm(c, "Write it?", "nothing was written")
}

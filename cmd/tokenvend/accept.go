package main

import (
	"context"
	"flag"

	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/terminal"
	"github.com/tokenvend/tokenvend/pkg/api"
)

var acceptCommand = command{
	name: "accept", args: "NAME", does: "Lets grants go on at endpoints that the secret names now",
	more: `A grant belongs to the endpoints, the client and the response fields that it was given at. When the secret names others,
the grant is kept and sent nowhere. This shows every part that changed, and asks; then the grants of all accounts of
the credential go on at the new endpoints, which receive their refresh tokens.
`,
	example: "tokenvend accept trackmania --account alice",
	make:    func() action { return &accepting{} },
}

type accepting struct {
	target
	yes bool
}

func (a *accepting) flags(f *flag.FlagSet) {
	a.target.flags(f)
	f.BoolVar(&a.yes, "yes", false, "accept what changed, and do not ask")
}

func (a *accepting) run(ctx context.Context, c console, args []string) error {
	name, err := oneName(args)
	if err != nil {
		return err
	}
	at, err := a.client(ctx)
	if err != nil {
		return err
	}
	report, err := at.Status(ctx, name, a.options()...)
	if err != nil {
		return err
	}
	if report.State != api.DestinationChanged {
		c.Say("%s: there is nothing to accept: its state is %s.", name, report.State)
		return a.print(c, report)
	}
	if err := a.agreed(c, name, report); err != nil {
		return err
	}
	if report, err = at.Accept(ctx, name, report.Destination, a.options()...); err != nil {
		return err
	}
	c.Say("%s: accepted. Its grants go on at the next renewal, or when somebody asks.", name)
	return a.print(c, report)
}

// agreed shows what changed and asks; nil: go on.
func (a *accepting) agreed(c console, name string, report api.StatusReport) error {
	rows := [][]string{{"PART", "WAS", "IS NOW"}}
	for _, change := range report.Changes {
		rows = append(rows, []string{change.Part, change.Old, change.New})
	}
	c.Say("%s: the refresh tokens of its grants were received at another destination. What changed:", name)
	c.Text(terminal.Columns(rows))
	if a.yes {
		return nil
	}
	return confirm(c, "Send them there from now on?", "nothing was accepted")
}

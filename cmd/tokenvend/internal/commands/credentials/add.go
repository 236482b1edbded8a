package credentials

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/clierror"
	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/command"
	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/connection"
	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/hint"
	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/secretinput"
	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/secretstore"
	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/terminal"
)

type add struct {
	command.Program
	secretinput.Input
	secretstore.Target
	noTrial bool
}

func newAdd(p command.Program) *cobra.Command {
	a := &add{Program: p}
	cmd := &cobra.Command{
		Use:   "add NAME",
		Short: "Adds a credential, tries it, and prints how a caller gets it",
		Long:  secretinput.Help + "A secret that the provider refuses is not kept.\n",
		Example: "tokenvend add minut --provider minut --client-id my-id\n" +
			"tokenvend add minut --function tokenvend-VendFunction-abc --json <minut.json",
		Args:              command.OneName,
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.run(cmd.Context(), p.Hints(cmd), args[0])
		},
	}
	a.Input.IsNew = true
	a.Input.Register(cmd)
	a.Target.Register(cmd)
	cmd.Flags().BoolVar(&a.noTrial, "no-trial", false, "keep the secret without a first token")
	return cmd
}

func (a *add) run(ctx context.Context, commands hint.Commands, name string) error {
	place, store, err := a.Open(ctx, commands)
	if err != nil {
		return err
	}
	if err := store.Find(ctx, name); err == nil {
		return secretstore.AlreadyExists(name, commands)
	} else if !clierror.IsNotFound(err) {
		return err
	}
	text, _, err := checked(a.Console, &a.Input, name, secretinput.Fields{})
	if err != nil {
		return err
	}
	created, err := store.Create(ctx, name, text)
	if err != nil {
		return err
	}
	if err := a.try(ctx, place, store, name, created.Version); err != nil {
		return err
	}
	a.Text(callerPolicy(place, name, created.ARN) + "\n")
	return nil
}

// try obtains a first token. A secret that is refused is removed again: nobody
// has used it.
func (a *add) try(
	ctx context.Context,
	place connection.Place,
	store secretstore.Store,
	name, version string,
) error {
	if a.noTrial {
		a.Say("%s is written (%s), and was not tried.", name, store.Describe(name))
		return nil
	}
	t := trial{a.Program, place, store, name, name, version}
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
	defer stop()
	token, err := t.token(ctx)
	switch {
	case ctx.Err() != nil:
		return a.interrupted(ctx, store, name)
	case err == nil:
		a.Say("%s %s", name, works(token))
	case isNoServer(err):
		a.Say(
			"%s is written, and was not tried: no server runs here. %s starts one.",
			name,
			place.Commands.Line("serve"),
		)
	case isRefused(err):
		if discard := store.Discard(ctx, name); discard != nil {
			return errors.Join(err, discard)
		}
		return fmt.Errorf("%s was not added, and its secret is taken away again: %w", name, err)
	default:
		a.Say(
			"%s is written (%s), but could not be tried: %s",
			name,
			store.Describe(name),
			terminal.Lines(t.reason(err)),
		)
	}
	return nil
}

// interrupted removes a secret whose trial was interrupted: it may be one that
// the provider refuses.
func (a *add) interrupted(ctx context.Context, store secretstore.Store, name string) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), cleanupTimeout)
	defer cancel()
	if err := store.Discard(ctx, name); err != nil {
		return fmt.Errorf("interrupted, and %s could not be removed: %w", store.Describe(name), err)
	}
	return fmt.Errorf("interrupted: %s was not added, and its secret is taken away again", name)
}

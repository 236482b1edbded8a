package accounts

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/command"
	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/connection"
	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/hint"
	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/report"
)

type recovery struct {
	command.Program
	connection.Flags
	command.Output
	file string
}

func newRecover(p command.Program) *cobra.Command {
	r := &recovery{Program: p}
	cmd := &cobra.Command{
		Use:   "recover NAME",
		Short: "Puts back a refresh token that could not be stored",
		Long: `When a provider has given a new refresh token and the store did not take it, the function's log has
a line "unstored" with a field "recovery": the refresh token, sealed. Give that here, on standard
input or in a file, before anybody connects the account again: it is taken only where nothing has
replaced the token since.
`,
		Example: "tokenvend recover trackmania <blob.txt",
		Args:    command.OneName,
		RunE:    func(cmd *cobra.Command, args []string) error { return r.run(cmd.Context(), p.Hints(cmd), args[0]) },
	}
	r.Flags.Register(cmd.Flags())
	r.Output.Register(cmd)
	cmd.Flags().StringVar(&r.file, "file", "", "read the blob from this `FILE` instead of standard input")
	cmd.ValidArgsFunction = command.CompleteNames(&r.Flags)
	return cmd
}

func (r *recovery) run(ctx context.Context, commands hint.Commands, name string) error {
	blob, err := r.blob()
	if err != nil {
		return err
	}
	caller, err := r.Client(ctx, commands)
	if err != nil {
		return err
	}
	status, err := caller.Recover(ctx, name, blob)
	if err != nil {
		return err
	}
	r.Say("%s: the refresh token is back in its place.", name)
	return report.Print(r.Console, r.Output, status, commands.WithAccount(status.Account))
}

// MaxBlob is the length of the longest blob that is read, in bytes: the
// function takes no longer one.
const MaxBlob = 8 << 10

func (r *recovery) blob() (string, error) {
	in := r.Input()
	if r.file != "" {
		f, err := os.Open(r.file)
		if err != nil {
			return "", fmt.Errorf("--file: %w", err)
		}
		defer func() { _ = f.Close() }()
		in = f
	} else if r.Interactive() {
		r.Say("Paste the blob, and end with Ctrl-D on a line of its own:")
	}
	text, err := io.ReadAll(io.LimitReader(in, MaxBlob+1))
	if err != nil {
		return "", err
	}
	blob := strings.Join(strings.Fields(string(text)), "") // terminals and mails break long lines
	if blob == "" || len(text) > MaxBlob {
		return "", errors.New(`expected the blob: what stands in the field "recovery" of the log line, ` +
			"without its quotation marks")
	}
	return blob, nil
}

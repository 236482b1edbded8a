// Package data holds the commands about the data folder of a server on this
// machine that does not run.
package data

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/clierror"
	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/command"
	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/connection"
	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/hint"
	"github.com/tokenvend/tokenvend/pkg/local/datafolder"
	"github.com/tokenvend/tokenvend/pkg/local/maintenance"
)

// Commands returns the commands of this package.
func Commands(p command.Program) []*cobra.Command { return []*cobra.Command{newStore(p)} }

// store is the command store, with its data folder.
type store struct {
	command.Program
	data string
}

func newStore(p command.Program) *cobra.Command {
	s := &store{Program: p}
	cmd := &cobra.Command{
		Use:   "store",
		Short: "Checks, backs up, restores or repairs the data of a server on this machine that does not run",
		Long: `Nothing is overwritten: a file that has to give way is renamed.
A backup holds the store, its key, the operator's key and the credentials, with all secrets in
plain: keep it like those.
`,
		Example: "tokenvend store check\ntokenvend store backup tokenvend.tar\ntokenvend store restore tokenvend.tar",
		RunE: func(*cobra.Command, []string) error {
			return clierror.Usage("expected check, backup, restore or repair")
		},
	}
	cmd.PersistentFlags().StringVar(&s.data, "data", "", "the data `FOLDER` of the server; else "+connection.EnvData+
		", else ~/.tokenvend")
	cmd.AddCommand(
		s.command("check", "Checks the store, its key and every row", s.check),
		s.command("repair", "Keeps the rows that can be read, and sets aside what is of no use", s.repair),
		s.withFile("backup", "Writes a backup to a new file", s.backup),
		s.withFile("restore", "Puts a backup back", s.restore),
	)
	return cmd
}

func (s *store) command(name, short string, run func(context.Context, place) error) *cobra.Command {
	return &cobra.Command{
		Use: name, Short: short, Example: "tokenvend store " + name, Args: command.NoArguments,
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(cmd *cobra.Command, _ []string) error {
			at, err := s.place(cmd)
			if err != nil {
				return err
			}
			return run(cmd.Context(), at)
		},
	}
}

func (s *store) withFile(name, short string, run func(context.Context, place, string) error) *cobra.Command {
	return &cobra.Command{
		Use: name + " FILE", Short: short, Example: "tokenvend store " + name + " tokenvend.tar",
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 1 || args[0] == "-" {
				return clierror.Usage("expected the name of one file")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			at, err := s.place(cmd)
			if err != nil {
				return err
			}
			return run(cmd.Context(), at, args[0])
		},
	}
}

// place is a data folder, and the commands that are printed about it.
type place struct {
	datafolder.Folder
	hint.Commands
}

func (s *store) place(cmd *cobra.Command) (place, error) {
	folder, err := connection.DataFolder(s.data)
	return place{folder, s.Hints(cmd)}, err
}

func (s *store) check(ctx context.Context, f place) error {
	h, err := maintenance.Check(ctx, f.Folder)
	if err != nil {
		return err
	}
	for _, problem := range h.Problems {
		s.Say("%s", problem)
	}
	if n := len(h.Problems); n > 0 {
		return fmt.Errorf("the data folder %s is not sound: %s puts a backup back, and %s keeps what can be read",
			f.Path, f.Text("store restore FILE"), f.Text("store repair"))
	}
	return s.Printf("%s is sound: %d rows, and its key opens each\n", f.StoreFile(), h.Rows)
}

func (s *store) backup(ctx context.Context, f place, to string) error {
	n, err := maintenance.Backup(ctx, f.Folder, to)
	if err != nil {
		return err
	}
	return s.Printf("%d files of %s are in %s, which holds their secrets in plain\n", n, f.Path, to)
}

func (s *store) restore(ctx context.Context, f place, from string) error {
	aside, err := maintenance.Restore(ctx, f.Folder, from)
	for _, name := range aside {
		s.Say("an older file is now %s", name)
	}
	if err != nil {
		return err
	}
	return s.Printf("%s holds what %s held\n", f.Path, from)
}

func (s *store) repair(ctx context.Context, f place) error {
	done, err := maintenance.Repair(ctx, f.Folder)
	for _, text := range done {
		s.Say("%s", text)
	}
	if err != nil {
		return err
	}
	if len(done) == 0 {
		return s.Printf("%s is sound: nothing was changed\n", f.StoreFile())
	}
	return s.Printf("%s can be served again\n", f.Path)
}

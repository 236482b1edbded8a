package transfer

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/spf13/cobra"

	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/clierror"
	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/command"
	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/connection"
	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/hint"
	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/secretstore"
	"github.com/tokenvend/tokenvend/pkg/credential"
)

type importing struct {
	command.Program
	secretstore.Target
	command.Output
	secrets     []string
	yes, dryRun bool
}

func newImport(p command.Program) *cobra.Command {
	i := &importing{Program: p}
	cmd := &cobra.Command{
		Use:   "import [FILE]",
		Short: "Makes credentials from a list, an environment file or existing secrets",
		Long: `It reads a JSON list as export writes it, with the secrets filled in; or an environment file with
lines such as MINUT_CLIENT_ID=…, MINUT_CLIENT_SECRET=…, and _REFRESH_TOKEN, _TOKEN_URL, _PROVIDER,
_SCOPE, _AUDIENCE; - is standard input. --secret takes an existing secret of Secrets Manager, a JSON
object with such members.
It shows what it would make, without secret values, and asks. A credential that is there already is
left as it is. One that is malformed keeps all from being made. Nothing is asked of a provider: a
refresh token might be good for one use.
`,
		Example: "tokenvend import old.env --dry-run\n" +
			"tokenvend import --function tokenvend-VendFunction-abc --secret minut=legacy/minut-oauth",
		Args:              oneFile,
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(cmd *cobra.Command, args []string) error {
			return i.run(cmd.Context(), p.Hints(cmd), args)
		},
	}
	i.Target.Register(cmd)
	i.Output.Register(cmd)
	cmd.Flags().StringArrayVar(&i.secrets, "secret", nil,
		"make a credential of an existing secret, as `NAME=SECRET`, by its name or ARN; may be repeated")
	cmd.Flags().BoolVar(&i.yes, "yes", false, "make them, and do not ask")
	cmd.Flags().BoolVar(&i.dryRun, "dry-run", false, "only show what would be made")
	return cmd
}

// oneFile takes at most one argument.
func oneFile(_ *cobra.Command, args []string) error {
	if len(args) > 1 {
		return clierror.Usage("expected one file")
	}
	return nil
}

func (i *importing) run(ctx context.Context, commands hint.Commands, args []string) error {
	if len(args)+len(i.secrets) == 0 {
		return clierror.Usage("expected a file, or --secret NAME=SECRET")
	}
	place, store, err := i.Open(ctx, commands)
	if err != nil {
		return err
	}
	entries, err := i.read(ctx, place, args)
	if err != nil {
		return err
	}
	all, err := planned(ctx, store, entries)
	if err != nil {
		return err
	}
	if err := i.show(all); err != nil {
		return err
	}
	made, wrong := count(all, created), count(all, malformed)
	switch {
	case wrong > 0:
		text := fmt.Sprintf("%d of %d are malformed, and nothing was written", wrong, len(all))
		return &clierror.RefusedError{Text: text}
	case i.dryRun || made == 0:
		return nil
	}
	if !i.yes {
		if err := i.Confirm(fmt.Sprintf("Make %d credentials?", made), "nothing was written"); err != nil {
			return err
		}
	}
	return i.create(ctx, store, all, commands)
}

// read reads the credentials of the file and of the existing secrets.
func (i *importing) read(ctx context.Context, place connection.Place, files []string) (all []entry, err error) {
	for _, file := range files {
		text, err := i.readFile(file)
		if err != nil {
			return nil, err
		}
		if all, err = readEntries(text); err != nil {
			return nil, err
		}
	}
	for _, pair := range i.secrets {
		e, err := readSecret(ctx, place, pair)
		if err != nil {
			return nil, err
		}
		all = append(all, e)
	}
	if len(all) == 0 {
		return nil, clierror.Usage("no credential was found: expected lines such as MINUT_CLIENT_ID=…, or a JSON list")
	}
	return all, nil
}

// maxFile is the largest file that is read: a thousand secrets of full size.
const maxFile = 1000 * credential.MaxSize

func (i *importing) readFile(name string) ([]byte, error) {
	in := io.Reader(i.Input())
	if name != "-" {
		f, err := os.Open(name) // #nosec G304 -- the operator names the file
		if err != nil {
			return nil, err
		}
		defer func() { _ = f.Close() }()
		in = f
	}
	text, err := io.ReadAll(io.LimitReader(in, maxFile+1))
	if err == nil && len(text) > maxFile {
		err = clierror.Usage("the file is too large")
	}
	return text, err
}

// readSecret reads an existing secret, named as NAME=SECRET.
func readSecret(ctx context.Context, place connection.Place, pair string) (entry, error) {
	name, id, ok := strings.Cut(pair, "=")
	if !ok || id == "" || !credential.ValidName(name) {
		return entry{}, clierror.Usage("--secret: expected NAME=SECRET, with the name of a credential")
	}
	if place.IsLocal() {
		return entry{}, clierror.Usage("--secret reads from Secrets Manager: expected --url or --function beside it")
	}
	out, err := secretsmanager.NewFromConfig(place.AWS).GetSecretValue(ctx,
		&secretsmanager.GetSecretValueInput{SecretId: &id})
	if err != nil {
		return entry{}, clierror.AWS("secretsmanager:GetSecretValue", id, err)
	}
	return fromSecret(name, []byte(aws.ToString(out.SecretString)))
}

// create makes the credentials that are new.
func (i *importing) create(ctx context.Context, store secretstore.Store, all []plan, commands hint.Commands) error {
	made := 0
	for _, p := range all {
		if p.Result != created {
			continue
		}
		if _, err := store.Create(ctx, p.Name, p.text); err != nil {
			return errors.Join(fmt.Errorf("%s was not made, nor what follows it; %d were made: "+
				"the same command makes the rest", p.Name, made), err)
		}
		made++
		i.Say("%s is written (%s).", p.Name, store.Describe(p.Name))
	}
	i.Say("%d credentials are made, and were not tried: %s checks them.", made, commands.Line("doctor"))
	return nil
}

// show prints what import is to do.
func (i *importing) show(all []plan) error {
	return i.Print(i.Console, map[string]any{"credentials": all}, func() error {
		rows := [][]string{{"NAME", "PROVIDER", "CLIENT ID", "RESULT"}}
		for _, p := range all {
			result := p.Result
			if len(p.Faults) > 0 {
				result += ": " + strings.Join(p.Faults, "; ")
			}
			rows = append(rows, []string{p.Name, p.Provider, p.ClientID, result})
		}
		return i.Table(rows)
	})
}

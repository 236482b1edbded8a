package tokens

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/clierror"
	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/command"
	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/hint"
	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/terminal"
)

type execute struct{ request }

func newExec(p command.Program) *cobra.Command {
	e := &execute{}
	cmd := &cobra.Command{
		Use:                   "exec [flags] NAME[,NAME…] [--] COMMAND [ARGUMENT…]",
		DisableFlagsInUseLine: true,
		Short:                 "Runs a command with tokens in its environment, each as NAME_TOKEN",
		Long: `In the variable's name letters are capitals, and - is _. One that is set already is replaced.
Flags stand before NAME; what follows NAME belongs to the command. The tokens are not renewed while the command runs.
`,
		Example: `tokenvend exec minut sh -c 'curl -H "Authorization: Bearer $MINUT_TOKEN"
https://api.minut.com/v8/users/me'
tokenvend exec minut,monta -- env`,
		RunE: func(cmd *cobra.Command, args []string) error { return e.run(cmd.Context(), p.Hints(cmd), args) },
	}
	e.register(cmd)
	cmd.Flags().SetInterspersed(false)
	names := command.CompleteNames(&e.Flags)
	cmd.ValidArgsFunction = func(cmd *cobra.Command, args []string, prefix string,
	) ([]cobra.Completion, cobra.ShellCompDirective) {
		if len(args) > 0 {
			return nil, cobra.ShellCompDirectiveDefault // the command's files
		}
		return names(cmd, args, prefix)
	}
	return cmd
}

// run becomes the command, so that signals, the terminal and the exit code are
// the command's own.
func (e *execute) run(ctx context.Context, commands hint.Commands, args []string) error {
	names, line, err := splitExec(args)
	if err != nil {
		return err
	}
	path, err := exec.LookPath(line[0])
	if err != nil {
		return fmt.Errorf("the command can't be run: %w", err)
	}
	tokens, err := e.tokens(ctx, commands, names)
	if err != nil {
		return err
	}
	environment := os.Environ()
	for i, name := range names {
		environment = withVariable(environment, variable(name), tokens[i].AccessToken, foldsCase)
	}
	if err := terminal.Become(path, line, environment); err != nil {
		return fmt.Errorf("the command can't be run: %w", err)
	}
	return nil
}

// splitExec returns the names of the credentials, and the command line.
func splitExec(args []string) (names, line []string, err error) {
	if len(args) > 0 {
		names, line = strings.Split(args[0], ","), args[1:]
	}
	separated := len(line) > 0 && line[0] == "--"
	if separated {
		line = line[1:]
	}
	switch {
	case len(line) == 0:
		return nil, nil, clierror.Usage("expected NAME and COMMAND, as in exec NAME -- COMMAND")
	case !separated && strings.HasPrefix(line[0], "-"):
		return nil, nil, clierror.Usage("expected the command after NAME: flags of this program stand before NAME")
	}
	seen := map[string]string{}
	for _, name := range names {
		if err := command.CheckName(name); err != nil {
			return nil, nil, err
		}
		v := variable(name)
		if other, taken := seen[v]; taken {
			return nil, nil, clierror.Usage("%s and %s are the same variable, %s", other, name, v)
		}
		seen[v] = name
	}
	return names, line, nil
}

// foldsCase reports whether this system ignores the case of the names of
// variables.
const foldsCase = runtime.GOOS == "windows"

// withVariable returns an environment in which a variable has a value and
// stands once. Some programs take the first of two.
func withVariable(environment []string, name, value string, fold bool) []string {
	isName := func(entry string) bool {
		key, _, _ := strings.Cut(entry, "=")
		return key == name || fold && strings.EqualFold(key, name)
	}
	return append(slices.DeleteFunc(slices.Clone(environment), isName), name+"="+value)
}

// variable returns the environment variable for a credential's token.
func variable(name string) string {
	v := strings.ToUpper(strings.ReplaceAll(name, "-", "_")) + "_TOKEN"
	if v[0] >= '0' && v[0] <= '9' {
		return "_" + v
	}
	return v
}

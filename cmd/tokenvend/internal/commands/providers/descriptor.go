package providers

import (
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/clierror"
	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/command"
	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/secretinput"
	"github.com/tokenvend/tokenvend/pkg/credential"
	"github.com/tokenvend/tokenvend/pkg/descriptor/catalog"
	"github.com/tokenvend/tokenvend/pkg/descriptor/parser"
	"github.com/tokenvend/tokenvend/pkg/descriptor/reference"
)

// newDescriptor returns the command descriptor.
func newDescriptor(p command.Program) *cobra.Command {
	cmd := &cobra.Command{
		Use:     "descriptor",
		Short:   "Checks the descriptor of a provider",
		Example: "tokenvend descriptor lint mine.json",
		RunE: func(*cobra.Command, []string) error {
			return clierror.Usage("expected lint, and the file of a descriptor")
		},
	}
	cmd.AddCommand(newLint(p))
	return cmd
}

// lint is the command descriptor lint.
type lint struct {
	command.Program
	command.Output
}

func newLint(p command.Program) *cobra.Command {
	l := &lint{Program: p}
	cmd := &cobra.Command{
		Use:   "lint FILE",
		Short: "Checks the descriptor in a file, and names everything that is wrong",
		Long: `It reads as strictly as tokenvend itself: fields that are unknown, repeated or of a wrong type, and
values that contradict each other. "-" reads standard input. It exits with 4 where anything is wrong.
`,
		Example: "tokenvend descriptor lint mine.json\ntokenvend descriptor lint --output json - <mine.json",
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 1 {
				return clierror.Usage("expected the file of one descriptor")
			}
			return nil
		},
		RunE: func(_ *cobra.Command, args []string) error { return l.run(args[0]) },
	}
	l.Register(cmd)
	return cmd
}

// problem is one thing that is wrong.
type problem struct {
	Field   string `json:"field"` // "" is the whole
	Problem string `json:"problem"`
	Read    string `json:"read"` // where to read more
}

// linted is what the command prints.
type linted struct {
	Valid    bool                   `json:"valid"`
	Problems []problem              `json:"problems"`
	Fields   []secretinput.Question `json:"fields,omitempty"` // what a credential of it has
}

func (l *lint) run(path string) error {
	data, err := readDescriptor(l.Program, path)
	if err != nil {
		return err
	}
	result := linted{Problems: []problem{}}
	d, err := parser.Parse(data)
	wrong, _ := errors.AsType[*parser.Error](err)
	switch {
	case err == nil:
		result.Valid, result.Fields = true, secretinput.Questions(d, data, "", "")
	case wrong == nil:
		return err
	default:
		for _, p := range wrong.Problems {
			result.Problems = append(result.Problems, problem{p.Field, p.Text, reference.Of(p.Field)})
		}
	}
	if err := l.Print(l.Console, result, func() error { return l.table(result) }); err != nil || result.Valid {
		return err
	}
	if len(result.Problems) == 1 {
		return &clierror.RefusedError{Text: "the descriptor has one problem"}
	}
	return &clierror.RefusedError{Text: fmt.Sprintf("the descriptor has %d problems", len(result.Problems))}
}

func (l *lint) table(r linted) error {
	if !r.Valid {
		rows := [][]string{{"FIELD", "PROBLEM", "READ"}}
		for _, p := range r.Problems {
			rows = append(rows, []string{p.Field, p.Problem, p.Read})
		}
		return l.Table(rows)
	}
	var fields []string
	for _, q := range r.Fields {
		fields = append(fields, q.Field)
	}
	return l.Printf("The descriptor is valid. A credential of it has: %s.\n", strings.Join(fields, ", "))
}

// readDescriptor reads the file of a descriptor; "-" is standard input.
func readDescriptor(p command.Program, path string) ([]byte, error) {
	if path == "-" {
		return readAll(p.Input())
	}
	f, err := os.Open(path) // #nosec G304 -- the operator names the file
	if err != nil {
		return nil, clierror.Usage("%v", err)
	}
	defer func() { _ = f.Close() }()
	return readAll(f)
}

// readAll reads no more than a secret has, in which a descriptor has to fit.
func readAll(r io.Reader) ([]byte, error) {
	data, err := io.ReadAll(io.LimitReader(r, credential.MaxSize+1))
	if err == nil && len(data) > credential.MaxSize {
		err = clierror.Usage("expected a descriptor of at most %d bytes", credential.MaxSize)
	}
	return secretinput.WithoutMark(data), err
}

// isProvider reports whether a provider of the catalogue has that name.
func isProvider(name string) bool { return slices.Contains(catalog.Names(), name) }

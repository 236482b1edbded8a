package secretinput

import (
	"cmp"
	"io"
	"maps"
	"os"
	"slices"
	"strings"

	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/clierror"
	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/command"
	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/terminal"
	"github.com/tokenvend/tokenvend/pkg/credential"
	"github.com/tokenvend/tokenvend/pkg/descriptor"
)

// completeNamed asks for the variables and the named secrets that the provider
// needs and that the secret does not have, on a terminal.
func (s *Input) completeNamed(c terminal.Console, f Fields, d *descriptor.Descriptor, n credential.Needed) error {
	variables, err := f.object("variables")
	if err != nil {
		return err
	}
	secrets, err := f.object("secrets")
	if err != nil {
		return err
	}
	for _, name := range slices.Sorted(maps.Keys(d.Variables)) {
		if _, given := variables[name]; given || d.Variables[name].Default != nil {
			continue
		}
		if !c.Interactive() {
			return clierror.Usage("--variable %s=VALUE is needed, since there is no terminal to ask on", name)
		}
		answer, err := c.Question(cmp.Or(d.Variables[name].Help, name) + ": ")
		if err != nil {
			return err
		}
		if err := f.extend("variables", map[string]string{name: answer}); err != nil {
			return err
		}
	}
	for _, name := range n.Secrets {
		if _, given := secrets[name]; given || d.Secrets[name].Optional {
			continue
		}
		if err := askNamedSecret(c, f, name, d.Secrets[name].Help); err != nil {
			return err
		}
	}
	return nil
}

// askNamedSecret asks for one named secret without showing the answer.
func askNamedSecret(c terminal.Console, f Fields, name, help string) error {
	if !c.Interactive() {
		return clierror.Usage("--secret-file %s=FILE is needed, since there is no terminal to ask on", name)
	}
	answer, err := c.AskHidden(cmp.Or(help, name) + ": ")
	if err != nil {
		return err
	}
	return f.extend("secrets", map[string]string{name: answer.Reveal()})
}

// pairs returns the setter of a flag that takes NAME=VALUE.
func pairs(into map[string]string) func(string) error {
	return func(text string) error {
		name, value, ok := strings.Cut(text, "=")
		if !ok || name == "" {
			return command.Expected("expected NAME=VALUE")
		}
		into[name] = value
		return nil
	}
}

func (s *Input) readSecret(text string) error {
	name, path, ok := strings.Cut(text, "=")
	if !ok || name == "" {
		return command.Expected("expected NAME=FILE")
	}
	content, err := readSmall(path)
	if err != nil {
		return command.Expected("%v", err)
	}
	s.secrets[name] = strings.TrimRight(string(content), "\r\n")
	return nil
}

// readSmall reads a file that is no larger than a secret.
func readSmall(path string) ([]byte, error) {
	f, err := os.Open(path) // #nosec G304 -- the operator names the file
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	return io.ReadAll(io.LimitReader(f, credential.MaxSize+1))
}

package secretinput

import (
	"bytes"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/clierror"
	"github.com/tokenvend/tokenvend/pkg/credential"
	"github.com/tokenvend/tokenvend/pkg/redact"
)

// WithoutMark returns a text without the byte order mark that editors on
// Windows put before it, which would be a part of a secret.
func WithoutMark(text []byte) []byte { return bytes.TrimPrefix(text, []byte("\ufeff")) }

// readSmall reads a file that is no larger than a secret.
func readSmall(path string) ([]byte, error) {
	f, err := os.Open(path) // #nosec G304 -- the operator names the file
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	text, err := io.ReadAll(io.LimitReader(f, credential.MaxSize+1))
	return WithoutMark(text), err
}

// readText reads a file without the line ends at its end.
func readText(path string) (string, error) {
	text, err := readSmall(path)
	return strings.TrimRight(string(text), "\r\n"), err
}

// readPEM reads a file in PEM, or takes "private_key" from a file of JSON, in
// which some providers give a key to their customers.
func readPEM(path string) (string, error) {
	text, err := readText(path)
	var object struct {
		Key string `json:"private_key"`
	}
	if err == nil && json.Unmarshal([]byte(text), &object) == nil && object.Key != "" {
		return object.Key, nil
	}
	return text, err
}

// atHome replaces "~" at the beginning of a path that is typed at a question,
// where no shell does.
func atHome(path string) string {
	rest, ok := strings.CutPrefix(path, "~/")
	home, err := os.UserHomeDir()
	if !ok || err != nil {
		return path
	}
	return filepath.Join(home, rest)
}

// pairs returns the setter of a flag that takes NAME=VALUE.
func pairs(into map[string]string) func(string) error {
	return func(text string) error {
		name, value, ok := strings.Cut(text, "=")
		if !ok || name == "" {
			return clierror.Expected("expected NAME=VALUE")
		}
		into[name] = value
		return nil
	}
}

func (s *Input) readSecret(text string) error {
	name, path, ok := strings.Cut(text, "=")
	if !ok || name == "" {
		return clierror.Expected("expected NAME=FILE")
	}
	content, err := readText(path)
	if err != nil {
		return clierror.Expected("%v", err)
	}
	s.secrets[name] = content
	return nil
}

func (s *Input) readFile(field, path string) error {
	read := readText
	if field == "private_key" {
		read = readPEM
	}
	text, err := read(path)
	if err != nil {
		return clierror.Expected("%v", err)
	}
	s.values[field] = text
	return nil
}

func (s *Input) readPassphrase(path string) error {
	text, err := readText(path)
	if err != nil {
		return clierror.Expected("%v", err)
	}
	if text == "" {
		return clierror.Expected("expected a file with a passphrase")
	}
	s.passphrase = redact.New(text)
	return nil
}

func (s *Input) readDescriptor(path string) error {
	text, err := readSmall(path)
	if err != nil {
		return clierror.Expected("%v", err)
	}
	if !json.Valid(text) {
		return clierror.Expected("expected a file of JSON")
	}
	s.values["descriptor"] = json.RawMessage(text)
	return nil
}

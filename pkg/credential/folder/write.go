package folder

import (
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/tokenvend/tokenvend/pkg/credential"
	"github.com/tokenvend/tokenvend/pkg/private"
)

// Write atomically writes a secret's file with mode 0600. It does not check the
// secret; package secret does.
func (s *Source) Write(name string, data []byte) error {
	return s.write(name, data, s.owners.ReplaceFile)
}

// Create is Write of a secret that must not exist yet. If it does, the error is
// fs.ErrExist and the file is not changed.
func (s *Source) Create(name string, data []byte) error {
	return s.write(name, data, s.owners.CreateFile)
}

func (s *Source) write(name string, data []byte, file func(path string, data []byte) error) error {
	if !credential.ValidName(name) {
		return errors.New("credentials: no credential can have that name")
	}
	if len(data) > credential.MaxSize {
		return fmt.Errorf("credentials: %s is longer than %d bytes", name, credential.MaxSize)
	}
	if err := file(s.path(name), data); err != nil {
		return fmt.Errorf("credentials: write %s: %w", name, err)
	}
	return nil
}

// Remove deletes a secret. ErrUnknown: there is none.
func (s *Source) Remove(name string) error {
	if _, err := s.find(name); err != nil {
		return err
	}
	err := os.Remove(s.path(name))
	if errors.Is(err, fs.ErrNotExist) {
		return credential.ErrUnknown
	}
	if err != nil {
		return fmt.Errorf("credentials: remove %s: %w", name, err)
	}
	return private.SyncFolder(s.dir)
}

package folder

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	"github.com/tokenvend/tokenvend/pkg/credential"
)

// Write puts a secret in its file, mode 0600, in the place of an older one: a reader finds the old or the new, whole. It does not ask whether the secret is well-formed; credential.Parse does.
func (s *Source) Write(name string, data []byte) error {
	if !credential.ValidName(name) {
		return errors.New("credentials: no credential can have that name")
	}
	if len(data) > credential.MaxSize {
		return fmt.Errorf("credentials: %s is longer than %d bytes", name, credential.MaxSize)
	}
	if err := s.replace(name, data); err != nil {
		return fmt.Errorf("credentials: write %s: %w", name, err)
	}
	return nil
}

func (s *Source) replace(name string, data []byte) error {
	temp, err := os.CreateTemp(s.dir, ".new-*") // mode 0600
	if err != nil {
		return err
	}
	_, err = temp.Write(data)
	err = errors.Join(err, temp.Sync(), temp.Close())
	if err == nil {
		err = os.Chtimes(temp.Name(), time.Time{}, time.Now()) // the file system's own clock ticks in milliseconds, and two versions must never have one time
	}
	if err == nil {
		err = os.Rename(temp.Name(), s.path(name))
	}
	if err != nil {
		return errors.Join(err, os.Remove(temp.Name()))
	}
	return s.sync()
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
	return s.sync()
}

// sync makes the folder's change of names outlast a crash.
func (s *Source) sync() error {
	if !hasModes {
		return nil // Windows cannot sync a folder, and needs not
	}
	d, err := os.Open(s.dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

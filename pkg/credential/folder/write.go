package folder

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	"github.com/tokenvend/tokenvend/pkg/credential"
)

// Write atomically writes a secret's file with mode 0600. It does not check the
// secret; credential.Parse does.
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
		// the file system's clock ticks in milliseconds, and two versions must
		// differ in time
		err = os.Chtimes(temp.Name(), time.Time{}, time.Now())
	}
	if err == nil {
		err = os.Rename(temp.Name(), s.path(name))
	}
	if err != nil {
		return errors.Join(err, os.Remove(temp.Name()))
	}
	return s.sync()
}

// Remove deletes a secret. It returns ErrUnknown if there is none.
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

// sync makes the new directory entry durable.
func (s *Source) sync() error {
	if !hasModes {
		return nil // Windows cannot sync a directory and does not need to
	}
	d, err := os.Open(s.dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

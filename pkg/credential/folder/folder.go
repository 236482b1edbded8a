// Package folder reads credentials from files NAME.json in a directory, for one
// machine without Secrets Manager.
package folder

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/tokenvend/tokenvend/pkg/credential"
	"github.com/tokenvend/tokenvend/pkg/credential/secret"
	"github.com/tokenvend/tokenvend/pkg/private"
)

// suffix is the extension of a credential's file.
const suffix = ".json"

// othersMayRead are the mode bits that a secret must not have.
const othersMayRead fs.FileMode = 0o077

// Source is a directory of credentials. Only their current stage exists.
type Source struct {
	dir    string
	owners private.Owners
}

var _ credential.Source = (*Source)(nil)

// New returns the source of a directory of this user. See [Open].
func New(dir string) (*Source, error) { return Open(dir, private.Owners{}) }

// Open returns the source of a directory, which it creates with mode 0700 if it
// is absent. It refuses a directory, and Read a file in it, that belongs to
// none of the owners or that others may write.
func Open(dir string, owners private.Owners) (*Source, error) {
	if err := makeFolder(dir, owners); err != nil {
		return nil, fmt.Errorf("credentials: %w", err)
	}
	if err := owners.CheckFolder(dir); err != nil {
		return nil, fmt.Errorf("credentials: %w", err)
	}
	return &Source{dir: dir, owners: owners}, nil
}

func makeFolder(dir string, owners private.Owners) error {
	if info, err := os.Stat(dir); err == nil && info.IsDir() {
		return nil
	}
	parent, name := filepath.Split(filepath.Clean(dir))
	if err := os.MkdirAll(filepath.Clean(parent), 0o700); err != nil {
		return err
	}
	return owners.MakeFolder(filepath.Clean(parent), name)
}

const hasModes = runtime.GOOS != "windows"

// path returns the path of a credential's file. The name must be valid, because
// another could lead out of the directory.
func (s *Source) path(name string) string { return filepath.Join(s.dir, name+suffix) }

// Read reads one credential. A file that belongs to another user or that others
// may read is malformed, because its secret may be known. A file that is being
// rewritten in place is ErrUnavailable.
func (s *Source) Read(ctx context.Context, name string, stage credential.Stage) (credential.Credential, error) {
	if err := ctx.Err(); err != nil {
		return credential.Credential{}, unavailable(err)
	}
	if stage != credential.Current {
		return credential.Credential{}, credential.ErrUnknown
	}
	if _, err := s.find(name); err != nil {
		return credential.Credential{}, err
	}
	data, version, err := s.load(name)
	if err != nil {
		return credential.Credential{}, err
	}
	return secret.Parse(name, version, data)
}

// Text returns a credential's file as it stands. Errors are those of Read, so
// another user's file is not taken for one of the owner's.
func (s *Source) Text(name string) ([]byte, error) {
	if _, err := s.find(name); err != nil {
		return nil, err
	}
	data, _, err := s.load(name)
	return data, err
}

// find looks up a credential's file. Symbolic links, directories, devices and
// invalid names do not count.
func (s *Source) find(name string) (fs.FileInfo, error) {
	if !credential.ValidName(name) {
		return nil, credential.ErrUnknown
	}
	info, err := os.Lstat(s.path(name))
	if errors.Is(err, fs.ErrNotExist) {
		// A directory that is missing, such as an unmounted disk, proves no
		// absence.
		if _, err := os.ReadDir(s.dir); err != nil {
			return nil, unavailable(err)
		}
		return nil, credential.ErrUnknown
	}
	if err != nil {
		return nil, unavailable(err)
	}
	if !info.Mode().IsRegular() {
		return nil, credential.ErrUnknown
	}
	return info, nil
}

// load reads the whole file and checks that it did not change meanwhile.
func (s *Source) load(name string) (data []byte, version string, err error) {
	f, err := os.Open(s.path(name))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, "", credential.ErrUnknown
	}
	if err != nil {
		return nil, "", unavailable(err)
	}
	defer func() { _ = f.Close() }()
	before, err := f.Stat()
	if err != nil {
		return nil, "", unavailable(err)
	}
	if mode := before.Mode().Perm(); hasModes && mode&othersMayRead != 0 {
		return nil, "", &credential.Malformed{Credential: name, Fields: []credential.FieldError{{
			Field: "file", Expected: fmt.Sprintf("mode 0600, and it is %#o: chmod 600 %s", mode, name+suffix),
		}}}
	}
	if err := s.owners.CheckOwner(f, name+suffix); err != nil {
		return nil, "", &credential.Malformed{Credential: name, Fields: []credential.FieldError{{
			Field: "file", Expected: "one of your own: " + err.Error(),
		}}}
	}
	data, err = io.ReadAll(io.LimitReader(f, credential.MaxSize+1)) // Parse refuses the extra byte
	if err != nil {
		return nil, "", unavailable(err)
	}
	after, err := f.Stat()
	if err != nil || versionOf(after) != versionOf(before) {
		return nil, "", unavailable(errors.New("it changed while it was read"))
	}
	return data, versionOf(before), nil
}

// versionOf returns a version that changes whenever a file is replaced and
// reveals nothing of its content.
func versionOf(info fs.FileInfo) string {
	const bytes = 16
	sum := sha256.Sum256(
		fmt.Appendf(nil, "%s %d %d %d", info.Name(), info.ModTime().UnixNano(), info.Size(), inode(info)),
	)
	return hex.EncodeToString(sum[:bytes])
}

// List returns every credential's name and version, sorted by name.
func (s *Source) List(ctx context.Context) ([]credential.Listed, error) {
	if err := ctx.Err(); err != nil {
		return nil, unavailable(err)
	}
	files, err := os.ReadDir(s.dir)
	if err != nil {
		return nil, unavailable(err)
	}
	var all []credential.Listed
	for _, file := range files {
		name, ok := strings.CutSuffix(file.Name(), suffix)
		if !ok {
			continue
		}
		info, err := s.find(name)
		switch {
		case err == nil:
			all = append(all, credential.Listed{Name: name, Version: versionOf(info)})
		case !errors.Is(err, credential.ErrUnknown):
			return nil, err
		}
	}
	return all, nil
}

// Absent confirms that a credential has no file.
func (s *Source) Absent(ctx context.Context, name string) (bool, error) {
	if err := ctx.Err(); err != nil {
		return false, unavailable(err)
	}
	_, err := s.find(name)
	if errors.Is(err, credential.ErrUnknown) {
		return true, nil
	}
	return false, err
}

// unavailable wraps an error of the file system without the path, because
// callers may see it.
func unavailable(err error) error {
	if e, ok := errors.AsType[*fs.PathError](err); ok {
		err = e.Err
	}
	return fmt.Errorf("%w: %w", credential.ErrUnavailable, err)
}

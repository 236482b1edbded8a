package secretstore

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/clierror"
	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/hint"
	"github.com/tokenvend/tokenvend/pkg/credential"
	"github.com/tokenvend/tokenvend/pkg/credential/folder"
	"github.com/tokenvend/tokenvend/pkg/local/datafolder"
	"github.com/tokenvend/tokenvend/pkg/redact"
)

// folderStore keeps secrets in the data folder of the server on this machine.
// The folder is created with the first secret.
type folderStore struct {
	data     datafolder.Folder
	commands hint.Commands
	source   *folder.Source // nil: the folder does not exist yet
	created  []string       // folders that were created for a new secret
}

func newFolder(data datafolder.Folder, commands hint.Commands) (Store, error) {
	f := &folderStore{data: data, commands: commands}
	if _, err := os.Lstat(data.Credentials()); errors.Is(err, fs.ErrNotExist) {
		return f, f.checkData()
	}
	return f, f.open()
}

// checkData checks a data folder that holds no credentials.
func (f *folderStore) checkData() error {
	if _, err := f.data.Check(); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

func (f *folderStore) open() (err error) {
	f.source, err = f.data.OpenCredentials()
	return err
}

// Describe implements Store.
func (f *folderStore) Describe(name string) string {
	return filepath.Join(f.data.Credentials(), name+".json")
}

// List implements Store.
func (f *folderStore) List(ctx context.Context) ([]string, error) {
	if f.source == nil {
		return nil, nil
	}
	return namesOf(f.source.List(ctx))
}

// Find implements Store.
func (f *folderStore) Find(ctx context.Context, name string) error {
	absent := f.source == nil
	if !absent {
		var err error
		if absent, err = f.source.Absent(ctx, name); err != nil {
			return err
		}
	}
	if absent {
		return &clierror.NotFoundError{Text: "there is no credential " + name + " on this machine: " +
			f.commands.Line("add", name) + " makes one, --data names another folder"}
	}
	return nil
}

// Read implements Store.
func (f *folderStore) Read(ctx context.Context, name string) (redact.String, error) {
	if err := f.Find(ctx, name); err != nil {
		return redact.String{}, err
	}
	text, err := f.source.Text(name)
	if err == nil && len(text) == 0 {
		text = []byte("\n") // an empty file is a malformed value
	}
	return redact.New(string(text)), err
}

// Create implements Store.
func (f *folderStore) Create(ctx context.Context, name string, text redact.String) (Created, error) {
	if f.source == nil {
		for dir := f.data.Credentials(); isMissing(dir); dir = filepath.Dir(dir) {
			f.created = append(f.created, dir)
		}
		if err := f.open(); err != nil {
			return Created{}, err
		}
	}
	err := f.source.Create(name, []byte(text.Reveal()))
	if errors.Is(err, fs.ErrExist) {
		return Created{}, AlreadyExists(name, f.commands)
	}
	if err != nil {
		return Created{}, err
	}
	c, err := f.source.Read(ctx, name, credential.Current)
	return Created{Version: c.Version}, err
}

func isMissing(path string) bool {
	_, err := os.Lstat(path)
	return errors.Is(err, fs.ErrNotExist)
}

// Replace implements Store.
func (f *folderStore) Replace(ctx context.Context, name string, before, text redact.String) (string, error) {
	if err := unchanged(ctx, f, name, before); err != nil {
		return "", err
	}
	return "A server that runs takes it within a second, and keeps a living token until its time",
		f.source.Write(name, []byte(text.Reveal()))
}

// Remove implements Store.
func (f *folderStore) Remove(ctx context.Context, name string) (string, error) {
	if err := f.Find(ctx, name); err != nil {
		return "", err
	}
	return "A server that runs stops handing out its tokens within a second.", f.remove(name)
}

func (f *folderStore) remove(name string) error {
	if err := f.source.Remove(name); !errors.Is(err, credential.ErrUnknown) {
		return err
	}
	return nil
}

// Discard implements Store.
func (f *folderStore) Discard(_ context.Context, name string) error {
	err := f.remove(name)
	for _, dir := range f.created {
		_ = os.Remove(dir) // it fails for a folder that holds something by now
	}
	return err
}

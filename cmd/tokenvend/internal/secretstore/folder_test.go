package secretstore

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/hint"
	"github.com/tokenvend/tokenvend/pkg/local/datafolder"
	"github.com/tokenvend/tokenvend/pkg/redact"
)

const secret = `{"provider":"minut","client_id":"i","client_secret":"s"}`

func newTestFolder(t *testing.T) Store {
	t.Helper()
	data := datafolder.Folder{Path: filepath.Join(t.TempDir(), "data"), Named: true}
	s, err := newFolder(data, hint.Commands{})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// wantText checks the secret of minut.
func wantText(t *testing.T, s Store, want string) {
	t.Helper()
	if got, err := s.Read(t.Context(), "minut"); err != nil || got.Reveal() != want {
		t.Errorf("Read(minut) = %q, %v, want %q", got.Reveal(), err, want)
	}
}

// While one operator answers questions, another may add the same name.
func TestCreateOverwritesNoSecret(t *testing.T) {
	s := newTestFolder(t)
	if _, err := s.Create(t.Context(), "minut", redact.New(secret)); err != nil {
		t.Fatal(err)
	}
	_, err := s.Create(t.Context(), "minut", redact.New(`{"provider":"monta"}`))
	if err == nil || !strings.Contains(err.Error(), "minut is there already") {
		t.Errorf("Create(minut) = %v, want that it is there already", err)
	}
	wantText(t, s, secret)
}

func TestReplaceKeepsWhatAnotherHasWritten(t *testing.T) {
	s := newTestFolder(t)
	before, rotated := redact.New(secret), redact.New(strings.Replace(secret, `"s"`, `"new"`, 1))
	if _, err := s.Create(t.Context(), "minut", before); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Replace(t.Context(), "minut", before, rotated); err != nil {
		t.Fatal(err)
	}
	_, err := s.Replace(t.Context(), "minut", before, redact.New(`{"provider":"monta"}`))
	if err == nil || !strings.Contains(err.Error(), "was changed meanwhile") {
		t.Errorf("Replace(minut) of another value = %v, want that it was changed meanwhile", err)
	}
	wantText(t, s, rotated.Reveal())
}

package tokenfile

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/tokenvend/tokenvend/pkg/agent"
	"github.com/tokenvend/tokenvend/pkg/api"
	"github.com/tokenvend/tokenvend/pkg/client"
	"github.com/tokenvend/tokenvend/pkg/client/clienttest"
)

// keep keeps a file until the test ends, and returns what it logs then.
func keep(t *testing.T, f File, fake client.Transport) (stop func() string) {
	t.Helper()
	a := agent.New(agent.Config{Transport: fake})
	ctx, cancel := context.WithCancel(t.Context())
	var log bytes.Buffer
	done := make(chan struct{})
	go func() {
		defer close(done)
		f.Update(ctx, a, slog.New(slog.NewTextHandler(&log, nil)))
	}()
	return func() string {
		cancel()
		<-done
		a.Close()
		return log.String()
	}
}

// await waits until a file has a content.
func await(t *testing.T, path, want string) {
	t.Helper()
	var got []byte
	var err error
	for end := time.Now().Add(20 * time.Second); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		if got, err = os.ReadFile(path); string(got) == want {
			return
		}
	}
	t.Fatalf("ReadFile(%s) = %q, %v, want %q", path, got, err, want)
}

// awaitOther waits until a file holds another token, whole, and returns it.
func awaitOther(t *testing.T, path, than string) string {
	t.Helper()
	var got []byte
	var err error
	for end := time.Now().Add(20 * time.Second); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		if got, err = os.ReadFile(path); err == nil && string(got) != than {
			if !strings.HasPrefix(string(got), "token-") {
				t.Errorf("ReadFile(%s) = %q, want a whole token", path, got)
			}
			return string(got)
		}
	}
	t.Fatalf("ReadFile(%s) = %q, %v, want another token than %q", path, got, err, than)
	return ""
}

func TestKeepWritesEachToken(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "token")
	fake := &clienttest.Server{Lifetime: 3 * time.Second, Early: 2 * time.Second}
	stop := keep(t, File{Credential: "minut", Path: path}, fake)
	first := awaitOther(t, path, "")
	info, err := os.Stat(path)
	if err != nil || runtime.GOOS != "windows" && info.Mode().Perm() != 0o600 {
		t.Errorf("Stat(%s) = %v, %v, want mode 0600", path, info.Mode(), err)
	}
	awaitOther(t, path, first)
	if log := stop(); log != "" {
		t.Errorf("Keep logs %s, want nothing", log)
	}
}

func TestTemplate(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "netrc")
	content, err := Parse("machine api.example login x password {{.AccessToken}}\n")
	if err != nil {
		t.Fatal(err)
	}
	stop := keep(t, File{"minut", path, content}, &clienttest.Server{})
	await(t, path, "machine api.example login x password token-1\n")
	stop()
	for _, wrong := range []string{"{{.Token}}", "{{.AccessToken", "{{index .Scope 3}}"} {
		if _, err := Parse(wrong); err == nil {
			t.Errorf("Parse(%q) = nil, want an error", wrong)
		}
	}
}

// Where a link leads, nothing is written: it is replaced by a file.
func TestSymbolicLinkIsNotFollowed(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path, victim := filepath.Join(dir, "token"), filepath.Join(dir, "victim")
	if err := os.WriteFile(victim, []byte("untouched"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(victim, path); err != nil {
		t.Fatal(err)
	}
	stop := keep(t, File{Credential: "minut", Path: path}, &clienttest.Server{})
	await(t, path, "token-1")
	stop()
	if got, err := os.ReadFile(victim); string(got) != "untouched" {
		t.Errorf("ReadFile(victim) = %q, %v, want it untouched", got, err)
	}
	if info, err := os.Lstat(path); err != nil || info.Mode()&fs.ModeSymlink != 0 {
		t.Errorf("Lstat(%s) = %v, %v, want a file", path, info.Mode(), err)
	}
}

func TestFailuresAreLoggedAndTriedAgain(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "no-such-folder", "token")
	fake := &clienttest.Server{}
	fake.Fail(errors.New("no route to host"))
	stop := keep(t, File{Credential: "minut", Path: path}, fake)
	time.Sleep(50 * time.Millisecond)
	log := stop()
	for _, s := range []string{"a token file was not written", "no route to host", "credential=minut"} {
		if !strings.Contains(log, s) {
			t.Errorf("Keep logs %s, want %q", log, s)
		}
	}
	if strings.Contains(log, "token-1") {
		t.Errorf("Keep logs %s, want no token", log)
	}
}

func TestFolderThatOthersMayWriteIsNamed(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "windows" {
		t.Log("Windows has no modes")
		return
	}
	dir := t.TempDir()
	if err := os.Chmod(dir, 0o777); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "token")
	stop := keep(t, File{Credential: "minut", Path: path}, &clienttest.Server{})
	await(t, path, "token-1")
	if log := stop(); !strings.Contains(log, "others may replace") {
		t.Errorf("Keep logs %s, want a warning about the folder", log)
	}
}

// sameToken returns one token again and again, each time with another expiry.
type sameToken struct{ hours int }

func (s *sameToken) Send(context.Context, api.Request) ([]byte, error) {
	s.hours++
	life := time.Duration(s.hours) * time.Hour
	return api.Token{
		AccessToken: "token-1", TokenType: "Bearer", Fingerprint: "0123456789abcdef", ExpiresIn: api.Seconds(life),
		ExpiresAt: time.Now().Add(life), CacheUntil: time.Now().Add(time.Second),
	}.AppendJSON(nil), nil
}

// A provider may return the token that it has returned before, with another
// expiry: a file that names the expiry holds that one.
func TestUpdateWritesANewExpiryOfTheSameToken(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "token")
	content, err := Parse(`{{.AccessToken}} {{.ExpiresAt.Format "15:04"}}`)
	if err != nil {
		t.Fatal(err)
	}
	stop := keep(t, File{"minut", path, content}, &sameToken{})
	awaitOther(t, path, awaitOther(t, path, ""))
	stop()
}

func TestUpdateWritesAFileThatIsGone(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "token")
	stop := keep(t, File{Credential: "minut", Path: path}, &clienttest.Server{})
	await(t, path, "token-1")
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	await(t, path, "token-1")
	stop()
}

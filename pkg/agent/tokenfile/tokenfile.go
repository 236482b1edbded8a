// Package tokenfile keeps files that hold a token each, for programs that read
// one from a file. A reader finds the old token or the new one, whole.
package tokenfile

import (
	"bytes"
	"context"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"text/template"
	"time"

	"github.com/tokenvend/tokenvend/pkg/api"
	"github.com/tokenvend/tokenvend/pkg/client"
	"github.com/tokenvend/tokenvend/pkg/private"
)

// File is a file that holds a token of a credential. It has mode 0600. A
// symbolic link at its path is replaced, and not followed.
type File struct {
	Credential string
	Path       string
	Template   *template.Template // of its content, executed with a [Content]; nil: the token alone
}

// Content is what the template of a file is executed with.
type Content struct {
	AccessToken string
	TokenType   string
	Scope       string
	Fingerprint string
	ExpiresAt   time.Time
	CacheUntil  time.Time
}

// Parse parses a template of the package text/template, and executes it once:
// an error is not found out when the first token comes.
func Parse(text string) (*template.Template, error) {
	t, err := template.New("").Parse(text)
	if err != nil {
		return nil, err
	}
	return t, t.Execute(&bytes.Buffer{}, Content{TokenType: "Bearer"})
}

// Source is where tokens come from: an agent.
type Source interface {
	Token(context.Context, api.Request) (client.Token, error)
}

// How often a file is looked after: without a failure, and after one.
const (
	every      = time.Second
	retryAfter = 5 * time.Second
)

// Update writes the file, and again whenever its content is another one or the
// file is gone, until ctx ends. A provider may return the same token with
// another expiry. Failures are logged; the file is left as it is meanwhile.
func (f File) Update(ctx context.Context, tokens Source, log *slog.Logger) {
	f.checkFolder(log)
	var written []byte // nil: nothing yet
	for ctx.Err() == nil {
		wait := every
		var text []byte
		t, err := tokens.Token(ctx, api.Request{Credential: f.Credential})
		if err == nil {
			text, err = f.content(t)
		}
		if err == nil && (written == nil || !bytes.Equal(text, written) || !f.exists()) {
			err = private.ReplaceFile(f.Path, text)
		}
		switch {
		case err == nil:
			written = text
		case ctx.Err() == nil:
			wait = retryAfter
			log.Warn("a token file was not written", "path", f.Path, "credential", f.Credential, "error", err.Error())
		}
		select {
		case <-ctx.Done():
		case <-time.After(wait):
		}
	}
}

// checkFolder warns of a folder in which other users may replace the file. They
// cannot read it.
func (f File) checkFolder(log *slog.Logger) {
	const othersWrite = fs.FileMode(0o022)
	info, err := os.Stat(filepath.Dir(f.Path))
	if err != nil || runtime.GOOS == "windows" {
		return // the write has the error; Windows has no modes
	}
	if mode := info.Mode(); mode&othersWrite != 0 && mode&fs.ModeSticky == 0 {
		log.Warn("others may replace a token file: the mode of its folder lets them write there",
			"path", f.Path, "mode", mode.String())
	}
}

// exists reports whether the file is there. Another process, such as one that
// empties /tmp, may have removed it.
func (f File) exists() bool {
	info, err := os.Lstat(f.Path)
	return err == nil && info.Mode().IsRegular()
}

// content returns what the file holds for a token.
func (f File) content(t client.Token) ([]byte, error) {
	if f.Template == nil {
		return []byte(t.Reveal()), nil
	}
	var content bytes.Buffer
	err := f.Template.Execute(&content, Content{
		AccessToken: t.Reveal(), TokenType: t.Type, Scope: t.Scope, Fingerprint: t.Fingerprint,
		ExpiresAt: t.ExpiresAt.UTC(), CacheUntil: t.CacheUntil.UTC(),
	})
	if err != nil {
		return nil, fmt.Errorf("the template: %w", err)
	}
	return content.Bytes(), nil
}

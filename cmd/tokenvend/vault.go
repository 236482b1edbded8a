package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"github.com/tokenvend/tokenvend/pkg/credential"
	"github.com/tokenvend/tokenvend/pkg/credential/folder"
	"github.com/tokenvend/tokenvend/pkg/local"
	"github.com/tokenvend/tokenvend/pkg/redact"
)

// vault is where the secrets of credentials are kept. What its methods return as told is for people: what comes of it, and how to undo it.
type vault interface {
	// where names a credential's secret for people.
	where(name string) string

	// find is nil where there is a secret of that name, and notHere where there is none and one can be made.
	find(ctx context.Context, name string) error

	// read returns what stands in a secret, zero where it has no value yet;
	// notHere.
	read(ctx context.Context, name string) (redact.String, error)

	// create keeps a new secret, and fails where there is one.
	create(ctx context.Context, name string, text redact.String) (made, error)

	// replace keeps another text under a name that is there; notHere.
	replace(ctx context.Context, name string, text redact.String) (told string, err error)

	// remove takes a secret away; notHere.
	remove(ctx context.Context, name string) (told string, err error)

	// discard takes away what has just been created and nobody has used, and leaves nothing of it.
	discard(ctx context.Context, name string) error
}

// made is a secret that was just created.
type made struct {
	version string // as api.StatusReport tells it
	arn     string // "" on this machine
}

// notHere is the error of a name of which there is no secret.
type notHere struct{ text string }

func (e notHere) Error() string { return e.text }

// secretPrefix is the flag --prefix.
type secretPrefix struct{ given string }

const (
	envPrefix     = "TOKENVEND_SECRET_PREFIX"
	defaultPrefix = "tokenvend/"
)

var validPrefix = regexp.MustCompile(`^[A-Za-z0-9/_+=.@-]{1,200}$`)

// vault is where this place keeps its secrets.
func (p place) vault(prefix secretPrefix) (vault, error) {
	switch {
	case p.data != "" && prefix.given != "":
		return nil, usage("--prefix is for a stack's secrets: expected --url or --function beside it")
	case p.data != "":
		return newFiles(p.named)
	case strings.HasPrefix(strings.ToLower(p.url), "http://"):
		return nil, usage("a server at an http URL keeps its secrets in a folder: expected --data with that folder, on the machine where it runs")
	}
	name := prefix.orDefault()
	if !validPrefix.MatchString(name) {
		return nil, usage("--prefix, %s: expected up to 200 characters of a secret's name", envPrefix)
	}
	return &cloud{secretsmanager.NewFromConfig(p.aws), name, p.aws.Region}, nil
}

func (s secretPrefix) orDefault() string {
	for _, prefix := range []string{s.given, os.Getenv(envPrefix)} {
		if prefix != "" {
			return prefix
		}
	}
	return defaultPrefix
}

// files is the folder of credentials on this machine.
type files struct {
	source *folder.Source
	dir    string
}

func newFiles(named string) (*files, error) {
	source, err := local.OpenCredentials(named)
	return &files{source, local.CredentialFolder(named)}, err
}

func (f *files) where(name string) string { return filepath.Join(f.dir, name+".json") }

func (f *files) find(ctx context.Context, name string) error {
	absent, err := f.source.Absent(ctx, name)
	if err == nil && absent {
		err = notHere{fmt.Sprintf("there is no credential %s on this machine: tokenvend add makes one, --data names another folder", name)}
	}
	return err
}

func (f *files) read(ctx context.Context, name string) (redact.String, error) {
	if err := f.find(ctx, name); err != nil {
		return redact.String{}, err
	}
	text, err := f.source.Text(name)
	if err == nil && len(text) == 0 {
		text = []byte("\n") // an empty file is a value, and a broken one
	}
	return redact.New(string(text)), err
}

func (f *files) create(ctx context.Context, name string, text redact.String) (made, error) {
	if err := f.source.Write(name, []byte(text.Reveal())); err != nil {
		return made{}, err
	}
	c, err := f.source.Read(ctx, name, credential.Current)
	return made{version: c.Version}, err
}

func (f *files) replace(ctx context.Context, name string, text redact.String) (string, error) {
	if err := f.find(ctx, name); err != nil {
		return "", err
	}
	return "A server that runs takes it within a second, and keeps a living token until its time", f.source.Write(name, []byte(text.Reveal()))
}

func (f *files) remove(ctx context.Context, name string) (string, error) {
	if err := f.discard(ctx, name); err != nil {
		return "", err
	}
	return "A server that runs stops handing out its tokens within a second.", nil
}

func (f *files) discard(_ context.Context, name string) error {
	if err := f.source.Remove(name); !errors.Is(err, credential.ErrUnknown) {
		return err
	}
	return nil
}

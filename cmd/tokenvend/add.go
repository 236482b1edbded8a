package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/tokenvend/tokenvend/pkg/credential"
	"github.com/tokenvend/tokenvend/pkg/credential/folder"
)

const secretHelp = `What is missing is asked for, the client secret without showing it. Where standard input
is no terminal, its first line is the client secret; with --json, all of it is the secret.
`

var addCommand = command{
	name: "add", args: "NAME", does: "Adds a credential to the server on this machine, and tries it",
	more:    secretHelp,
	example: "tokenvend add minut --provider minut --client-id my-id\ntokenvend add minut --json <minut.json",
	make:    func() action { return &add{} },
}

type add struct {
	secret
	data string
}

func (a *add) flags(f *flag.FlagSet) {
	a.secret.flags(f)
	dataFlag(f, &a.data)
}

func (a *add) run(ctx context.Context, c console, args []string) error {
	name, err := oneName(args)
	if err != nil {
		return err
	}
	source, err := folder.New(credentialFolder(a.data))
	if err != nil {
		return err
	}
	absent, err := source.Absent(ctx, name)
	if err != nil {
		return err
	}
	if !absent {
		return fmt.Errorf("%s is there already: tokenvend set replaces its secret", name)
	}
	began := time.Now().Truncate(time.Millisecond)
	if err := a.write(c, source, name, map[string]any{}); err != nil {
		return err
	}
	if err := a.try(ctx, c, source, name, began); err != nil {
		return err
	}
	c.say(howToCall, name)
	return nil
}

// write composes a secret, checks it, and puts it into the folder.
func (s *secret) write(c console, source *folder.Source, name string, before map[string]any) error {
	text, err := s.compose(c, name, before)
	if err != nil {
		return err
	}
	if _, err := credential.Parse(name, "", []byte(text.Reveal())); err != nil {
		return err
	}
	return source.Write(name, []byte(text.Reveal()))
}

var setCommand = command{
	name: "set", args: "NAME", does: "Replaces the secret of a credential on this machine",
	more:    secretHelp + "What is neither given nor asked for stays as it is; with --json, nothing does.\n",
	example: "tokenvend set minut",
	make:    func() action { return &set{} },
}

type set struct {
	secret
	data string
}

func (s *set) flags(f *flag.FlagSet) {
	s.secret.flags(f)
	dataFlag(f, &s.data)
}

func (s *set) run(_ context.Context, c console, args []string) error {
	name, err := oneName(args)
	if err != nil {
		return err
	}
	source, err := existing(s.data, name)
	if err != nil {
		return err
	}
	before, err := fieldsOf(filepath.Join(credentialFolder(s.data), name+".json"))
	if err != nil {
		return err
	}
	if err := s.write(c, source, name, before); err != nil {
		return err
	}
	c.say("%s is written. A server that runs takes it at its next pass (serve --every), and keeps a living token until its time: tokenvend renew %[1]s tries the new secret then.", name)
	return nil
}

// existing is the folder of credentials on this machine, with that one in it.
func existing(data, name string) (*folder.Source, error) {
	source, err := folder.New(credentialFolder(data))
	if err != nil {
		return nil, err
	}
	absent, err := source.Absent(context.Background(), name)
	if err == nil && absent {
		err = notHere{name}
	}
	return source, err
}

// notHere is the error of a name that the folder of credentials does not have.
type notHere struct{ name string }

func (e notHere) Error() string {
	return fmt.Sprintf("there is no credential %s on this machine: tokenvend add makes one, --data names another folder", e.name)
}

// fieldsOf reads a secret's file, so that what is not changed stays. A file that is no JSON is no obstacle to replacing it.
func fieldsOf(path string) (map[string]any, error) {
	text, err := os.ReadFile(path)
	fields := map[string]any{}
	if err == nil && json.Unmarshal(text, &fields) != nil {
		fields = map[string]any{}
	}
	return fields, err
}

var rmCommand = command{
	name: "rm", args: "NAME", does: "Revokes a credential's token and removes its secret from this machine", example: "tokenvend rm minut",
	make: func() action { return &rm{} },
}

type rm struct{ data string }

func (r *rm) flags(f *flag.FlagSet) { dataFlag(f, &r.data) }

func (r *rm) run(ctx context.Context, c console, args []string) error {
	name, err := oneName(args)
	if err != nil {
		return err
	}
	source, err := existing(r.data, name)
	if err != nil {
		return err
	}
	at, err := localClient(r.data)
	if err == nil {
		_, err = at.Revoke(ctx, name)
	}
	if err != nil {
		text, _ := explain(err)
		c.say("Its token could not be revoked: %s", text)
	}
	if err := source.Remove(name); err != nil && !errors.Is(err, credential.ErrUnknown) {
		return err
	}
	c.say("%s is removed. A server that runs stops handing out its tokens at its next pass (serve --every).", name)
	return nil
}

package main

import (
	"context"
	"errors"
	"flag"
	"fmt"

	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/terminal"
	"github.com/tokenvend/tokenvend/pkg/credential"
	"github.com/tokenvend/tokenvend/pkg/redact"
)

const secretHelp = `The secret is kept in Secrets Manager where a stack is named, as PREFIX and NAME; else it is a file on this machine.
What is missing is asked for, the client secret without showing it. Where standard input
is no terminal, its first line is the client secret; with --json, all of it is the secret.
`

// keeper is what add, set and rm have in common: a place, and the secrets there.
type keeper struct {
	server
	prefix secretPrefix
}

func (k *keeper) flags(f *flag.FlagSet) {
	k.server.flags(f)
	f.StringVar(&k.prefix.given, "prefix", "", "what the names of a stack's secrets begin with, its `PREFIX`; else "+envPrefix+" (default "+defaultPrefix+")")
}

func (k *keeper) open(ctx context.Context) (place, vault, error) {
	p, err := k.place(ctx)
	if err != nil {
		return p, nil, err
	}
	v, err := p.vault(k.prefix)
	return p, v, err
}

var addCommand = command{
	name: "add", args: "NAME", does: "Adds a credential, tries it, and says how a caller gets it",
	more: secretHelp + "A secret that the provider refuses is not kept.\n",
	example: "tokenvend add minut --provider minut --client-id my-id\n" +
		"tokenvend add minut --function tokenvend-VendFunction-abc --json <minut.json",
	make: func() action { return &add{} },
}

type add struct {
	secret
	keeper
}

func (a *add) flags(f *flag.FlagSet) {
	a.secret.flags(f)
	a.keeper.flags(f)
}

func (a *add) run(ctx context.Context, c console, args []string) error {
	name, err := oneName(args)
	if err != nil {
		return err
	}
	p, v, err := a.open(ctx)
	if err != nil {
		return err
	}
	if err := free(ctx, v, name); err != nil {
		return err
	}
	text, _, err := a.checked(c, name, fields{})
	if err != nil {
		return err
	}
	fresh, err := v.create(ctx, name, text)
	if err != nil {
		return err
	}
	if err := (trial{c, p, v, name, fresh.version}).run(ctx); err != nil {
		return err
	}
	c.Text(p.grants(name, fresh.arn) + "\n")
	return nil
}

// free makes sure that a secret can be made, before anybody is asked what stands in it.
func free(ctx context.Context, v vault, name string) error {
	err := v.find(ctx, name)
	if _, absent := errors.AsType[notHere](err); absent {
		return nil
	}
	if err != nil {
		return err
	}
	return taken(name)
}

func taken(name string) error {
	return fmt.Errorf("%s is there already: tokenvend set replaces its secret", name)
}

// checked composes a secret and makes sure that it is well-formed.
func (s *secret) checked(c console, name string, before fields) (redact.String, credential.Credential, error) {
	text, err := s.compose(c, name, before)
	if err != nil {
		return text, credential.Credential{}, err
	}
	parsed, err := credential.Parse(name, "", []byte(text.Reveal()))
	return text, parsed, err
}

var rmCommand = command{
	name: "rm", args: "NAME", does: "Revokes a credential's token and removes its secret",
	more:    "A stack's secret can be had back for 30 days; how is said. A file on this machine can't.\n",
	example: "tokenvend rm minut",
	make:    func() action { return &rm{} },
}

type rm struct{ keeper }

func (r *rm) run(ctx context.Context, c console, args []string) error {
	name, err := oneName(args)
	if err != nil {
		return err
	}
	p, v, err := r.open(ctx)
	if err != nil {
		return err
	}
	if err := v.find(ctx, name); err != nil {
		return err
	}
	if err := revokeAt(ctx, p, name); err != nil {
		text, _ := explain(err)
		c.Say("Its token could not be revoked: %s", terminal.Lines(text))
	}
	told, err := v.remove(ctx, name)
	if err != nil {
		return err
	}
	c.Say("%s is removed. %s", name, terminal.Lines(told))
	return nil
}

func revokeAt(ctx context.Context, p place, name string) error {
	at, err := p.client()
	if err == nil {
		_, err = at.Revoke(ctx, name)
	}
	return err
}

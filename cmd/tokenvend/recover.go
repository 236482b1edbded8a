package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"
)

var recoverCommand = command{
	name: "recover", args: "NAME", does: "Puts back a refresh token that could not be stored",
	more: `When a provider has given a new refresh token and the store did not take it, the function's log has a line "unstored"
with a field "recovery": the refresh token, sealed. Give that here, on standard input or in a file, before anybody
connects the account again: it is taken only where nothing has replaced the token since.
`,
	example: "tokenvend recover trackmania <blob.txt",
	make:    func() action { return &recovering{} },
}

type recovering struct {
	server
	json bool
	file string
}

func (r *recovering) flags(f *flag.FlagSet) {
	r.server.flags(f)
	f.BoolVar(&r.json, "json", false, "print JSON")
	f.StringVar(&r.file, "file", "", "read the blob from this `FILE` instead of standard input")
}

func (r *recovering) run(ctx context.Context, c console, args []string) error {
	name, err := oneName(args)
	if err != nil {
		return err
	}
	blob, err := r.blob(c)
	if err != nil {
		return err
	}
	at, err := r.client(ctx)
	if err != nil {
		return err
	}
	report, err := at.Recover(ctx, name, blob)
	if err != nil {
		return err
	}
	c.Say("%s: the refresh token is back in its place.", name)
	return (&target{variant: variant{account: report.Account}, json: r.json}).print(c, report)
}

// mostBlob is the longest blob that is read, in bytes: the function takes no longer one.
const mostBlob = 8 << 10

func (r *recovering) blob(c console) (string, error) {
	in := c.Input()
	if r.file != "" {
		f, err := os.Open(r.file)
		if err != nil {
			return "", fmt.Errorf("--file: %w", err)
		}
		defer func() { _ = f.Close() }()
		in = f
	} else if c.Interactive() {
		c.Say("Paste the blob, and end with Ctrl-D on a line of its own:")
	}
	text, err := io.ReadAll(io.LimitReader(in, mostBlob+1))
	if err != nil {
		return "", err
	}
	blob := strings.Join(strings.Fields(string(text)), "") // terminals and mails break long lines
	if blob == "" || len(text) > mostBlob {
		return "", errors.New(`expected the blob: what stands in the field "recovery" of the log line, without its quotation marks`)
	}
	return blob, nil
}

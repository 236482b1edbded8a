package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"time"

	"github.com/tokenvend/tokenvend/pkg/api"
	"github.com/tokenvend/tokenvend/pkg/client"
	"github.com/tokenvend/tokenvend/pkg/consent"
	"github.com/tokenvend/tokenvend/pkg/redact"
)

var connectCommand = command{
	name: "connect", args: "NAME", does: "Connects a person's account: the person logs in at the provider and allows it",
	more: `The browser goes to the provider, and comes back to this program, which listens on loopback meanwhile.
What it brings goes to tokenvend, which exchanges it and keeps the grant: no client secret and no token gets here.
Where there is no browser, --paste prints the provider's address; open it anywhere, and paste the address that the
browser ends at, though no page is shown there.
A provider that takes registered redirect URIs only is told one by --redirect.
`,
	example: "tokenvend connect trackmania --account alice\ntokenvend connect trackmania --account alice --paste --redirect https://app.example.com/callback",
	make:    func() action { return &connect{} },
}

type connect struct {
	target
	paste, noBrowser bool
	redirect         string
	timeout          time.Duration
}

func (n *connect) flags(f *flag.FlagSet) {
	n.target.flags(f)
	f.BoolVar(&n.paste, "paste", false, "read the address that the browser ends at from standard input")
	f.BoolVar(&n.noBrowser, "no-browser", false, "print the address to open, and open no browser")
	f.StringVar(&n.redirect, "redirect", "", "come back to this `URI`, one of a loopback address or, with --paste, any that is registered; else a free port of 127.0.0.1")
	f.DurationVar(&n.timeout, "timeout", 5*time.Minute, "how long to wait for the person, as in `5m`")
}

func (n *connect) run(ctx context.Context, c console, args []string) error {
	name, err := oneName(args)
	if err != nil {
		return err
	}
	if n.timeout <= 0 {
		return usage("--timeout: expected a positive duration")
	}
	at, err := n.client(ctx)
	if err != nil {
		return err
	}
	e := &errand{connect: n, console: c, name: name, at: at}
	if n.paste {
		err = e.byHand(ctx)
	} else {
		err = e.byBrowser(ctx)
	}
	if err != nil {
		return err
	}
	return e.report()
}

// errand is one account being connected.
type errand struct {
	*connect
	console
	name string
	at   *remote
	kept api.StatusReport

	destination string // where the person was sent; the code goes nowhere else
}

// begin asks where the person has to go.
func (e *errand) begin(ctx context.Context, redirect string) (*consent.Request, error) {
	page, err := e.at.Authorize(ctx, e.name, redirect, e.options()...)
	if err != nil {
		return nil, err
	}
	e.destination = page.Destination
	return consent.New(page)
}

// keep has the code exchanged and the grant kept.
func (e *errand) keep(ctx context.Context, v *consent.Request, redirect string, code redact.String) (err error) {
	g := client.Grant{Code: code.Reveal(), CodeVerifier: v.Verifier().Reveal(), RedirectURI: redirect, Destination: e.destination}
	e.kept, err = e.at.Connect(ctx, e.name, g, e.options()...)
	if isInDoubt(err) {
		return inDoubt{err, e.variant.line("status", e.name)}
	}
	return err
}

// lateError is the error of a person who did not come back.
type lateError struct{ after time.Duration }

func (e lateError) Error() string {
	return fmt.Sprintf("nobody came back from the provider within %v, and nothing was stored", e.after)
}

// byBrowser has the browser of this machine come back to this program.
func (e *errand) byBrowser(ctx context.Context) error {
	landing, err := consent.Listen(e.redirect)
	if err != nil {
		return usage("--redirect: %v; any other address needs --paste", err)
	}
	defer landing.Close()
	visit, err := e.begin(ctx, landing.RedirectURI())
	if err != nil {
		return err
	}
	e.lead(visit, landing.Link())
	ctx, cancel := context.WithTimeoutCause(ctx, e.timeout, lateError{e.timeout})
	defer cancel()
	return landing.Wait(ctx, consent.Handler{
		Request: visit,
		Keep: func(ctx context.Context, code redact.String) error {
			return e.keep(ctx, visit, landing.RedirectURI(), code)
		},
		Done:    e.done() + " You can close this window.",
		Explain: func(err error) string { text, _ := explain(err); return text },
	})
}

func (e *errand) lead(visit *consent.Request, link string) {
	if !e.noBrowser && openBrowser(link) == nil {
		e.Say("A browser opens. If it does not, open this address on this machine, which leads to %s:\n  %s",
			visit.Site(), link)
	} else {
		e.Say("Open this address in a browser on this machine; it leads to %s:\n  %s", visit.Site(), link)
	}
	e.Say("Log in there, and allow it. This program waits for %v.", e.timeout)
}

// nowhere is a redirect URI at which nothing needs to listen: the address that the browser shows is all that is wanted.
const nowhere = "http://127.0.0.1/connected"

// byHand has a person carry the answer here.
func (e *errand) byHand(ctx context.Context) error {
	redirect := e.redirect
	if redirect == "" {
		redirect = nowhere
	}
	visit, err := e.begin(ctx, redirect)
	if err != nil {
		return err
	}
	e.Say("Open this address in a browser anywhere, log in, and allow it:\n  %s\n"+
		"The browser then ends at an address that begins with %s; a page may not be shown there.", visit.Page().Reveal(), redirect)
	address, err := e.pasted()
	if err != nil {
		return err
	}
	code, err := visit.Pasted(address)
	if errors.Is(err, consent.ErrStateMismatch) {
		return errNotPasted
	}
	if err != nil {
		return err
	}
	return e.keep(ctx, visit, redirect, code)
}

// errNotPasted is the error of a pasted text that does not prove that it answers what was asked: a bare code could be anybody's.
var errNotPasted = errors.New("that is not the address that was waited for, and nothing was stored: it must be whole, with the code and the state that this call gave out")

// pasted reads a line, as long as there is time.
func (e *errand) pasted() (string, error) {
	type read struct {
		text string
		err  error
	}
	done := make(chan read, 1)
	go func() { // ends with the line, or with the program
		text, err := e.Ask("Paste that address, whole: ")
		done <- read{text, err}
	}()
	late := time.NewTimer(e.timeout)
	defer late.Stop()
	select {
	case r := <-done:
		return r.text, r.err
	case <-late.C:
		e.Say("")
		return "", lateError{e.timeout}
	}
}

func (e *errand) done() string {
	if e.account == "" {
		return fmt.Sprintf("%s is connected.", e.name)
	}
	return fmt.Sprintf("%s: the account %s is connected.", e.name, e.account)
}

// report tells what was kept.
func (e *errand) report() error {
	e.Say("%s Get a token with\n  %s", e.done(), e.variant.line("get", e.name))
	if e.kept.Warning != "" {
		e.Say("Warning: %s", e.kept.Warning)
	}
	return e.print(e.console, e.kept)
}

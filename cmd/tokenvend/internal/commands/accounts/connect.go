package accounts

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/clierror"
	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/command"
	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/connection"
	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/hint"
	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/report"
	"github.com/tokenvend/tokenvend/pkg/api"
	tokenvend "github.com/tokenvend/tokenvend/pkg/client"
	"github.com/tokenvend/tokenvend/pkg/consent"
)

type connect struct {
	command.Program
	command.Target
	paste, noBrowser bool
	redirect         string
	timeout          time.Duration
}

func newConnect(p command.Program) *cobra.Command {
	c := &connect{Program: p}
	cmd := &cobra.Command{
		Use:   "connect NAME",
		Short: "Connects a user's account: the user logs in at the provider and allows it",
		Long: `The browser goes to the provider, and is redirected to this program, which listens on loopback meanwhile.
The response goes to tokenvend, which exchanges it and keeps the grant: no client secret and no token gets here.
Where there is no browser, --paste prints the provider's address; open it anywhere, and paste the address that the
browser ends at, though no page is shown there.
A provider that takes registered redirect URIs only needs one of them, by --redirect.
`,
		Example: `tokenvend connect trackmania --account alice
tokenvend connect trackmania --account alice --paste --redirect https://app.example.com/callback`,
		Args: command.OneName,
		RunE: func(cmd *cobra.Command, args []string) error { return c.run(cmd.Context(), p.Hints(cmd), args[0]) },
	}
	c.Register(cmd)
	set := cmd.Flags()
	set.BoolVar(&c.paste, "paste", false, "read the address that the browser ends at from standard input")
	set.BoolVar(&c.noBrowser, "no-browser", false, "print the address to open, and open no browser")
	set.StringVar(&c.redirect, "redirect", "", "the redirect `URI`, one of a loopback address or, with --paste, "+
		"any that is registered; else a free port of 127.0.0.1")
	set.DurationVar(&c.timeout, "timeout", 5*time.Minute, "how long to wait for the user, a `DURATION` as in 5m")
	return cmd
}

func (c *connect) run(ctx context.Context, commands hint.Commands, name string) error {
	if c.timeout <= 0 {
		return clierror.Usage("--timeout: expected a positive duration")
	}
	caller, err := c.Client(ctx, commands)
	if err != nil {
		return err
	}
	a := &authorization{connect: c, name: name, caller: caller, commands: commands}
	if c.paste {
		err = a.byPaste(ctx)
	} else {
		err = a.byBrowser(ctx)
	}
	if err != nil {
		return err
	}
	return a.report()
}

// authorization is the connection of one account.
type authorization struct {
	*connect
	name     string
	caller   *connection.Client
	commands hint.Commands

	destination string           // where the user was sent; the code goes nowhere else
	status      api.StatusReport // once the grant is kept
}

// begin makes the authorization request.
func (a *authorization) begin(ctx context.Context, redirect string) (*consent.Request, error) {
	page, err := a.caller.Authorize(ctx, a.name, redirect, a.Options()...)
	if err != nil {
		return nil, err
	}
	a.destination = page.Destination
	return consent.New(page)
}

// keep has the code exchanged and the grant kept.
func (a *authorization) keep(
	ctx context.Context, r *consent.Request, redirect string, response consent.Response,
) (err error) {
	g := tokenvend.Grant{
		Code: response.Code.Reveal(), CodeVerifier: r.Verifier().Reveal(), RedirectURI: redirect,
		Destination: a.destination, Response: response.Parameters.Reveal(),
	}
	a.status, err = a.caller.Connect(ctx, a.name, g, a.Options()...)
	if clierror.IsOutcomeUnknown(err) {
		return &clierror.OutcomeUnknownError{Cause: err, Command: a.commands.Token("status", a.name)}
	}
	return err
}

// timeoutError is the error of a user who was not redirected in time.
type timeoutError struct{ after time.Duration }

func (e timeoutError) Error() string {
	return fmt.Sprintf("nobody came back from the provider within %v, and nothing was stored", e.after)
}

// byBrowser has the browser of this machine redirected to this program.
func (a *authorization) byBrowser(ctx context.Context) error {
	server, err := consent.Listen(a.redirect)
	if err != nil {
		return clierror.Usage("--redirect: %v; any other address needs --paste", err)
	}
	defer server.Close()
	request, err := a.begin(ctx, server.RedirectURI())
	if err != nil {
		return err
	}
	a.openBrowser(request, server.Link())
	ctx, cancel := context.WithTimeoutCause(ctx, a.timeout, timeoutError{a.timeout})
	defer cancel()
	return server.Wait(ctx, consent.Handler{
		Request: request,
		Keep: func(ctx context.Context, response consent.Response) error {
			return a.keep(ctx, request, server.RedirectURI(), response)
		},
		Done:    a.done() + " You can close this window.",
		Explain: func(err error) string { text, _ := clierror.Explain(err, a.commands); return text },
	})
}

func (a *authorization) openBrowser(request *consent.Request, link string) {
	if !a.noBrowser && openBrowser(link) == nil {
		a.Say("A browser opens. If it does not, open this address on this machine, which leads to %s:\n  %s",
			request.Site(), link)
	} else {
		a.Say("Open this address in a browser on this machine; it leads to %s:\n  %s", request.Site(), link)
	}
	a.Say("Log in there, and allow it. This program waits for %v.", a.timeout)
}

// unusedRedirect is a redirect URI at which nothing listens: only the address
// that the browser shows is needed.
const unusedRedirect = "http://127.0.0.1/connected"

// byPaste has the user paste the address that the browser was redirected to.
func (a *authorization) byPaste(ctx context.Context) error {
	redirect := a.redirect
	if redirect == "" {
		redirect = unusedRedirect
	}
	request, err := a.begin(ctx, redirect)
	if err != nil {
		return err
	}
	a.Say("Open this address in a browser anywhere, log in, and allow it:\n  %s\n"+
		"The browser then ends at an address that begins with %s; a page may not be shown there.",
		request.Page().Reveal(), redirect)
	address, err := a.pasted()
	if err != nil {
		return err
	}
	response, err := request.Pasted(address)
	if errors.Is(err, consent.ErrStateMismatch) {
		return errOtherAddress
	}
	if err != nil {
		return err
	}
	return a.keep(ctx, request, redirect, response)
}

// errOtherAddress is the error of a pasted text without the state of this
// request: a bare code could be anybody's.
var errOtherAddress = errors.New("that is not the address that was waited for, and nothing was stored: " +
	"it must be whole, with the code and the state that this call gave out")

// pasted reads a line until the timeout.
func (a *authorization) pasted() (string, error) {
	type line struct {
		text string
		err  error
	}
	read := make(chan line, 1)
	go func() { // ends with the line, or with the program
		text, err := a.Question("Paste that address, whole: ")
		read <- line{text, err}
	}()
	timeout := time.NewTimer(a.timeout)
	defer timeout.Stop()
	select {
	case r := <-read:
		return r.text, r.err
	case <-timeout.C:
		a.Say("")
		return "", timeoutError{a.timeout}
	}
}

func (a *authorization) done() string {
	if a.Account() == "" {
		return fmt.Sprintf("%s is connected.", a.name)
	}
	return fmt.Sprintf("%s: the account %s is connected.", a.name, a.Account())
}

// report prints the status of the grant.
func (a *authorization) report() error {
	a.Say("%s Get a token with\n  %s", a.done(), a.commands.Token("get", a.name))
	if a.status.Warning != "" {
		a.Say("Warning: %s", a.status.Warning)
	}
	return report.Print(a.Console, a.Output, a.status, a.commands)
}

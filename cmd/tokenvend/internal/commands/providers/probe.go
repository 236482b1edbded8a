package providers

import (
	"cmp"
	"context"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/clierror"
	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/command"
	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/probe"
	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/secretinput"
	"github.com/tokenvend/tokenvend/pkg/credential"
	"github.com/tokenvend/tokenvend/pkg/credential/secret"
	"github.com/tokenvend/tokenvend/pkg/descriptor"
	"github.com/tokenvend/tokenvend/pkg/descriptor/catalog"
	"github.com/tokenvend/tokenvend/pkg/descriptor/parser"
	"github.com/tokenvend/tokenvend/pkg/grant"
	"github.com/tokenvend/tokenvend/pkg/outbound"
	"github.com/tokenvend/tokenvend/pkg/proof"
	"github.com/tokenvend/tokenvend/pkg/provider"
)

// probing is the command probe.
type probing struct {
	command.Program
	secretinput.Input
	output command.Choice
	ca     string
	proxy  command.Proxy
}

func newProbe(p command.Program) *cobra.Command {
	t := &probing{Program: p}
	cmd := &cobra.Command{
		Use:   "probe FILE|PROVIDER",
		Short: "Tries a descriptor: obtains one token, and shows the requests and the form of the answers",
		Long: `The provider is one of the catalogue or a file with a descriptor; the credential comes from flags
and questions, as for tokenvend add. Requests are shown with the name of each secret in its place,
answers as names and types, and what was read with the place where it was looked for. Nothing is
stored. At some providers a new token revokes the one before.
`,
		Example: "tokenvend probe zoom --client-id my-id --variable account_id=abc --client-secret-file secret\n" +
			"tokenvend probe ./mine.json --json <secret.json",
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 1 {
				return clierror.Usage("expected a provider of the catalogue, or the file of a descriptor")
			}
			return nil
		},
		ValidArgsFunction: func(cmd *cobra.Command, args []string, word string,
		) ([]cobra.Completion, cobra.ShellCompDirective) {
			if names, directive := completeProviders(cmd, args, word); len(args) > 0 {
				return names, directive
			}
			return catalog.Names(), cobra.ShellCompDirectiveDefault // and files
		},
		RunE: func(cmd *cobra.Command, args []string) error { return t.run(cmd.Context(), args[0]) },
	}
	t.IsNew = true
	t.RegisterClient(cmd)
	t.output = command.Choice{Value: "table", Allowed: []string{"table", "json", "yaml"}}
	command.AddChoice(cmd, &t.output, "output", "print data as `FORMAT`: table, json or yaml")
	cmd.Flags().StringVar(&t.ca, "ca", "", "trust the certificates of this PEM `FILE` besides the system's")
	t.proxy.Register(cmd.Flags())
	return cmd
}

func (t *probing) run(ctx context.Context, target string) error {
	field, value, d, err := t.provider(target)
	if err != nil {
		return err
	}
	if g := cmp.Or(t.Grant(), secretinput.UsualGrant(d)); grant.Of(g).Direct == "" {
		return t.cannotProbe() // before anything is asked
	}
	c, err := t.credential(field, value)
	if err != nil {
		return err
	}
	if c.Proof != "" {
		return t.cannotProve(c.Proof)
	}
	if !probe.CanProbe(c) {
		return t.cannotProbe()
	}
	hc, err := t.client()
	if err != nil {
		return err
	}
	defer hc.CloseIdleConnections()
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
	defer stop()
	result, failure := probe.Run(ctx, c, hc)
	if err := t.print(result); err != nil {
		return err
	}
	return outcome(failure)
}

func (t *probing) cannotProbe() error {
	return &clierror.UnsupportedError{Text: "this grant needs a user, or a refresh token, " +
		"which may be usable once: " + t.Name + " add keeps what it brings"}
}

// provers is where a proof comes from, by its kind.
var provers = map[proof.Kind]string{
	proof.KMS:  "a key in AWS KMS signs it for the functions of a stack",
	proof.STS:  "AWS STS issues it for the roles of a stack's functions",
	proof.File: "tokenvend serve reads it from a file of --token-file",
}

func (t *probing) cannotProve(kind proof.Kind) error {
	return &clierror.UnsupportedError{Text: "probe has no proof of the kind " + string(kind) + ": " + provers[kind] +
		". " + t.Name + " add tries the credential there"}
}

// provider returns the field of a secret that names a provider, its value, and
// the descriptor.
func (t *probing) provider(target string) (field string, value json.RawMessage, d *descriptor.Descriptor, err error) {
	if isProvider(target) {
		if value, err = json.Marshal(target); err == nil {
			d, err = catalog.Get(target)
		}
		return "provider", value, d, err
	}
	data, err := readDescriptor(t.Program, target)
	if err != nil {
		return "", nil, nil, clierror.Usage("expected a provider of the catalogue, or a file: %v", err)
	}
	if d, err = parser.Parse(data); err != nil {
		return "", nil, nil, clierror.Usage("the descriptor is not valid: %s descriptor lint names all that is wrong",
			t.Name)
	}
	return "descriptor", data, d, nil
}

// credential composes the credential, whatever provider its secret names.
func (t *probing) credential(field string, value json.RawMessage) (credential.Credential, error) {
	text, err := t.Compose(t.Console, "probe", secretinput.Fields{field: value})
	if err != nil {
		return credential.Credential{}, err
	}
	if fields, ok := secretinput.ReadFields(text); ok {
		delete(fields, "provider")
		delete(fields, "descriptor")
		fields[field] = value
		if text, err = fields.Text(); err != nil {
			return credential.Credential{}, err
		}
	}
	return secret.Parse("probe", "", []byte(text.Reveal()))
}

// client returns the HTTP client. The operator chooses the address, so that it
// may be a private one.
func (t *probing) client() (*http.Client, error) {
	config := outbound.Config{AllowPrivate: true, PlainLoopback: true, Proxy: t.proxy.URL}
	if t.ca != "" {
		pem, err := os.ReadFile(t.ca)
		if err != nil {
			return nil, clierror.Usage("--ca: %v", err)
		}
		if config.Roots, err = x509.SystemCertPool(); err != nil {
			return nil, err
		}
		if !config.Roots.AppendCertsFromPEM(pem) {
			return nil, clierror.Usage("--ca: expected certificates in PEM")
		}
	}
	return outbound.NewClient(config), nil
}

// outcome returns why a probe failed, as an error with its exit code.
func outcome(err error) error {
	e, ok := errors.AsType[*provider.Error](err)
	if ok && (e.Kind == provider.Rejected || e.Kind == provider.Misconfigured) {
		return &clierror.RefusedError{Text: "no token was obtained: " + e.Error()}
	}
	if err != nil {
		return errors.New("no token was obtained: " + err.Error())
	}
	return nil
}

// print prints the result of a probe in the format that was chosen.
func (t *probing) print(r probe.Result) error {
	switch t.output.Value {
	case "json":
		return t.JSON(r)
	case "yaml":
		return t.YAML(r)
	}
	var b strings.Builder
	for _, x := range r.Exchanges {
		writeExchange(&b, x)
	}
	if r.SelfSigned != "" {
		fmt.Fprintf(&b, "No request is sent. The client signs the token itself:\n  %s\n\n", r.SelfSigned)
	}
	writeReadings(&b, r)
	_, err := t.Console.Output().Write([]byte(b.String()))
	return err
}

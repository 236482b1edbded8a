// Package secretinput composes the secret of a credential from flags, from
// answers on a terminal and from standard input.
package secretinput

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/clierror"
	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/command"
	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/terminal"
	"github.com/tokenvend/tokenvend/pkg/credential"
	"github.com/tokenvend/tokenvend/pkg/descriptor"
	"github.com/tokenvend/tokenvend/pkg/descriptor/catalog"
	"github.com/tokenvend/tokenvend/pkg/descriptor/parser"
	"github.com/tokenvend/tokenvend/pkg/grant"
	"github.com/tokenvend/tokenvend/pkg/redact"
)

// Help explains where a secret is kept and where it is read from.
const Help = `The secret is kept in Secrets Manager where a stack is named, as PREFIX and NAME; else it is a file
on this machine.
What is missing is asked for, the client secret without showing it. Where standard input is no
terminal, its first line is the client secret; with --json, all of it is the secret. No flag takes a
secret value: a flag --…-file names a file.
`

// Input is a credential's secret as flags, answers and standard input give it.
// No flag takes a secret value, because others can read a command line.
type Input struct {
	json   bool
	clear  []string       // fields that are removed before others are set
	values map[string]any // fields whose flag was given
	// in the fields params, variables and secrets
	params, variables, secrets map[string]string
	allow                      map[string][]string
}

// textFields are the fields that a flag sets to a text: the flag, the field and
// the help.
var textFields = [][3]string{
	{"client-id", "client_id", "`ID` of the OAuth client"},
	{"token-url", "token_url", "`URL` of the token endpoint, where the provider publishes none"},
	{"scope", "scope", "`SCOPES` that are asked for by default, separated by spaces"},
	{"audience", "audience", "`AUDIENCE` that is asked for by default"},
	{"key-id", "key_id", "`ID` of the private key at the provider"},
	{"lifetime", "lifetime", "`DURATION` that a token lives, where the provider does not say, as in 1h"},
	{"idle-after", "idle_after", "`DURATION` without requests after which a token is no longer renewed, as in 24h"},
}

// fileFields are the fields that a flag sets to the content of a file.
var fileFields = [][3]string{
	{"client-secret-file", "client_secret", "read the client secret from this `FILE`"},
	{"private-key-file", "private_key", "read the private key of the OAuth client from this PEM `FILE`"},
	{"certificate-file", "certificate", "read the client certificate for mutual TLS from this PEM `FILE`"},
	{"refresh-token-file", "refresh_token", "read an initial refresh token from this `FILE`"},
}

// allowFields are the lists of allow: the flag, the list and the help.
var allowFields = [][3]string{
	{"allow-principal", "principals", "only callers whose `ARN` matches this pattern"},
	{"allow-alias", "aliases", "callers by this `ALIAS` of the function"},
	{"allow-scope", "scopes", "a `SCOPE` that may be asked for beyond the default"},
	{"allow-audience", "audiences", "an `AUDIENCE` that may be asked for beyond the default"},
	{"allow-account", "accounts", "an `ACCOUNT` that may be asked for"},
}

// Register adds the flags to a command.
func (s *Input) Register(cmd *cobra.Command) {
	s.values, s.allow = map[string]any{}, map[string][]string{}
	s.params, s.variables, s.secrets = map[string]string{}, map[string]string{}, map[string]string{}
	set := cmd.Flags()
	s.registerChoices(cmd)
	for _, f := range textFields {
		set.Func(f[0], f[2], func(value string) error { s.values[f[1]] = value; return nil })
	}
	for _, f := range fileFields {
		set.Func(f[0], f[2], func(path string) error { return s.readFile(f[1], path) })
	}
	set.Func("descriptor-file", "read the provider's descriptor from this JSON `FILE`, instead of "+
		"--provider", s.readDescriptor)
	set.Func("param", "send this further parameter, `NAME=VALUE`, with token requests; may be repeated. "+
		"For a value that is secret use --json", pairs(s.params))
	set.Func("variable", "set this variable of the provider, `NAME=VALUE`; may be repeated", pairs(s.variables))
	set.Func("secret-file", "read a named secret of the provider from a file, `NAME=FILE`; may be "+
		"repeated", s.readSecret)
	set.BoolFunc("keep-warm", "renew the token without requests for it", func(value string) error {
		warm, err := strconv.ParseBool(value)
		s.values["keep_warm"] = warm
		return err
	})
	set.Func("max-variants", "`NUMBER` of combinations of scope and audience that may be in use besides the default",
		func(value string) error {
			n, err := strconv.Atoi(value)
			s.values["max_variants"] = n
			return err
		})
	for _, f := range allowFields {
		set.Func(f[0], f[2]+"; may be repeated", func(value string) error {
			s.allow[f[1]] = append(s.allow[f[1]], value)
			return nil
		})
	}
	set.BoolVar(&s.json, "json", false, "read the whole secret as JSON from standard input")
}

// RegisterClear adds the flag that removes fields.
func (s *Input) RegisterClear(cmd *cobra.Command) {
	cmd.Flags().Func("clear", "remove this `FIELD`, such as scope, params or allow.principals, "+
		"before what other flags say is added; may be repeated", func(field string) error {
		s.clear = append(s.clear, field)
		return nil
	})
}

// registerChoices adds the flags that take one of some words. A wrong provider
// is reported once the secret is checked.
func (s *Input) registerChoices(cmd *cobra.Command) {
	text := func(field string) func(string) error {
		return func(value string) error { s.values[field] = value; return nil }
	}
	grants := grant.Names()
	cmd.Flags().Func("provider", "`PROVIDER`: one of "+strings.Join(catalog.Names(), ", "), text("provider"))
	cmd.Flags().Func("grant", "`GRANT` type by which tokens are obtained: "+command.Alternatives(grants), text("grant"))
	for name, words := range map[string][]string{"provider": catalog.Names(), "grant": grants} {
		complete := cobra.FixedCompletions(words, cobra.ShellCompDirectiveNoFileComp)
		if err := cmd.RegisterFlagCompletionFunc(name, complete); err != nil {
			panic(err) // there is no such flag
		}
	}
}

func (s *Input) readFile(field, path string) error {
	text, err := readSmall(path)
	if err != nil {
		return command.Expected("%v", err)
	}
	s.values[field] = strings.TrimRight(string(text), "\r\n")
	return nil
}

func (s *Input) readDescriptor(path string) error {
	text, err := readSmall(path)
	if err != nil {
		return command.Expected("%v", err)
	}
	if !json.Valid(text) {
		return command.Expected("expected a file of JSON")
	}
	s.values["descriptor"] = json.RawMessage(text)
	return nil
}

// isGiven reports whether a flag that changes a field was given.
func (s *Input) isGiven() bool {
	return len(s.values)+len(s.params)+len(s.variables)+len(s.secrets)+len(s.allow)+len(s.clear) > 0
}

// Compose returns the secret's JSON: standard input alone, or the secret before
// with the flags and the answers to questions.
func (s *Input) Compose(c terminal.Console, name string, before Fields) (redact.String, error) {
	if s.json {
		return s.whole(c)
	}
	for _, field := range s.clear {
		if !before.Clear(field) {
			return redact.String{}, clierror.Usage("--clear: expected a field that the secret has, " +
				"such as scope or allow.principals")
		}
	}
	for field, value := range s.values {
		before.Put(field, value)
	}
	for field, more := range map[string]map[string]string{
		"params": s.params, "variables": s.variables, "secrets": s.secrets,
	} {
		if err := before.extend(field, more); err != nil {
			return redact.String{}, err
		}
	}
	if err := before.extendAllow(s.allow); err != nil {
		return redact.String{}, err
	}
	if err := s.complete(c, name, before); err != nil {
		return redact.String{}, err
	}
	return before.Text()
}

func (s *Input) whole(c terminal.Console) (redact.String, error) {
	if s.isGiven() {
		return redact.String{}, clierror.Usage("--json: the whole secret comes from standard input, and no flag adds " +
			"to it")
	}
	if c.Interactive() {
		return redact.String{}, clierror.Usage("--json: expected the secret on standard input, " +
			"from a file or another program: a terminal would show it")
	}
	text, err := io.ReadAll(io.LimitReader(c.Input(), credential.MaxSize+1))
	return redact.New(string(text)), err
}

// complete asks for what is missing.
func (s *Input) complete(c terminal.Console, name string, f Fields) error {
	if _, inline := f["descriptor"]; !inline {
		if err := askFor(c, f, "provider", "provider ("+strings.Join(catalog.Names(), ", ")+")"); err != nil {
			return err
		}
	}
	d, err := descriptorOf(f)
	if err != nil {
		return err
	}
	if d != nil && d.NeedsTokenURL() {
		if err := askFor(c, f, "token_url", "token URL"); err != nil {
			return err
		}
	}
	needed := credential.Needed{ClientID: true, ClientSecret: true}
	if d != nil {
		needed = credential.NeededFor(d, descriptor.Grant(f.word("grant")))
		if err := s.completeNamed(c, f, d, needed); err != nil {
			return err
		}
	}
	if needed.ClientID {
		if err := askFor(c, f, "client_id", "client id"); err != nil {
			return err
		}
	}
	if _, fromFile := s.values["client_secret"]; fromFile || !needed.ClientSecret {
		return nil
	}
	return s.askSecret(c, f, name)
}

// descriptorOf returns the descriptor of the provider that is named, or the
// inline one; nil for a wrong one, which is reported once the secret is
// checked.
func descriptorOf(f Fields) (*descriptor.Descriptor, error) {
	if inline, ok := f["descriptor"]; ok {
		d, _ := parser.Parse(inline)
		return d, nil
	}
	name := f.word("provider")
	if !slices.Contains(catalog.Names(), name) {
		return nil, clierror.Usage("--provider: expected one of %s; another provider needs a descriptor "+
			"(--descriptor-file, or in the secret with --json)", strings.Join(catalog.Names(), ", "))
	}
	return catalog.Get(name)
}

// askFor asks for a field that is absent, on a terminal.
func askFor(c terminal.Console, f Fields, field, question string) error {
	if _, given := f[field]; given {
		return nil
	}
	flagName := strings.ReplaceAll(field, "_", "-")
	if !c.Interactive() {
		return clierror.Usage("--%s is needed, since there is no terminal to ask on", flagName)
	}
	answer, err := c.Question(question + ": ")
	if err == nil && answer == "" {
		err = clierror.Usage("the %s is needed", strings.ReplaceAll(field, "_", " "))
	}
	f.Put(field, answer)
	return err
}

// askSecret asks for the client secret, or reads it as one line of standard
// input. No answer keeps the one that the secret has.
func (s *Input) askSecret(c terminal.Console, f Fields, name string) error {
	const field = "client_secret"
	_, has := f[field]
	question := "client secret"
	if has {
		question = fmt.Sprintf("new client secret (none: %s keeps the one it has)", name)
	}
	answer, err := c.AskHidden(question + ": ")
	switch {
	case err != nil:
		return err
	case !answer.IsZero():
		f.Put(field, answer.Reveal())
	case !c.Interactive() && !s.isGiven():
		return clierror.Usage("nothing to change: expected a flag, or the new client secret as one line of standard " +
			"input")
	case !has:
		return clierror.Usage("the client secret is needed: type it where it is asked for, " +
			"or give it as one line of standard input")
	}
	return nil
}

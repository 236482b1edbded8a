package secretinput

import (
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/command"
	"github.com/tokenvend/tokenvend/pkg/descriptor/catalog"
	"github.com/tokenvend/tokenvend/pkg/grant"
	"github.com/tokenvend/tokenvend/pkg/proof"
)

// textFields are the fields that a flag sets to a text: the flag, the field and
// the help.
var textFields = [][3]string{
	{"client-id", "client_id", "`ID` of the OAuth client"},
	{"token-url", "token_url", "`URL` of the token endpoint, where the provider publishes none"},
	{"scope", "scope", "`SCOPES` that are asked for by default, separated by spaces"},
	{"audience", "audience", "`AUDIENCE` that is asked for by default"},
	{"key-id", "key_id", "`ID` of the private key at the provider"},
}

// renewalFields are further fields that a flag sets to a text: nothing of them
// is sent.
var renewalFields = [][3]string{
	{"lifetime", "lifetime", "`DURATION` that a token lives, where the provider does not say, as in 1h"},
	{"idle-after", "idle_after", "`DURATION` without requests after which a token is no longer renewed, as in 24h"},
}

// fileFields are the fields that a flag sets to the content of a file.
var fileFields = [][3]string{
	{"client-secret-file", "client_secret", "read the client secret from this `FILE`"},
	{
		"private-key-file", "private_key",
		"read the private key of the OAuth client from this `FILE`, in PEM or JSON with a field private_key",
	},
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
	s.RegisterClient(cmd)
	set := cmd.Flags()
	addWords(cmd, "provider", "`PROVIDER` of the catalogue, such as zoom: tokenvend providers lists them",
		catalog.Names(), s.text("provider"))
	set.Func("descriptor-file", "read the provider's descriptor from this JSON `FILE`, instead of "+
		"--provider", s.readDescriptor)
	kinds := proof.Names()
	addWords(cmd, "proof", "`KIND` of proof in the place of a private key, which an operator binds: "+
		command.Alternatives(kinds), kinds, s.text("proof"))
	for _, f := range renewalFields {
		set.Func(f[0], f[2], s.text(f[1]))
	}
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
	set.Func("quota", "`NUMBER/PERIOD` of token requests that the provider takes, as in 1000/day: an hour, a day or a "+
		"month", s.readQuota)
	for _, f := range allowFields {
		set.Func(f[0], f[2]+"; may be repeated", func(value string) error {
			s.allow[f[1]] = append(s.allow[f[1]], value)
			return nil
		})
	}
}

// RegisterClient adds the flags of what is sent to the provider.
func (s *Input) RegisterClient(cmd *cobra.Command) {
	s.values, s.allow = map[string]any{}, map[string][]string{}
	s.params, s.variables, s.secrets = map[string]string{}, map[string]string{}, map[string]string{}
	set := cmd.Flags()
	grants := grant.Names()
	addWords(cmd, "grant", "`GRANT` type by which tokens are obtained: "+command.Alternatives(grants), grants,
		s.text("grant"))
	for _, f := range textFields {
		set.Func(f[0], f[2], s.text(f[1]))
	}
	for _, f := range fileFields {
		set.Func(f[0], f[2], func(path string) error { return s.readFile(f[1], path) })
	}
	set.Func("passphrase-file", "read the passphrase of an encrypted private key from this `FILE`; the key is stored "+
		"without it", s.readPassphrase)
	set.Func("param", "send this further parameter, `NAME=VALUE`, with token requests; may be repeated. "+
		"For a value that is secret use --json", pairs(s.params))
	set.Func("variable", "set this variable of the provider, `NAME=VALUE`; may be repeated", pairs(s.variables))
	set.Func("secret-file", "read a named secret of the provider from a file, `NAME=FILE`; may be "+
		"repeated", s.readSecret)
	set.BoolVar(&s.json, "json", false, "read the whole secret as JSON from standard input")
}

// readQuota sets the quota to a number of requests in a period. The check of
// the secret names what is wrong with them.
func (s *Input) readQuota(value string) error {
	number, period, _ := strings.Cut(value, "/")
	n, err := strconv.Atoi(number)
	s.values["quota"] = map[string]any{"requests": n, "per": period}
	return err
}

// text returns the setter of a flag that sets a field to a text.
func (s *Input) text(field string) func(string) error {
	return func(value string) error { s.values[field] = value; return nil }
}

// addWords adds a flag that takes one of some words. A wrong one is reported
// once the secret is checked.
func addWords(cmd *cobra.Command, name, usage string, words []string, set func(string) error) {
	cmd.Flags().Func(name, usage, set)
	complete := cobra.FixedCompletions(words, cobra.ShellCompDirectiveNoFileComp)
	if err := cmd.RegisterFlagCompletionFunc(name, complete); err != nil {
		panic(err) // there is no such flag
	}
}

// RegisterClear adds the flag that removes fields.
func (s *Input) RegisterClear(cmd *cobra.Command) {
	cmd.Flags().Func("clear", "remove this `FIELD`, such as scope, params or allow.principals, "+
		"before what other flags say is added; may be repeated", func(field string) error {
		s.clear = append(s.clear, field)
		return nil
	})
}

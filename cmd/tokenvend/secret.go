package main

import (
	"flag"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/tokenvend/tokenvend/pkg/credential"
	"github.com/tokenvend/tokenvend/pkg/descriptor"
	"github.com/tokenvend/tokenvend/pkg/redact"
)

// secret is a credential's secret as flags, questions and standard input make it. The client secret itself never comes by a flag.
type secret struct {
	json     bool
	clear    []string          // fields that are taken away before others are set
	texts    map[string]string // fields whose flag was given
	keepWarm *bool             // nil: the flag was not given
	allow    map[string][]string
}

func (s *secret) flags(f *flag.FlagSet) {
	s.texts, s.allow = map[string]string{}, map[string][]string{}
	text := func(name, field, help string) {
		f.Func(name, help, func(value string) error { s.texts[field] = value; return nil })
	}
	text("provider", "provider", "`PROVIDER`: one of "+strings.Join(descriptor.Names(), ", "))
	text("client-id", "client_id", "`ID` of the OAuth client")
	text("token-url", "token_url", "`URL` of the token endpoint, where the provider publishes none")
	text("scope", "scope", "`SCOPES` that are asked for by default, separated by spaces")
	text("audience", "audience", "`AUDIENCE` that is asked for by default")
	f.BoolFunc("keep-warm", "renew the token even if nobody asks", func(value string) error {
		warm, err := strconv.ParseBool(value)
		s.keepWarm = &warm
		return err
	})
	allow := func(name, field, help string) {
		f.Func("allow-"+name, help+"; may be repeated", func(value string) error { s.allow[field] = append(s.allow[field], value); return nil })
	}
	allow("principal", "principals", "only callers whose `ARN` matches this pattern")
	allow("alias", "aliases", "callers by this `ALIAS` of the function")
	allow("scope", "scopes", "a `SCOPE` that may be asked for beyond the default")
	allow("audience", "audiences", "an `AUDIENCE` that may be asked for beyond the default")
	allow("account", "accounts", "an `ACCOUNT` that may be asked for")
	f.BoolVar(&s.json, "json", false, "read the whole secret as JSON from standard input")
}

// compose makes the secret's JSON: of standard input alone, or of what stood
// there before, the flags, and the answers to questions.
func (s *secret) compose(c console, name string, before fields) (redact.String, error) {
	if s.json {
		return s.whole(c)
	}
	for _, field := range s.clear {
		if !before.clear(field) {
			return redact.String{}, usage("--clear: expected a field that the secret has, " +
				"such as scope or allow.principals")
		}
	}
	for field, value := range s.texts {
		before.put(field, value)
	}
	if s.keepWarm != nil {
		before.put("keep_warm", *s.keepWarm)
	}
	if err := before.extend(s.allow); err != nil {
		return redact.String{}, err
	}
	if err := s.complete(c, name, before); err != nil {
		return redact.String{}, err
	}
	return before.text()
}

func (s *secret) whole(c console) (redact.String, error) {
	if len(s.texts)+len(s.allow)+len(s.clear) > 0 || s.keepWarm != nil {
		return redact.String{}, usage("--json: the whole secret comes from standard input, and no flag adds to it")
	}
	if c.Interactive() {
		return redact.String{}, usage("--json: expected the secret on standard input, from a file or another program: a terminal would show it")
	}
	text, err := io.ReadAll(io.LimitReader(c.Input(), credential.MaxSize+1))
	return redact.New(string(text)), err
}

// complete asks for what is missing.
func (s *secret) complete(c console, name string, f fields) error {
	if _, inline := f["descriptor"]; !inline {
		if err := askFor(c, f, "provider", "provider ("+strings.Join(descriptor.Names(), ", ")+")"); err != nil {
			return err
		}
	}
	d, err := speaks(f)
	if err != nil {
		return err
	}
	if d != nil && d.NeedsTokenURL() {
		if err := askFor(c, f, "token_url", "token URL"); err != nil {
			return err
		}
	}
	if err := askFor(c, f, "client_id", "client id"); err != nil {
		return err
	}
	if d != nil && !takesSecret(d) {
		return nil
	}
	return askSecret(c, f, name)
}

// speaks is the descriptor of the provider that is named, or the inline one; nil for one that is wrong, which is told once the whole is checked.
func speaks(f fields) (*descriptor.Descriptor, error) {
	if inline, ok := f["descriptor"]; ok {
		d, _ := descriptor.Parse(inline)
		return d, nil
	}
	name := f.word("provider")
	if !slices.Contains(descriptor.Names(), name) {
		return nil, usage("--provider: expected one of %s; another provider needs a descriptor in its secret (--json)", strings.Join(descriptor.Names(), ", "))
	}
	return descriptor.Catalog(name)
}

func takesSecret(d *descriptor.Descriptor) bool {
	return slices.Contains([]descriptor.Auth{"", descriptor.AuthBasic, descriptor.AuthBasicEncoded, descriptor.AuthPost}, d.Token.Auth)
}

// askFor asks for a field that is not there, where there is somebody to ask.
func askFor(c console, f fields, field, question string) error {
	if _, given := f[field]; given {
		return nil
	}
	flagName := strings.ReplaceAll(field, "_", "-")
	if !c.Interactive() {
		return usage("--%s is needed, since there is no terminal to ask on", flagName)
	}
	answer, err := c.Ask(question + ": ")
	if err == nil && answer == "" {
		err = usage("the %s is needed", strings.ReplaceAll(field, "_", " "))
	}
	f.put(field, answer)
	return err
}

// askSecret asks for the client secret, or reads it as one line of standard input. Where there is one already, no answer keeps it.
func askSecret(c console, f fields, name string) error {
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
		f.put(field, answer.Reveal())
	case !has:
		return usage("the client secret is needed: type it where it is asked for, or give it as one line of standard input")
	}
	return nil
}

package secretinput

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/clierror"
	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/terminal"
	"github.com/tokenvend/tokenvend/pkg/credential"
	"github.com/tokenvend/tokenvend/pkg/descriptor"
	"github.com/tokenvend/tokenvend/pkg/descriptor/catalog"
	"github.com/tokenvend/tokenvend/pkg/descriptor/parser"
	"github.com/tokenvend/tokenvend/pkg/descriptor/placeholder"
	"github.com/tokenvend/tokenvend/pkg/proof"
	"github.com/tokenvend/tokenvend/pkg/redact"
)

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
	return redact.New(string(WithoutMark(text))), err
}

// complete asks for what is missing. A new credential is asked for what may be
// left out too.
func (s *Input) complete(c terminal.Console, name string, f Fields) error {
	if _, inline := f["descriptor"]; !inline {
		q := Question{Field: "provider", Help: "provider, by its name in the catalogue, such as zoom"}
		if err := q.ask(c, f); err != nil {
			return err
		}
	}
	d, source, err := descriptorOf(f)
	if err != nil {
		return err
	}
	questions := []Question{{Field: "client_id", Help: "client id"}, {Field: clientSecret}}
	if d != nil {
		s.setUsualGrant(c, f, d)
		s.setUsualProof(c, f, d)
		questions = Questions(d, source, descriptor.Grant(f.word("grant")), proof.Kind(f.word("proof")))
	}
	for _, q := range questions {
		variable, isVariable := strings.CutPrefix(q.Field, "variables.")
		switch {
		case q.Optional && !s.IsNew:
		case isVariable && f["token_url"] != nil && !placeholder.NeedsVariable(d, variable, true):
		case q.Field == clientSecret:
			err = s.askSecret(c, f, name)
		default:
			err = q.ask(c, f)
		}
		if err != nil {
			return err
		}
	}
	return s.decryptKey(c, f)
}

// setUsualGrant sets the grant type of a new credential to that of the
// provider's example, where it is another than the default.
func (s *Input) setUsualGrant(c terminal.Console, f Fields, d *descriptor.Descriptor) {
	usual := UsualGrant(d)
	if _, given := f["grant"]; given || !s.IsNew || usual == d.DirectGrant() {
		return
	}
	f.Put("grant", usual)
	c.Say("The grant is %s, as is usual for this provider; --grant names another.", usual)
}

// setUsualProof sets the kind of proof of a new credential to that of the
// provider's example, where no private key is given.
func (s *Input) setUsualProof(c terminal.Console, f Fields, d *descriptor.Descriptor) {
	usual := UsualProof(d)
	_, given := f["proof"]
	if _, hasKey := f["private_key"]; given || hasKey || !s.IsNew || usual == "" {
		return
	}
	f.Put("proof", usual)
	c.Say("The proof is %s, as is usual for this provider; --proof names another.", usual)
}

// descriptorOf returns the descriptor of the provider that is named, or the
// inline one, with its JSON; nil for a wrong one, which is reported once the
// secret is checked.
func descriptorOf(f Fields) (*descriptor.Descriptor, []byte, error) {
	if inline, ok := f["descriptor"]; ok {
		d, _ := parser.Parse(inline)
		return d, inline, nil
	}
	name := f.word("provider")
	if !slices.Contains(catalog.Names(), name) {
		return nil, nil, clierror.Usage("--provider: expected one of %s; another provider needs a descriptor "+
			"(--descriptor-file, or in the secret with --json)", strings.Join(catalog.Names(), ", "))
	}
	d, err := catalog.Get(name)
	return d, catalog.Source(name), err
}

// clientSecret is the field of the client secret.
const clientSecret = "client_secret"

// askSecret asks for the client secret, or reads it as one line of standard
// input. No answer keeps the one that the secret has.
func (s *Input) askSecret(c terminal.Console, f Fields, name string) error {
	if _, fromFile := s.values[clientSecret]; fromFile {
		return nil
	}
	_, has := f[clientSecret]
	question := "client secret"
	if has {
		question = fmt.Sprintf("new client secret (none: %s keeps the one it has)", name)
	}
	answer, err := c.AskHidden(question + ": ")
	switch {
	case err != nil:
		return err
	case !answer.IsZero():
		f.Put(clientSecret, answer.Reveal())
	case !c.Interactive() && !s.isGiven():
		return clierror.Usage("nothing to change: expected a flag, or the new client secret as one line of standard " +
			"input")
	case !has:
		return clierror.Usage("the client secret is needed: type it where it is asked for, " +
			"or give it as one line of standard input")
	}
	return nil
}

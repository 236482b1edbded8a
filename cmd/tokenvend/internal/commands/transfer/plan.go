package transfer

import (
	"context"
	"errors"

	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/clierror"
	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/secretstore"
	"github.com/tokenvend/tokenvend/pkg/credential"
	"github.com/tokenvend/tokenvend/pkg/credential/secret"
	"github.com/tokenvend/tokenvend/pkg/redact"
)

// What becomes of a credential that is imported.
const (
	created   = "new"
	existing  = "there already"
	malformed = "malformed"
)

// plan is what import is to do about a credential. It shows no secret.
type plan struct {
	Name     string   `json:"name"`
	Provider string   `json:"provider,omitempty"`
	ClientID string   `json:"client_id,omitempty"`
	Result   string   `json:"result"`
	Faults   []string `json:"faults,omitempty"`

	text redact.String // the secret
}

// planned checks the entries, and looks which credentials there are.
func planned(ctx context.Context, store secretstore.Store, entries []entry) ([]plan, error) {
	all, seen := []plan{}, map[string]bool{}
	for _, e := range entries {
		p, err := check(e)
		if err != nil {
			return nil, err
		}
		if seen[e.name] {
			p.Faults = append(p.Faults, "name: expected each name once")
		}
		seen[e.name] = true
		switch err := store.Find(ctx, e.name); {
		case len(p.Faults) > 0:
			p.Result = malformed
		case err == nil:
			p.Result = existing
		case !clierror.IsNotFound(err):
			return nil, err
		}
		all = append(all, p)
	}
	return all, nil
}

// check returns the plan to make a credential, with what is wrong with it.
func check(e entry) (plan, error) {
	text, err := e.fields.Text()
	if err != nil {
		return plan{}, err
	}
	p := plan{Name: e.name, Result: created, text: text}
	for _, field := range e.omitted {
		p.Faults = append(p.Faults, field+": the export has left it out, expected its value")
	}
	parsed, err := secret.Parse(e.name, "", []byte(text.Reveal()))
	if bad, ok := errors.AsType[*credential.Malformed](err); ok {
		for _, f := range bad.Fields {
			p.Faults = append(p.Faults, f.Field+": "+f.Expected)
		}
		return p, nil
	}
	p.ClientID, p.Provider = parsed.ID, parsed.Provider
	return p, err
}

func count(all []plan, result string) (n int) {
	for _, p := range all {
		if p.Result == result {
			n++
		}
	}
	return n
}

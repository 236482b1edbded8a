package transfer

import (
	"context"
	"encoding/json"
	"maps"
	"slices"

	"github.com/spf13/cobra"

	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/command"
	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/hint"
	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/secretinput"
	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/secretstore"
)

type exporting struct {
	command.Program
	secretstore.Target
}

func newExport(p command.Program) *cobra.Command {
	e := &exporting{Program: p}
	cmd := &cobra.Command{
		Use:   "export",
		Short: "Writes all credentials without their secrets, as a JSON list",
		Long: `It writes what import reads: for each credential its name and the fields of its secret that are no
secret. What it leaves out, such as client_secret, private_key, refresh_token and params, is listed
in omitted. Tokens and grants stay where they are.
`,
		Example:           "tokenvend export --function tokenvend-VendFunction-abc >credentials.json",
		Args:              command.NoArguments,
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE:              func(cmd *cobra.Command, _ []string) error { return e.run(cmd.Context(), p.Hints(cmd)) },
	}
	e.Target.Register(cmd)
	return cmd
}

func (e *exporting) run(ctx context.Context, commands hint.Commands) error {
	_, store, err := e.Open(ctx, commands)
	if err != nil {
		return err
	}
	names, err := store.List(ctx)
	if err != nil {
		return err
	}
	list := []secretinput.Fields{}
	for _, name := range names {
		text, err := store.Read(ctx, name)
		if err != nil {
			return err
		}
		fields, ok := secretinput.ReadFields(text)
		if !ok {
			e.Say("%s was left out: its secret is no JSON object.", name)
			continue
		}
		list = append(list, public(name, fields))
	}
	return e.JSON(list)
}

// publicFields are the fields of a secret that are no secret. A field that is
// not known may hold anything, and its name too.
var publicFields = []string{
	"provider", "client_id", "key_id", "certificate", "proof", "token_url", "grant", "scope", "audience", "keep_warm",
	"idle_after", "max_variants", "lifetime", "allow",
}

// secretFields are the fields of a secret that may hold secrets.
var secretFields = []string{"client_secret", "private_key", "refresh_token", "params", "descriptor"}

// public returns what of a secret may be shown, with the names of the rest.
func public(name string, fields secretinput.Fields) secretinput.Fields {
	shown, omitted := secretinput.Fields{}, []string{}
	shown.Put(nameMember, name)
	for _, field := range slices.Sorted(maps.Keys(fields)) {
		switch {
		case slices.Contains(publicFields, field):
			shown[field] = fields[field]
		case field == "descriptor" && !holdsValues(fields.Value(field)):
			shown[field] = fields[field]
		case slices.Contains(secretFields, field):
			omitted = append(omitted, field)
		}
	}
	if len(omitted) > 0 {
		text, _ := json.Marshal(omitted) // strings: cannot fail
		shown[omittedMember] = text
	}
	return shown
}

// holdsValues reports whether a descriptor has parameters or headers, whose
// values may be secret.
func holdsValues(v any) bool {
	object, _ := v.(map[string]any)
	for name, value := range object {
		if name == "params" || name == "headers" || holdsValues(value) {
			return true
		}
	}
	return false
}

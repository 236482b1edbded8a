// Package descriptor is the data language of providers: how the token endpoint
// of one vendor differs from that of another. A [Descriptor] is JSON: a file of
// package catalog, or the field "descriptor" of a credential's secret. The file
// descriptor.schema.json describes the same JSON for editors.
//
// The package has the types and their defaults. Package parser reads them
// strictly. It does no I/O.
package descriptor

import "github.com/tokenvend/tokenvend/pkg/quota"

// Descriptor describes the protocol of one vendor's token endpoint. Every zero
// value is the usual or the safe choice: {"token":{"url":"https://…"}} is RFC
// 6749 with HTTP Basic. Packages parser and catalog return descriptors;
// both refuse an inconsistent one.
type Descriptor struct {
	// Schema names the JSON schema for editors, and is ignored.
	Schema string `json:"$schema,omitempty"`
	// Name is the name in the catalogue. An inline descriptor needs none.
	Name string `json:"name,omitempty"`
	// Title is the name for people: "Salesforce (JWT bearer)".
	Title string `json:"title,omitempty"`
	// Docs is the URL of the vendor's page that the descriptor was taken from:
	// of its documents, or of a library that it publishes.
	Docs string `json:"docs,omitempty"`
	// Checked is the day on which the descriptor was last compared with a copy
	// of that page, "2026-11-22", or [NotRead].
	Checked string `json:"checked,omitempty"`
	// Setup tells an operator how to get credentials, in two or three
	// sentences.
	Setup string `json:"setup,omitempty"`
	// Notes tell a reader what else to know.
	Notes []string `json:"notes,omitempty"`
	// Example is the secret of a credential, without real secrets.
	Example Example `json:"example,omitempty"`

	// Secrets are the named secrets that a credential has. An inline descriptor
	// need not list them: a placeholder is enough.
	Secrets map[string]NamedSecret `json:"secrets,omitempty"`
	// Variables are the variables that a credential gives.
	Variables map[string]Variable `json:"variables,omitempty"`
	// Grants are the grant types of tokens that need no user. The first one is
	// that of a credential without "grant". nil is [ClientCredentials] for
	// those, and any other that a credential names.
	Grants []Grant `json:"grants,omitempty"`

	Token TokenEndpoint `json:"token,omitzero"`
	// Assertion is nil where [TokenEndpoint] and the defaults say all.
	Assertion *Assertion `json:"assertion,omitempty"`
	// Steps are requests before each token request that is no refresh request.
	Steps []Step `json:"steps,omitempty"`
	// Then is nil where no request follows the token request.
	Then     *Then    `json:"then,omitempty"`
	Response Response `json:"response,omitzero"`
	// Use is how an API expects the access token.
	Use Use `json:"use,omitzero"`
	// Refresh is nil where the provider has no refresh tokens.
	Refresh *Refresh `json:"refresh,omitempty"`
	// Authorize is nil where resource owners cannot connect their accounts.
	Authorize *Authorize `json:"authorize,omitempty"`
	// Revoke is nil where tokens cannot be revoked.
	Revoke *Revoke `json:"revoke,omitempty"`
	// Verify is nil where no request verifies a token.
	Verify *Verify `json:"verify,omitempty"`
	// Overlaps is read by [Descriptor.Overlap].
	Overlaps map[Grant]Overlap `json:"overlap,omitempty"`
	Renew    Renew             `json:"renew,omitzero"`
	Limits   Limits            `json:"limits,omitzero"`
	// Quota is nil where it is not known, or differs between clients.
	Quota     *quota.Quota `json:"quota,omitempty"`
	Permanent Permanent    `json:"permanent,omitzero"`
	Errors    Errors       `json:"errors,omitzero"`
}

// NotRead is [Descriptor.Checked] of an entry that was written without the
// vendor's page: everything in it is assumed.
const NotRead = "not read"

// Example is an object of JSON.
type Example map[string]any

// NamesExtra reports whether a further value of that name is read from any
// answer.
func (d *Descriptor) NamesExtra(name string) bool {
	_, named := d.Response.Extra[name]
	if d.Then != nil && !named {
		_, named = d.Then.Extra[name]
	}
	return named
}

// Package access decides who may have what. It is pure: no I/O, no clock.
package access

// Rule is a secret's "allow": it narrows what IAM has already granted. The zero value narrows nothing but what may be asked for: only the credential's defaults.
type Rule struct {
	Principals []string `json:"principals,omitempty"` // patterns (* and ?) of IAM ARNs; none: whoever IAM admits
	Aliases    []string `json:"aliases,omitempty"`    // Lambda aliases that may have it besides c-<credential> and admin
	Scopes     []string `json:"scopes,omitempty"`     // scopes that may be asked for beyond the default
	Audiences  []string `json:"audiences,omitempty"`  // audiences that may be asked for beyond the default
	Accounts   []string `json:"accounts,omitempty"`   // accounts that may be asked for
}

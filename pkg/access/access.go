// Package access decides who may have what. It is pure: no I/O, no clock.
//
// IAM decides first, and Lambda vouches for the alias that was invoked; nothing else in an event proves who sent it. A [Caller] holds just that, and a credential's [Rule] answers two questions: [Rule.Admits] whether this caller may know of the credential at all,
// and [Rule.Permits] what may be asked of it beyond its defaults.
package access

import (
	"slices"
	"strings"
)

// Rule is a secret's "allow": it narrows what IAM has already granted. The zero value narrows nothing but what may be asked for: only the credential's defaults.
type Rule struct {
	Principals []string `json:"principals,omitempty"` // patterns (* and ?) of IAM ARNs; none: whoever IAM admits
	Aliases    []string `json:"aliases,omitempty"`    // Lambda aliases that may have it besides c-<credential> and admin
	Scopes     []string `json:"scopes,omitempty"`     // scopes that may be asked for beyond the default, each spelled out
	Audiences  []string `json:"audiences,omitempty"`  // audiences that may be asked for beyond the default, each spelled out
	Accounts   []string `json:"accounts,omitempty"`   // accounts that may be asked for: patterns (* and ?), for people come and go
}

// Admits says whether c may have the credential of that name, whose rule this is. A caller who is not admitted must not learn that the credential exists.
func (r Rule) Admits(c Caller, credential string) bool {
	switch c.Via {
	case API, CallerKey:
		return r.admitsPrincipal(c.ARN)
	case Own:
		return credential != "" && c.Alias == ownPrefix+credential
	case Admin, OperatorKey:
		return c.IsOperator()
	case Alias:
		return c.Alias != "" && slices.Contains(r.Aliases, c.Alias)
	case Bare:
		return len(r.Principals) == 0 && len(r.Aliases) == 0
	default:
		return false
	}
}

func (r Rule) admitsPrincipal(arn string) bool {
	p, ok := parsePrincipal(arn)
	if !ok {
		return false
	}
	return len(r.Principals) == 0 || slices.ContainsFunc(r.Principals, p.matches)
}

// Asked is what is asked for besides the credential's name. Empty parts leave the choice to the credential.
type Asked struct {
	Scope    string // space-separated, order and repeats without meaning
	Audience string
	Account  string
}

// Refused is the error of [Rule.Permits]. It names the parameter and not its value, which may be anything that a caller typed.
type Refused struct {
	Parameter string // "scope", "audience" or "account"
}

// Error says which parameter is not allowed.
func (r *Refused) Error() string { return "access: this " + r.Parameter + " is not allowed" }

// Permits says whether a token may be handed out for what is asked, where defaults are the credential's own scope and audience; else it returns a *Refused.
// It binds every caller alike, the alias admin too. It does not bind revoking: what was allowed once must stay revocable.
func (r Rule) Permits(asked, defaults Asked) error {
	usual := strings.Fields(defaults.Scope)
	for scope := range strings.FieldsSeq(asked.Scope) {
		if !slices.Contains(usual, scope) && !slices.Contains(r.Scopes, scope) {
			return &Refused{Parameter: "scope"}
		}
	}
	if a := asked.Audience; a != "" && a != defaults.Audience && !slices.Contains(r.Audiences, a) {
		return &Refused{Parameter: "audience"}
	}
	if asked.Account != "" && !r.permitsAccount(asked.Account) {
		return &Refused{Parameter: "account"}
	}
	return nil
}

func (r Rule) permitsAccount(account string) bool {
	return slices.ContainsFunc(r.Accounts, func(pattern string) bool { return Match(pattern, account) })
}

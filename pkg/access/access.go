// Package access decides who may get what. It is pure: no I/O, no clock.
//
// IAM decides first, and Lambda vouches for the invoked alias. Nothing else in
// an event proves who sent it. A [Caller] holds only that. A credential's
// [Rule] answers two questions: [Rule.Admits], whether a caller may learn of
// the credential, and [Rule.Permits], what may be requested beyond its
// defaults.
package access

import (
	"slices"
	"strings"
)

// Rule is the "allow" of a secret. It narrows what IAM has granted. The zero
// value admits every caller that IAM admits, to the credential's defaults.
type Rule struct {
	// patterns (* and ?) of IAM ARNs; none: every caller that IAM admits
	Principals []string `json:"principals,omitempty"`
	// Lambda aliases in addition to c-<credential> and admin
	Aliases []string `json:"aliases,omitempty"`
	// scopes that may be requested beyond the default; no patterns
	Scopes []string `json:"scopes,omitempty"`
	// audiences that may be requested beyond the default; no patterns
	Audiences []string `json:"audiences,omitempty"`
	// accounts that may be requested: patterns (* and ?), because users change
	Accounts []string `json:"accounts,omitempty"`
}

// Admits reports whether c may use the credential of that name with this rule.
// A caller that is not admitted must not learn that the credential exists.
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

// Requested is a request's scope, audience and account. Empty parts mean the
// credential's defaults.
type Requested struct {
	Scope    string // space-separated; order and repetition have no meaning
	Audience string
	Account  string
}

// Refused is the error of [Rule.Permits]. It names the parameter and not its
// value, which may be anything.
type Refused struct {
	Parameter string // "scope", "audience" or "account"
}

// Error returns which parameter is not allowed.
func (r *Refused) Error() string { return "access: this " + r.Parameter + " is not allowed" }

// Permits returns nil if a token for asked may be vended, and a *Refused
// otherwise. defaults are the credential's scope and audience. It applies to
// every caller, including the alias admin. It does not apply to revoking,
// because an account that was allowed once must stay revocable.
func (r Rule) Permits(asked, defaults Requested) error {
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

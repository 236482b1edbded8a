package mint

import (
	"slices"
	"strings"

	"github.com/tokenvend/tokenvend/pkg/store"
)

// newlyWithheld returns the scopes that were asked for and not granted, where
// the token before did not lack the same. A warning at every renewal is read
// by nobody.
func newlyWithheld(out outcome, before, after store.Entry) string {
	asked, _ := out.own.terms.Asks(after.Key.Variant)
	missing := withheld(asked, after.Scope)
	if before.Fingerprint != "" && missing == withheld(asked, before.Scope) {
		return ""
	}
	return missing
}

// neverEchoed are scopes that ask for something beside the access token, and
// that providers leave out of the answer though they granted them.
var neverEchoed = []string{"offline_access", "openid"}

// withheld returns the scopes that were asked for and that an answer does not
// name. A provider that names no scope has granted what was asked for (RFC
// 6749 §5.1). Where it names at least as many scopes and not one of those
// asked for, it speaks of them by other names, and nothing can be said.
func withheld(asked, granted string) string {
	named := scopeWords(granted)
	if len(named) == 0 {
		return ""
	}
	wanted := slices.DeleteFunc(scopeWords(asked), func(s string) bool { return slices.Contains(neverEchoed, s) })
	missing := slices.DeleteFunc(slices.Clone(wanted), func(s string) bool {
		return slices.ContainsFunc(named, func(n string) bool { return coversScope(n, s) })
	})
	if len(missing) == len(wanted) && len(named) >= len(wanted) {
		return ""
	}
	return strings.Join(missing, " ")
}

// scopeWords splits a list of scopes, however a provider separates them.
func scopeWords(scope string) []string {
	return strings.FieldsFunc(scope, func(c rune) bool { return c == ' ' || c == ',' || c == '+' })
}

// coversScope reports whether one scope is another by a longer or shorter
// name, or implies it: "https://graph.microsoft.com/User.Read" and
// "User.Read", "…/auth/userinfo.email" and "email", "user" and "user:email",
// "write_products" and "read_products".
func coversScope(named, asked string) bool {
	named, asked = strings.ToLower(named), strings.ToLower(asked)
	if named == asked || strings.HasPrefix(asked, named+":") {
		return true
	}
	for _, cut := range []string{"/", ".", ":"} {
		if strings.HasSuffix(named, cut+asked) || cut == "/" && strings.HasSuffix(asked, cut+named) {
			return true
		}
	}
	return strings.Replace(asked, "read", "write", 1) == named && asked != named
}

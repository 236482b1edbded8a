package grant

import (
	"slices"
	"strings"
)

// neverEchoed are scopes that request something beside the access token, and
// that providers leave out of the response though they granted them.
var neverEchoed = []string{"offline_access", "openid"}

// NotGranted returns the scopes that were requested and that a response does
// not name. A provider that names no scope has granted what was requested (RFC
// 6749 §5.1). If it names at least as many scopes and not one of those
// requested, it uses other names, and nothing is known.
func NotGranted(requested, granted string) string {
	named := scopeWords(granted)
	if len(named) == 0 {
		return ""
	}
	wanted := slices.DeleteFunc(scopeWords(requested), func(s string) bool { return slices.Contains(neverEchoed, s) })
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
func coversScope(named, requested string) bool {
	named, requested = strings.ToLower(named), strings.ToLower(requested)
	if named == requested || strings.HasPrefix(requested, named+":") {
		return true
	}
	for _, cut := range []string{"/", ".", ":"} {
		if strings.HasSuffix(named, cut+requested) || cut == "/" && strings.HasSuffix(requested, cut+named) {
			return true
		}
	}
	return strings.Replace(requested, "read", "write", 1) == named && requested != named
}

package access

import (
	"errors"
	"fmt"
	"strings"
)

// roleMark separates an ARN's account from a role's path and name.
const roleMark = ":role/"

// maxPrincipal bounds a pattern. IAM's longest ARN is shorter.
const maxPrincipal = 2048

// principal is a caller's ARN in the form that is compared with patterns.
type principal struct {
	arn                      string // if it is no role
	partition, account, name string // if it is a role
	role                     bool
}

// arnFields is the number of fields of an ARN. The rest after the fifth colon
// is one field.
const arnFields = 6

// parsePrincipal parses the ARN of an IAM user, role, root, or STS session. A
// session of an assumed role becomes the role without the session's name, which
// its owner chooses, and a role loses its path, which STS omits. Users keep
// their paths, because AWS always includes them.
func parsePrincipal(arn string) (principal, bool) {
	var p [arnFields]string
	if cutFields(arn, p[:]) != arnFields || p[0] != "arn" || p[2] != "iam" && p[2] != "sts" || p[3] != "" ||
		p[5] == "" {
		return principal{}, false
	}
	kind, rest, _ := strings.Cut(p[5], "/")
	switch {
	case p[2] == "sts" && kind == "assumed-role":
		name, _, _ := strings.Cut(rest, "/")
		return role(p[1], p[4], name)
	case p[2] == "iam" && kind == "role":
		return role(p[1], p[4], rest[strings.LastIndexByte(rest, '/')+1:])
	default:
		return principal{arn: arn}, true
	}
}

// cutFields splits s at its colons into at most len(into) fields, the last with
// the rest. It returns their number.
func cutFields(s string, into []string) int {
	last := len(into) - 1
	for n := range last {
		end := strings.IndexByte(s, ':')
		if end < 0 {
			into[n] = s
			return n + 1
		}
		into[n], s = s[:end], s[end+1:]
	}
	into[last] = s
	return len(into)
}

func role(partition, account, name string) (principal, bool) {
	return principal{partition: partition, account: account, name: name, role: true}, name != ""
}

// text returns the ARN that is compared with patterns.
func (p principal) text() string {
	if !p.role {
		return p.arn
	}
	return "arn:" + p.partition + ":iam::" + p.account + roleMark + p.name
}

// matches reports whether the pattern admits p. A pattern for roles matches
// only roles: a user's path may contain ":role/" too. A pattern that a rule may
// not list, such as one that an older version stored, matches nothing.
func (p principal) matches(pattern string) bool {
	if _, ofRoles := roleIn(pattern); CheckPrincipal(pattern) != nil || ofRoles && !p.role {
		return false
	}
	return Match(pattern, p.text())
}

// CanonicalPrincipal returns the form in which callers' ARNs are compared: a
// role without its path, and for a session its role. It reports false if arn is
// no ARN of an IAM or STS principal.
func CanonicalPrincipal(arn string) (string, bool) {
	p, ok := parsePrincipal(arn)
	return p.text(), ok
}

// The errors of CheckPrincipal. They name what to write instead and show
// nothing of the pattern.
var (
	errNotARN = errors.New("an IAM ARN, with * and ? where it is a pattern, such as " + exampleRole)
	errLong   = fmt.Errorf("at most %d bytes", maxPrincipal)
	// The owner of a session chooses its name.
	errSession = errors.New("the role instead of a session of it: " + exampleRole)
	errNoRole  = errors.New("the name of a role after role/: " + exampleRole)
	// STS reports arn:aws:sts::ACCOUNT:assumed-role/NAME/SESSION, without the
	// path: role/prod/svc-* would admit role/dev/svc-evil.
	errRolePath = errors.New("a role without its path, which AWS does not report to this program: " + exampleRole +
		"; for a role of AWS SSO its whole name, " + exampleSSO)
)

const (
	exampleRole = "arn:aws:iam::123456789012:role/svc-*"
	exampleSSO  = "arn:aws:iam::123456789012:role/AWSReservedSSO_NAME_0123456789abcdef"
)

// roleIn returns what a pattern says of a role's name, and whether it is one of
// roles: with a wildcard in the place of the colon before "role/", too.
func roleIn(pattern string) (name string, ofRoles bool) {
	if _, name, ofRoles = strings.Cut(pattern, roleMark); ofRoles {
		return name, true
	}
	kind, name, found := strings.Cut(pattern, "/")
	if found && (strings.HasSuffix(kind, "*role") || strings.HasSuffix(kind, "?role")) {
		return name, true
	}
	return "", false
}

// CheckPrincipal returns nil for a pattern that a rule may list: an ARN with *
// and ?, or a pattern that starts with *. Its errors complete the sentence
// "expected …". It refuses patterns that would admit more than intended:
// sessions, and roles with a path.
func CheckPrincipal(pattern string) error {
	role, isRole := roleIn(pattern)
	switch {
	case len(pattern) > maxPrincipal:
		return errLong
	case !strings.HasPrefix(pattern, "arn:") && !strings.HasPrefix(pattern, "*"):
		return errNotARN
	case strings.Contains(pattern, ":assumed-role/"):
		return errSession
	case isRole && strings.Contains(role, "/"):
		return errRolePath
	case isRole && role == "":
		return errNoRole
	}
	return nil
}

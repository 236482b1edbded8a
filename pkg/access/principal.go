package access

import (
	"errors"
	"fmt"
	"strings"
)

// roleMark stands between an ARN's account and a role's path and name.
const roleMark = ":role/"

// maxPrincipal bounds a pattern; IAM's own longest ARN is shorter.
const maxPrincipal = 2048

// principal is a caller's ARN in the form that patterns are held against.
type principal struct {
	arn                      string // of no role
	partition, account, name string // of a role
	role                     bool
}

// arnFields is how many fields an ARN has; what follows the fifth colon is one, whatever it holds.
const arnFields = 6

// parsePrincipal reads the ARN of an IAM user, role, root, or STS session. A session of an assumed role becomes the role, without the session's name, which its owner chooses freely; and a role loses its path, which STS leaves out. Users keep theirs: for them AWS always names it.
func parsePrincipal(arn string) (principal, bool) {
	var p [arnFields]string
	if cutFields(arn, p[:]) != arnFields || p[0] != "arn" || p[2] != "iam" && p[2] != "sts" || p[3] != "" || p[5] == "" {
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

// cutFields cuts s at its colons into as many fields as there is room for, the last with what is left, and returns how many there are.
func cutFields(s string, into []string) int {
	for n := range into {
		before, after, more := strings.Cut(s, ":")
		if into[n] = before; !more {
			return n + 1
		}
		if n == len(into)-1 {
			into[n] = s
		}
		s = after
	}
	return len(into)
}

func role(partition, account, name string) (principal, bool) {
	return principal{partition: partition, account: account, name: name, role: true}, name != ""
}

// text is the ARN that patterns are held against.
func (p principal) text() string {
	if !p.role {
		return p.arn
	}
	return "arn:" + p.partition + ":iam::" + p.account + roleMark + p.name
}

// matches reports whether the pattern admits p. A pattern of roles matches
// roles alone: a user's path may hold ":role/" too. A pattern that a rule may
// not list, for example one that an older version has stored, matches nothing.
func (p principal) matches(pattern string) bool {
	if _, ofRoles := roleIn(pattern); CheckPrincipal(pattern) != nil || ofRoles && !p.role {
		return false
	}
	return Match(pattern, p.text())
}

// CanonicalPrincipal returns the form in which the ARNs of callers are
// compared: a role has no path, and a session of a role is the role. It reports
// false for what is not the ARN of an IAM or STS principal.
func CanonicalPrincipal(arn string) (string, bool) {
	p, ok := parsePrincipal(arn)
	return p.text(), ok
}

// The errors of CheckPrincipal. They say what to write instead, and show
// nothing of the pattern.
var (
	errNotARN = errors.New("an IAM ARN, with * and ? where it is a pattern, such as " + exampleRole)
	errLong   = fmt.Errorf("at most %d bytes", maxPrincipal)
	// The owner of a session chooses its name freely.
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
// and ? in it, or a pattern that begins with *. Its errors complete the
// sentence "expected …". It refuses patterns that would admit others than their
// author meant: sessions, and roles with a path.
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

package access

import "strings"

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

// matches holds a pattern against p. One that speaks of roles matches roles alone: a user's path may hold ":role/" too.
func (p principal) matches(pattern string) bool {
	before, name, isRole := cutRole(pattern)
	if !isRole {
		return Match(pattern, p.text())
	}
	return p.role && ValidPrincipal(pattern) && Match(before+roleMark+name, p.text())
}

// cutRole takes a pattern of roles apart, and the role's path out.
func cutRole(pattern string) (before, name string, ok bool) {
	before, rest, ok := strings.Cut(pattern, roleMark)
	return before, rest[strings.LastIndexByte(rest, '/')+1:], ok
}

// ValidPrincipal says whether a rule may list the pattern. It is an ARN with * and ? in it, or begins with *. Two things that would admit others than its author meant are refused: sessions (arn:…:assumed-role/…: write the role), and every role under a path (…:role/team/*: the path
// is ignored, so that would be every role of the account).
func ValidPrincipal(pattern string) bool {
	if len(pattern) > maxPrincipal || !strings.HasPrefix(pattern, "arn:") && !strings.HasPrefix(pattern, "*") || strings.Contains(pattern, ":assumed-role/") {
		return false
	}
	before, name, isRole := cutRole(pattern)
	if !isRole {
		return true
	}
	hasPath := before+roleMark+name != pattern
	return name != "" && !(hasPath && strings.Trim(name, "*?") == "")
}

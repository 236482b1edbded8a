package access

import (
	"strings"
)

// Via is how a caller invoked the function, as far as Lambda vouches for it.
// The zero value is never admitted.
type Via int

const (
	// Nobody is $LATEST, a version number, or anything unknown.
	Nobody Via = iota
	// API is the alias api, which only API Gateway should invoke.
	API
	// Own is an alias c-<credential>.
	Own
	// Admin is the alias admin.
	Admin
	// Alias is any other alias.
	Alias
	// Bare is the function's name without an alias.
	Bare
	// CallerKey is a signature with a caller's key of the one-machine server.
	CallerKey
	// OperatorKey is a signature with an operator's key of that server.
	OperatorKey
)

const (
	apiAlias   = "api"
	adminAlias = "admin"
	ownPrefix  = "c-"
)

// Caller is the authenticated part of a caller's identity. The zero value is
// admitted to nothing.
type Caller struct {
	Via   Via
	Alias string // the qualifier of the invocation; "" for the bare function
	ARN   string // the principal that API Gateway authenticated, or that a key of one machine stands for
}

// Invoked returns the caller of an invocation by this ARN. The ARN must be that
// of Lambda's context, never of an event.
func Invoked(invokedFunctionARN string) Caller {
	via, alias := ParseQualifier(invokedFunctionARN)
	return Caller{Via: via, Alias: alias}
}

// OverAPI returns c with the IAM ARN of the event. For any alias but api an ARN
// proves nothing, so the result is nobody: another caller sent an event in the
// form of API Gateway's.
func (c Caller) OverAPI(arn string) Caller {
	if c.Via != API {
		return Caller{Alias: c.Alias}
	}
	c.ARN = arn
	return c
}

// IsNobody reports whether no rule can admit c. The status is then 403, and 404
// otherwise.
func (c Caller) IsNobody() bool {
	switch c.Via {
	case API, CallerKey, OperatorKey:
		_, ok := parsePrincipal(c.ARN)
		return !ok
	}
	return c.Via < API || c.Via > OperatorKey
}

// IsOperator reports whether c is admitted to every credential: by the alias
// admin, or by an operator's key of one machine.
func (c Caller) IsOperator() bool {
	return (c.Via == Admin || c.Via == OperatorKey) && !c.IsNobody()
}

// MayAdminister reports whether c may revoke, list, connect and recover. Over
// the API, IAM has decided by method and path, and the credential's rule must
// admit the caller as well.
func (c Caller) MayAdminister() bool {
	return c.IsOperator() || c.Via == API && !c.IsNobody()
}

// MayOnlyVend reports whether c may only request and report tokens. Over the
// API, IAM decides that by method and path.
func (c Caller) MayOnlyVend() bool { return c.Via == CallerKey }

// String returns c for a log: the ARN, "alias:<name>", "function" for the bare
// one, or "nobody".
func (c Caller) String() string {
	switch {
	case c.IsNobody():
		return "nobody"
	case c.Via == API, c.Via == CallerKey, c.Via == OperatorKey:
		return c.ARN
	case c.Via == Bare:
		return "function"
	default:
		return "alias:" + c.Alias
	}
}

// ParseQualifier parses Lambda's InvokedFunctionArn
// (arn:aws:lambda:<region>:<account>:function:<name>[:<qualifier>], in any
// partition). It returns the way and the qualifier. Anything else is [Nobody].
func ParseQualifier(invokedFunctionARN string) (Via, string) {
	const bare, qualified = 7, 8
	var parts [qualified + 1]string
	n := cutFields(invokedFunctionARN, parts[:])
	if n < bare || n > qualified || parts[0] != "arn" || parts[2] != "lambda" || parts[5] != "function" ||
		parts[6] == "" {
		return Nobody, ""
	}
	if n == bare {
		return Bare, ""
	}
	return via(parts[7]), parts[7]
}

func via(qualifier string) Via {
	switch {
	case qualifier == apiAlias:
		return API
	case qualifier == adminAlias:
		return Admin
	case !isAlias(qualifier):
		return Nobody
	case strings.HasPrefix(qualifier, ownPrefix):
		return Own
	default:
		return Alias
	}
}

// ValidAlias reports whether a rule may list the alias: a name that Lambda
// allows, other than api, admin and c-…, whose meaning is fixed.
func ValidAlias(name string) bool { return via(name) == Alias }

const maxAlias = 128

// isAlias reports whether s is an alias name, and not $LATEST, a version number
// or invalid.
func isAlias(s string) bool {
	if s == "" || len(s) > maxAlias {
		return false
	}
	digits := true
	for _, r := range s {
		switch {
		case r >= '0' && r <= '9':
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r == '-', r == '_':
			digits = false
		default:
			return false
		}
	}
	return !digits
}

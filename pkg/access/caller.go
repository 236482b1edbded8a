package access

import (
	"strings"
)

// Via is the way by which a caller came, as far as Lambda vouches for it. The zero value is never admitted.
type Via int

const (
	// Nobody came by $LATEST, by a version's number, or by a way that is not understood.
	Nobody Via = iota
	// API came by the alias api, which API Gateway alone is meant to have.
	API
	// Own came by an alias c-<credential>.
	Own
	// Admin came by the alias admin.
	Admin
	// Alias came by any other alias.
	Alias
	// Bare came by the function's own name, without an alias.
	Bare
	// CallerKey signed with a caller's key of the server on one machine.
	CallerKey
	// OperatorKey signed with an operator's key of that server.
	OperatorKey
)

const (
	apiAlias   = "api"
	adminAlias = "admin"
	ownPrefix  = "c-"
)

// Caller is who asks, as far as that is proven. The zero value is admitted to nothing.
type Caller struct {
	Via   Via
	Alias string // the qualifier as it was invoked; "" for the bare function
	ARN   string // the principal that API Gateway has authenticated, or that a key of one machine stands for
}

// Invoked is the caller who invoked the function by this ARN, which must come from Lambda's own context and never from an event.
func Invoked(invokedFunctionARN string) Caller {
	via, alias := ParseQualifier(invokedFunctionARN)
	return Caller{Via: via, Alias: alias}
}

// OverAPI is c with the IAM ARN that the event names. On any way but the alias api an ARN proves nothing, and the caller becomes nobody: an event shaped like the API's, sent by somebody else.
func (c Caller) OverAPI(arn string) Caller {
	if c.Via != API {
		return Caller{Alias: c.Alias}
	}
	c.ARN = arn
	return c
}

// IsNobody says whether no rule whatsoever admits c: the answer is then 403, where otherwise it is 404.
func (c Caller) IsNobody() bool {
	switch c.Via {
	case API, CallerKey, OperatorKey:
		_, ok := parsePrincipal(c.ARN)
		return !ok
	}
	return c.Via < API || c.Via > OperatorKey
}

// IsOperator reports whether c is admitted to every credential: it came by the
// alias admin, or signed with an operator's key of one machine.
func (c Caller) IsOperator() bool {
	return (c.Via == Admin || c.Via == OperatorKey) && !c.IsNobody()
}

// MayAdminister reports whether c may revoke, list, connect and recover. Over
// the API, IAM has decided on method and path, and the credential's rule must
// admit the caller besides.
func (c Caller) MayAdminister() bool {
	return c.IsOperator() || c.Via == API && !c.IsNobody()
}

// MayOnlyVend reports whether c may ask for tokens and report them, and nothing
// else. Over the API, IAM decides that by method and path.
func (c Caller) MayOnlyVend() bool { return c.Via == CallerKey }

// String names c in a log: the ARN, "alias:<name>", "function" for the bare one, or "nobody".
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

// ParseQualifier reads Lambda's InvokedFunctionArn (arn:aws:lambda:<region>:<account>:function:<name>[:<qualifier>], in any partition): the way, and the qualifier as it stands. What it does not understand is [Nobody].
func ParseQualifier(invokedFunctionARN string) (Via, string) {
	const bare, qualified = 7, 8
	var parts [qualified + 1]string
	n := cutFields(invokedFunctionARN, parts[:])
	if n < bare || n > qualified || parts[0] != "arn" || parts[2] != "lambda" || parts[5] != "function" || parts[6] == "" {
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

// ValidAlias says whether a rule may list the alias: a name that Lambda allows, and none of api, admin and c-…, whose meaning is fixed.
func ValidAlias(name string) bool { return via(name) == Alias }

const maxAlias = 128

// isAlias tells an alias's name from $LATEST, from a version's number, and from what Lambda allows for neither.
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

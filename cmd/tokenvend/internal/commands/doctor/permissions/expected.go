// Package permissions checks who may invoke a vend function, and by which
// alias: by the function's resource policies, and by the policies of the
// account's roles, users and groups.
package permissions

import (
	"slices"
	"strings"

	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/clierror"
	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/commands/doctor/checks"
	"github.com/tokenvend/tokenvend/pkg/access"
)

// Expected is who is meant to invoke the guarded aliases.
type Expected struct {
	Operators []string // canonical ARNs, see [ParseOperators]
	API       string   // the id of the stack's API; "": not named
}

// Function is a vend function, and the checks of its permissions.
type Function struct {
	*checks.List
	Expected Expected
	Name     string
	ARN      string
	Aliases  []string // nil: not read
}

// ParseOperators reads --operators.
func ParseOperators(list string) (all []string, err error) {
	for arn := range strings.SplitSeq(list, ",") {
		arn = strings.TrimSpace(arn)
		if arn == "" {
			continue
		}
		canonical, ok := access.CanonicalPrincipal(arn)
		if !ok || strings.ContainsAny(arn, "*?") {
			return nil, clierror.Usage("--operators: expected ARNs of IAM roles and users, separated by commas, " +
				"without * and ?")
		}
		all = append(all, canonical)
	}
	return all, nil
}

// mayBeAPI reports whether an API may be the stack's; "" is none.
func (e Expected) mayBeAPI(id string) bool { return id != "" && (e.API == "" || e.API == id) }

func (e Expected) isOperator(arn string) bool {
	canonical, ok := access.CanonicalPrincipal(arn)
	return ok && slices.Contains(e.Operators, canonical)
}

func (e Expected) areOperators(arns []string) bool {
	return len(arns) > 0 && !slices.ContainsFunc(arns, func(arn string) bool { return !e.isOperator(arn) })
}

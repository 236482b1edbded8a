package doctor

import (
	"slices"
	"strings"

	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/clierror"
	"github.com/tokenvend/tokenvend/pkg/access"
)

// expected is who is meant to invoke the guarded aliases.
type expected struct {
	operators []string // canonical ARNs
	api       string   // the id of the stack's API; "": not named
}

// parseOperators reads --operators.
func parseOperators(list string) (all []string, err error) {
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

func (e expected) isOperator(arn string) bool {
	canonical, ok := access.CanonicalPrincipal(arn)
	return ok && slices.Contains(e.operators, canonical)
}

func (e expected) areOperators(arns []string) bool {
	return len(arns) > 0 && !slices.ContainsFunc(arns, func(arn string) bool { return !e.isOperator(arn) })
}

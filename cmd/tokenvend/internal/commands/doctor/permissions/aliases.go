package permissions

import (
	"regexp"
	"slices"
	"strings"

	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/iampolicy"
)

// deletedID matches what IAM puts into a policy in the place of a role or a
// user that was deleted (IAM User Guide, "IAM identifiers").
var deletedID = regexp.MustCompile(`^A[A-Z]{3}[A-Z0-9]{12,}$`)

// callerOf checks a statement that lets somebody invoke a credential's alias.
func (f Function) callerOf(subject, alias string, s iampolicy.Statement) {
	if slices.ContainsFunc(s.Principal, deletedID.MatchString) {
		f.Warn(subject, s.Who()+" was deleted in IAM, and another of its name is not meant",
			iampolicy.RemovePermission(f.ARN, alias, s.Sid)+", then tokenvend grant for the new one")
		return
	}
	f.OK(subject, "%s", s.Who())
}

// missing returns the credentials' aliases that the statement names and that do
// not exist. A pattern is no such name.
func (f Function) missing(s iampolicy.Statement) (aliases []string) {
	if f.Aliases == nil {
		return nil
	}
	for _, resource := range s.Resource {
		alias, ok := strings.CutPrefix(resource, f.ARN+":")
		if _, credentials := iampolicy.CredentialOf(alias); !ok || !credentials || strings.ContainsAny(alias, "*?$") {
			continue
		}
		if !slices.Contains(f.Aliases, alias) {
			aliases = append(aliases, alias)
		}
	}
	return aliases
}

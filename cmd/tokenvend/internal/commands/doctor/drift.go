package doctor

import (
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/iampolicy"
)

// drift warns of aliases of credentials that do not exist. It needs the list of
// aliases and that of credentials.
func (f *findings) drift(function string) {
	if f.credentials == nil {
		return
	}
	for _, alias := range f.aliasNames {
		name, ok := iampolicy.CredentialOf(alias)
		if ok && !slices.Contains(f.credentials, name) {
			f.warn("alias "+alias, "there is no credential "+name,
				"aws lambda delete-alias --function-name "+function+" --name "+alias+
					" removes it, with the permissions of its policy")
		}
	}
}

// deletedID matches what IAM puts into a policy in the place of a role or a
// user that was deleted (IAM User Guide, "IAM identifiers").
var deletedID = regexp.MustCompile(`^A[A-Z]{3}[A-Z0-9]{12,}$`)

// callerOf checks a statement that lets somebody invoke a credential's alias.
func (f *findings) callerOf(subject, function, alias string, s iampolicy.Statement) {
	if slices.ContainsFunc(s.Principal, deletedID.MatchString) {
		f.warn(subject, s.Who()+" was deleted in IAM, and another of its name is not meant",
			iampolicy.RemovePermission(function, alias, s.Sid)+", then tokenvend grant for the new one")
		return
	}
	f.ok(subject, "%s", s.Who())
}

// missing returns the credentials' aliases that the statement names and that do
// not exist. A pattern is no such name.
func (f *findings) missing(arn string, s iampolicy.Statement) (aliases []string) {
	if f.aliasNames == nil {
		return nil
	}
	for _, resource := range s.Resource {
		alias, ok := strings.CutPrefix(resource, arn+":")
		if _, credentials := iampolicy.CredentialOf(alias); !ok || !credentials || strings.ContainsAny(alias, "*?$") {
			continue
		}
		if !slices.Contains(f.aliasNames, alias) {
			aliases = append(aliases, alias)
		}
	}
	return aliases
}

// warnMissing warns of aliases that IAM policies name, by alias with the names
// of their principals.
func (f *findings) warnMissing(principals map[string][]string) {
	for _, alias := range slices.Sorted(maps.Keys(principals)) {
		name, _ := iampolicy.CredentialOf(alias)
		f.warn("IAM", listNames(principals[alias])+" may invoke the alias "+alias+", which does not exist",
			f.commands.Line("grant", name)+" --to ARN makes it")
	}
}

package iampolicy

import (
	"fmt"
	"strings"
)

// Latest is the version that every alias has to name.
const Latest = "$LATEST"

// credentialPrefix starts the alias of a credential.
const credentialPrefix = "c-"

// CredentialAlias returns the alias by which the function vends one credential.
func CredentialAlias(credential string) string { return credentialPrefix + credential }

// CredentialOf returns the credential of an alias. It reports false for an
// alias that is no credential's.
func CredentialOf(alias string) (credential string, ok bool) {
	return strings.CutPrefix(alias, credentialPrefix)
}

// UpdateAlias returns the command that sets an alias on [Latest].
func UpdateAlias(function, alias string) string {
	return fmt.Sprintf("aws lambda update-alias --function-name %s --name %s --function-version '%s'",
		function, alias, Latest)
}

// RemovePermission returns the command that removes a statement from the policy
// of an alias.
func RemovePermission(function, alias, statement string) string {
	return fmt.Sprintf("aws lambda remove-permission --function-name %s --qualifier %s --statement-id %s",
		function, alias, statement)
}

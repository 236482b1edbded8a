package hint

import "strings"

// InRegion returns a command of the AWS CLI with a region, which need not be
// the one of the AWS configuration. It returns other texts, and those without a
// region, as they are.
func InRegion(region, command string) string {
	rest, isAWS := strings.CutPrefix(command, "aws ")
	if !isAWS || region == "" {
		return command
	}
	return "aws --region " + region + " " + rest
}

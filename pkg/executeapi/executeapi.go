// Package executeapi reads the host names of APIs in API Gateway.
package executeapi

import (
	"regexp"
	"strings"
)

// Service is the AWS service that requests to an API are signed for.
const Service = "execute-api"

var host = regexp.MustCompile(
	`^([a-z0-9.-]+)\.execute-api(?:-fips)?\.([a-z0-9-]+)\.(?:amazonaws\.com(?:\.cn)?|api\.aws)$`)

// ParseHost returns the API's id and the region that an execute-api host name
// has. id is "" where the name has more than an id, as that of a VPC endpoint
// does. ParseHost reports false for any other name, such as a custom domain.
func ParseHost(name string) (id, region string, ok bool) {
	found := host.FindStringSubmatch(name)
	if found == nil {
		return "", "", false
	}
	if id = found[1]; strings.ContainsAny(id, ".-") {
		id = ""
	}
	return id, found[2], true
}

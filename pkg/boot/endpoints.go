package boot

import (
	"context"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
)

// endpoints holds where the services of AWS are, by the variables that all AWS
// tools obey (AWS SDKs and Tools Reference Guide, "Service-specific endpoints"
// and "Dual-stack and FIPS endpoints"). The SDK's clients read it as one of
// their ConfigSources.
type endpoints struct {
	getenv                  func(string) string
	fips, dualStack, ignore bool
}

// all returns AWS_ENDPOINT_URL, which is for every service; nil if there is
// none. It must be the configuration's BaseEndpoint: while that variable is
// set, the SDK asks a ConfigSource only about services that have a variable of
// their own.
func (e endpoints) all() *string {
	if at := e.getenv("AWS_ENDPOINT_URL"); at != "" && !e.ignore {
		return &at
	}
	return nil
}

// GetServiceBaseEndpoint returns a service's endpoint where one is configured.
func (e endpoints) GetServiceBaseEndpoint(_ context.Context, sdkID string) (string, bool, error) {
	if e.ignore {
		return "", false, nil
	}
	if at := e.getenv("AWS_ENDPOINT_URL_" + strings.ToUpper(strings.ReplaceAll(sdkID, " ", "_"))); at != "" {
		return at, true, nil
	}
	if at := e.all(); at != nil {
		return *at, true, nil
	}
	return "", false, nil
}

// sts returns the regional endpoint of AWS STS ("AWS STS Regions and
// endpoints", IAM User Guide).
func (e endpoints) sts(ctx context.Context, region string) string {
	if at, configured, _ := e.GetServiceBaseEndpoint(ctx, "STS"); configured {
		return at
	}
	name, suffix := "sts", "amazonaws.com"
	isChina := strings.HasPrefix(region, "cn-")
	if e.fips && !strings.HasPrefix(region, "us-gov-") { // there, all endpoints are
		name = "sts-fips"
	}
	switch {
	case isChina && e.dualStack:
		suffix = "api.amazonwebservices.com.cn"
	case isChina:
		suffix = "amazonaws.com.cn"
	case e.dualStack:
		suffix = "api.aws"
	}
	return "https://" + name + "." + region + "." + suffix
}

// GetIgnoreConfiguredEndpoints returns AWS_IGNORE_CONFIGURED_ENDPOINT_URLS.
func (e endpoints) GetIgnoreConfiguredEndpoints(context.Context) (ignore, found bool, _ error) {
	return e.ignore, true, nil
}

// GetUseFIPSEndpoint returns AWS_USE_FIPS_ENDPOINT.
func (e endpoints) GetUseFIPSEndpoint(context.Context) (aws.FIPSEndpointState, bool, error) {
	if e.fips {
		return aws.FIPSEndpointStateEnabled, true, nil
	}
	return aws.FIPSEndpointStateUnset, false, nil
}

// GetUseDualStackEndpoint returns AWS_USE_DUALSTACK_ENDPOINT.
func (e endpoints) GetUseDualStackEndpoint(context.Context) (aws.DualStackEndpointState, bool, error) {
	if e.dualStack {
		return aws.DualStackEndpointStateEnabled, true, nil
	}
	return aws.DualStackEndpointStateUnset, false, nil
}

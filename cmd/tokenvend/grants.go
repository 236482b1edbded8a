package main

import (
	"cmp"
	"net/url"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws/arn"

	"github.com/tokenvend/tokenvend/pkg/executeapi"
)

// gateway is an HTTP API of API Gateway, as its URL names it. The zero value is
// an API that is not known.
type gateway struct{ id, region string }

func apiOf(address string) gateway {
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "https" {
		return gateway{}
	}
	id, region, ok := executeapi.ParseHost(u.Host)
	if !ok || id == "" {
		return gateway{}
	}
	return gateway{id: id, region: region}
}

const overAPI = `
One caller may have it over the API by this policy:
  {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "execute-api:Invoke", "Resource": [
    "arn:{PARTITION}:execute-api:{REGION}:{ACCOUNT}:{API}/*/GET/tokens/{NAME}",
    "arn:{PARTITION}:execute-api:{REGION}:{ACCOUNT}:{API}/*/POST/tokens/{NAME}"]}]}
and asks for it with
  curl --aws-sigv4 "aws:amz:{REGION}:execute-api" --user "$AWS_ACCESS_KEY_ID:$AWS_SECRET_ACCESS_KEY" -H "x-amz-security-token: $AWS_SESSION_TOKEN" {URL}/tokens/{NAME}`

const byInvocation = `
Another Lambda may have it by direct invocation, once it has an alias of its own:
  aws lambda create-alias --region {REGION} --function-name {FUNCTION} --name c-{NAME} --function-version '$LATEST'
by this policy, on that alias alone:
  {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "lambda:InvokeFunction",
    "Resource": "arn:{PARTITION}:lambda:{REGION}:{ACCOUNT}:function:{FUNCTION}:c-{NAME}"}]}`

const onThisMachine = `
On this machine:
  tokenvend get {NAME}`

const fromOutputs = `
What stands in capitals is in the stack's outputs, ApiUrl and VendFunctionName.`

// grants returns how one caller gets a credential, with what is known of the
// stack: from its URL or function, and from the secret's ARN ("": there is
// none).
func (p place) grants(name, secretARN string) string {
	secret, _ := arn.Parse(secretARN)
	region, api := cmp.Or(p.aws.Region, "REGION"), cmp.Or(apiOf(p.url).id, "API")
	fill := strings.NewReplacer(
		"{NAME}", name, "{REGION}", region, "{API}", api,
		"{PARTITION}", cmp.Or(p.function.partition, secret.Partition, "aws"),
		"{ACCOUNT}", cmp.Or(p.function.account, secret.AccountID, "ACCOUNT"),
		"{FUNCTION}", cmp.Or(p.function.name, "FUNCTION"),
		"{URL}", cmp.Or(strings.TrimSuffix(p.url, "/"), "https://"+api+".execute-api."+region+".amazonaws.com"),
	)
	if p.data != "" {
		return fill.Replace(overAPI + onThisMachine)
	}
	return fill.Replace(overAPI + byInvocation + fromOutputs)
}

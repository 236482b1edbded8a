package credentials

import (
	"cmp"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws/arn"

	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/connection"
)

const overAPI = `
One caller may have it over the API by this policy:
  {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "execute-api:Invoke", "Resource": [
    "arn:{PARTITION}:execute-api:{REGION}:{ACCOUNT}:{API}/*/GET/tokens/{NAME}",
    "arn:{PARTITION}:execute-api:{REGION}:{ACCOUNT}:{API}/*/POST/tokens/{NAME}"]}]}
and asks for it with
  curl --aws-sigv4 "aws:amz:{REGION}:execute-api" --user "$AWS_ACCESS_KEY_ID:$AWS_SECRET_ACCESS_KEY" -H "x-amz-security-token: $AWS_SESSION_TOKEN" {URL}/tokens/{NAME}`

const byInvocation = `
Another Lambda may have it by direct invocation, by an alias of its own, which this makes:
  {GRANT} --to ARN
with this policy, on that alias alone:
  {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "lambda:InvokeFunction",
    "Resource": "arn:{PARTITION}:lambda:{REGION}:{ACCOUNT}:function:{FUNCTION}:c-{NAME}"}]}`

const onThisMachine = `
On this machine:
  {GET}`

const fromOutputs = `
What stands in capitals is in the stack's outputs, ApiUrl and VendFunctionName.`

// callerPolicy returns how one caller gets a credential, with what is known of
// the stack: from its URL or function, and from the secret's ARN, "" if there
// is none.
func callerPolicy(p connection.Place, name, secretARN string) string {
	secret, _ := arn.Parse(secretARN)
	api := connection.ParseAPI(p.URL)
	region, id := cmp.Or(p.AWS.Region, "REGION"), cmp.Or(api.ID, "API")
	function := cmp.Or(p.Function.Name, "FUNCTION")
	fill := strings.NewReplacer(
		"{NAME}", name, "{REGION}", region, "{API}", id,
		"{PARTITION}", cmp.Or(p.Function.Partition, secret.Partition, "aws"),
		"{ACCOUNT}", cmp.Or(p.Function.Account, secret.AccountID, "ACCOUNT"),
		"{FUNCTION}", function, "{GRANT}", p.Commands.WithFunction(function, region).Line("grant", name),
		"{URL}", cmp.Or(strings.TrimSuffix(p.URL, "/"), "https://"+id+".execute-api."+region+".amazonaws.com"),
		"{GET}", p.Commands.Line("get", name),
	)
	if p.IsLocal() {
		return fill.Replace(overAPI + onThisMachine)
	}
	return fill.Replace(overAPI + byInvocation + fromOutputs)
}

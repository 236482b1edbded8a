package permissions

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"

	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/clierror"
	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/iampolicy"
)

// grantAdvice is what to do about a grant on a guarded name.
var grantAdvice = map[string]string{
	iampolicy.APIAlias: "whoever invokes api can claim to be anyone: leave it to " + iampolicy.APIGateway +
		", with the stack's API as aws:SourceArn",
	iampolicy.AdminAlias: "admin may do everything: grant one alias c-NAME, or name operators with --operators",
	"":                   "grant an alias c-NAME instead of the bare function",
}

// adviceOn is what to do about a grant on these names.
func adviceOn(names []string) string {
	advice := make([]string, len(names))
	for i, alias := range names {
		advice[i] = grantAdvice[alias]
	}
	return strings.Join(advice, "; ")
}

// ResourcePolicies checks the resource policies of the function and of its
// aliases.
func (f Function) ResourcePolicies(ctx context.Context, client *lambda.Client) {
	for _, alias := range append([]string{""}, f.Aliases...) {
		f.resourcePolicy(ctx, client, alias)
	}
}

// resourcePolicy checks a resource policy of the function: that of an alias, or
// with "" that of the function without one.
func (f Function) resourcePolicy(ctx context.Context, client *lambda.Client, alias string) {
	subject, input := "grants on "+alias, &lambda.GetPolicyInput{FunctionName: &f.Name}
	if alias == "" {
		subject = "grants on the bare function"
	} else {
		input.Qualifier = &alias
	}
	out, err := client.GetPolicy(ctx, input)
	if e, ok := errors.AsType[*clierror.AWSError](clierror.AWS("lambda:GetPolicy", f.Name, err)); ok {
		if e.Code != "ResourceNotFoundException" {
			f.Unread(subject, e)
		}
		return
	}
	var d iampolicy.Document
	if err != nil || json.Unmarshal([]byte(aws.ToString(out.Policy)), &d) != nil {
		f.Warn(subject, "not looked at: the policy can't be read", "")
		return
	}
	var apis []string
	for _, s := range d.Statement {
		if s.Invokes() {
			apis = append(apis, f.grant(subject, alias, s)...)
		}
	}
	slices.Sort(apis)
	if apis = slices.Compact(apis); len(apis) > 1 {
		f.Warn(subject, "the APIs "+strings.Join(apis, ", ")+" may all invoke it",
			"one of them is the stack's: --url with its output ApiUrl tells which")
	}
}

// grant checks one statement of a resource policy. It returns the ID of an API
// that is taken for the stack's because --url does not name one.
func (f Function) grant(subject, alias string, s iampolicy.Statement) (apis []string) {
	var reached []string
	for _, name := range iampolicy.Guarded() {
		if s.Covers(f.ARN, name) {
			reached = append(reached, name)
		}
	}
	if len(reached) == 0 && !s.Covers(f.ARN, alias) {
		return nil
	}
	who, api := s.Who(), s.SourceAPI(f.ARN)
	switch {
	case s.Anybody() && len(s.Condition) == 0:
		f.Fail(subject, "anybody at all may invoke it", "remove the statement "+s.Sid)
	case len(reached) == 0 && s.Anybody():
		f.Warn(subject, "anybody may invoke it under the conditions of the statement "+s.Sid, "name principals instead")
	case len(reached) == 0:
		f.callerOf(subject, alias, s)
	case slices.Equal(reached, []string{iampolicy.APIAlias}) && f.Expected.mayBeAPI(api):
		f.OK(subject, "%s for the API %s", who, api)
		if f.Expected.API == "" {
			apis = append(apis, api)
		}
	case slices.Equal(reached, []string{iampolicy.AdminAlias}) && f.Expected.areOperators(s.Principal):
		f.OK(subject, "%s, as --operators says", who)
	default:
		f.Warn(subject, who+" may invoke "+iampolicy.Describe(reached)+" by the statement "+s.Sid, adviceOn(reached))
	}
	return apis
}

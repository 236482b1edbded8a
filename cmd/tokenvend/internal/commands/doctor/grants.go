package doctor

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

// resourcePolicy checks a resource policy of the function: that of an alias, or
// with "" that of the function without one.
func (f *findings) resourcePolicy(ctx context.Context, reader functionReader, name, arn, alias string) {
	subject, input := "grants on "+alias, &lambda.GetPolicyInput{FunctionName: &name}
	if alias == "" {
		subject = "grants on the bare function"
	} else {
		input.Qualifier = &alias
	}
	out, err := reader.GetPolicy(ctx, input)
	if e, ok := errors.AsType[*clierror.AWSError](clierror.AWS("lambda:GetPolicy", name, err)); ok {
		if e.Code != "ResourceNotFoundException" {
			f.unread(subject, e)
		}
		return
	}
	var d iampolicy.Document
	if err != nil || json.Unmarshal([]byte(aws.ToString(out.Policy)), &d) != nil {
		f.warn(subject, "not looked at: the policy can't be read", "")
		return
	}
	var apis []string
	for _, s := range d.Statement {
		if s.Invokes() {
			apis = append(apis, f.grant(subject, alias, arn, s)...)
		}
	}
	slices.Sort(apis)
	if apis = slices.Compact(apis); len(apis) > 1 {
		f.warn(subject, "the APIs "+strings.Join(apis, ", ")+" may all invoke it",
			"one of them is the stack's: --url with its output ApiUrl tells which")
	}
}

// grant checks one statement of a resource policy. It returns the ID of an API
// that is taken for the stack's because --url does not name one.
func (f *findings) grant(subject, alias, arn string, s iampolicy.Statement) (apis []string) {
	var reached []string
	for _, name := range iampolicy.Guarded() {
		if s.Covers(arn, name) {
			reached = append(reached, name)
		}
	}
	if len(reached) == 0 && !s.Covers(arn, alias) {
		return nil
	}
	who, api := s.Who(), s.SourceAPI(arn)
	switch {
	case s.Anybody() && len(s.Condition) == 0:
		f.fail(subject, "anybody at all may invoke it", "remove the statement "+s.Sid)
	case len(reached) == 0 && s.Anybody():
		f.warn(subject, "anybody may invoke it under the conditions of the statement "+s.Sid, "name principals instead")
	case len(reached) == 0:
		f.callerOf(subject, arn, alias, s)
	case slices.Equal(reached, []string{iampolicy.APIAlias}) && api != "" && (f.api == "" || f.api == api):
		f.ok(subject, "%s for the API %s", who, api)
		if f.api == "" {
			apis = append(apis, api)
		}
	case slices.Equal(reached, []string{iampolicy.AdminAlias}) && f.areOperators(s.Principal):
		f.ok(subject, "%s, as --operators says", who)
	default:
		f.warn(subject, who+" may invoke "+iampolicy.Describe(reached)+" by the statement "+s.Sid, adviceOn(reached))
	}
	return apis
}

package main

import (
	"context"
	"encoding/json"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"

	"github.com/tokenvend/tokenvend/pkg/access"
)

// apiAlias is API Gateway's alone.
const apiAlias = "api"

// apiGateway is the one principal that is meant to have it.
const apiGateway = "apigateway.amazonaws.com"

// expected is who is meant to have what few may have, as the operator says.
type expected struct {
	operators []string // canonical ARNs
	api       string   // the id of the stack's API; "": not named
}

// parseOperators reads --operators.
func parseOperators(list string) (all []string, err error) {
	for arn := range strings.SplitSeq(list, ",") {
		arn = strings.TrimSpace(arn)
		if arn == "" {
			continue
		}
		canonical, ok := access.CanonicalPrincipal(arn)
		if !ok || strings.ContainsAny(arn, "*?") {
			return nil, usage("--operators: expected ARNs of IAM roles and users, separated by commas, without * and ?")
		}
		all = append(all, canonical)
	}
	return all, nil
}

func (e expected) isOperator(arn string) bool {
	canonical, ok := access.CanonicalPrincipal(arn)
	return ok && slices.Contains(e.operators, canonical)
}

func (e expected) areOperators(arns []string) bool {
	return len(arns) > 0 && !slices.ContainsFunc(arns, func(arn string) bool { return !e.isOperator(arn) })
}

// grantAdvice is what to do about a grant on a guarded name.
var grantAdvice = map[string]string{
	apiAlias: "whoever invokes api can claim to be anyone: leave it to " + apiGateway +
		", with the stack's API as aws:SourceArn",
	adminAlias: "admin may do everything: grant one alias c-NAME, or name operators with --operators",
	"":         "grant an alias c-NAME instead of the bare function",
}

// adviceOn is what to do about a grant on these names.
func adviceOn(names []string) string {
	said := make([]string, len(names))
	for i, alias := range names {
		said[i] = grantAdvice[alias]
	}
	return strings.Join(said, "; ")
}

// granted looks at a resource policy of the function: that of an alias, or with
// "" that of the function without one.
func (f *findings) granted(ctx context.Context, reader functionReader, name, arn, alias string) {
	subject, input := "grants on "+alias, &lambda.GetPolicyInput{FunctionName: &name}
	if alias == "" {
		subject = "grants on the bare function"
	} else {
		input.Qualifier = &alias
	}
	out, err := reader.GetPolicy(ctx, input)
	if e, ok := awsFault("lambda:GetPolicy", name, err).(*awsError); ok {
		if e.code != "ResourceNotFoundException" {
			f.unread(subject, e)
		}
		return
	}
	var d document
	if err != nil || json.Unmarshal([]byte(aws.ToString(out.Policy)), &d) != nil {
		f.warn(subject, "not looked at: the policy can't be read", "")
		return
	}
	var apis []string
	for _, s := range d.Statement {
		if s.invokes() {
			apis = append(apis, f.grant(subject, alias, arn, s)...)
		}
	}
	slices.Sort(apis)
	if apis = slices.Compact(apis); len(apis) > 1 {
		f.warn(subject, "the APIs "+strings.Join(apis, ", ")+" may all invoke it",
			"one of them is the stack's: --url with its output ApiUrl tells which")
	}
}

// grant judges one statement of a resource policy. It returns the id of an API
// that is taken for the stack's because --url does not tell.
func (f *findings) grant(subject, alias, arn string, s statement) (apis []string) {
	var reached []string
	for _, name := range guarded {
		if s.covers(arn, name) {
			reached = append(reached, name)
		}
	}
	if len(reached) == 0 && !s.covers(arn, alias) {
		return nil
	}
	who, api := s.who(), s.sourceAPI(arn)
	switch {
	case s.anybody() && len(s.Condition) == 0:
		f.fail(subject, "anybody at all may invoke it", "remove the statement "+s.Sid)
	case len(reached) == 0 && s.anybody():
		f.warn(subject, "anybody may invoke it under the conditions of the statement "+s.Sid, "name principals instead")
	case len(reached) == 0:
		f.ok(subject, "%s", who)
	case slices.Equal(reached, []string{apiAlias}) && api != "" && (f.api == "" || f.api == api):
		f.ok(subject, "%s for the API %s", who, api)
		if f.api == "" {
			apis = append(apis, api)
		}
	case slices.Equal(reached, []string{adminAlias}) && f.areOperators(s.Principal):
		f.ok(subject, "%s, as --operators says", who)
	default:
		f.warn(subject, who+" may invoke "+spoken(reached)+" by the statement "+s.Sid, adviceOn(reached))
	}
	return apis
}

// Package iampolicy reads IAM policies and reports which aliases of a Lambda
// function they allow to invoke. Deny statements and conditions are not
// evaluated.
package iampolicy

import (
	"encoding/json"
	"regexp"
	"slices"
	"strings"

	awsarn "github.com/aws/aws-sdk-go-v2/aws/arn"

	"github.com/tokenvend/tokenvend/pkg/access"
)

// The actions that invoke a function. InvokeAsync is the older form, which
// Lambda still takes.
const (
	InvokeAction = "lambda:InvokeFunction"
	invokeAsync  = "lambda:InvokeAsync"
)

// The aliases of a function that few principals may invoke.
const (
	APIAlias   = "api"   // for API Gateway
	AdminAlias = "admin" // for operators
)

// APIGateway is the service principal of API Gateway.
const APIGateway = "apigateway.amazonaws.com"

// Document is an IAM policy.
type Document struct {
	Statement listOf[Statement]
}

// Statement is a statement of a policy.
type Statement struct {
	Sid, Effect           string
	Action, NotAction     listOf[string]
	Resource, NotResource listOf[string]
	Principal             principals
	NotPrincipal          any
	Condition             map[string]any
}

// listOf is a list that JSON may represent by its only element.
type listOf[T any] []T

// UnmarshalJSON reads either form.
func (l *listOf[T]) UnmarshalJSON(data []byte) error {
	var one T
	if json.Unmarshal(data, &one) == nil {
		*l = listOf[T]{one}
		return nil
	}
	return json.Unmarshal(data, (*[]T)(l))
}

// principals are the principals of a resource policy.
type principals []string

// UnmarshalJSON reads "*" as well as {"AWS": …, "Service": …}.
func (p *principals) UnmarshalJSON(data []byte) error {
	var all string
	if json.Unmarshal(data, &all) == nil {
		*p = principals{all}
		return nil
	}
	var kinds map[string]listOf[string]
	err := json.Unmarshal(data, &kinds)
	for _, names := range kinds {
		*p = append(*p, names...)
	}
	slices.Sort(*p)
	return err
}

// Who names the principals.
func (s Statement) Who() string { return strings.Join(s.Principal, ", ") }

// Anybody reports whether the statement is for every principal.
func (s Statement) Anybody() bool {
	return s.NotPrincipal != nil || slices.Contains(s.Principal, "*")
}

// Invokes reports whether the statement allows to invoke a function.
func (s Statement) Invokes() bool {
	return s.Effect == "Allow" && (s.allows(InvokeAction) || s.allows(invokeAsync))
}

func (s Statement) allows(action string) bool {
	fits := func(pattern string) bool { return access.Match(strings.ToLower(pattern), strings.ToLower(action)) }
	return slices.ContainsFunc(s.Action, fits) || len(s.NotAction) > 0 && !slices.ContainsFunc(s.NotAction, fits)
}

// Guarded returns the aliases that few principals may invoke, with "" for the
// function without an alias.
func Guarded() []string { return []string{APIAlias, AdminAlias, ""} }

// qualified returns the ARN of a function with an alias; "" for none.
func qualified(arn, alias string) string {
	if alias == "" {
		return arn
	}
	return arn + ":" + alias
}

// matched returns the guarded aliases that a pattern matches.
func matched(pattern, arn string) (names []string) {
	for _, alias := range Guarded() {
		if access.Match(pattern, qualified(arn, alias)) {
			names = append(names, alias)
		}
	}
	return names
}

// patterns returns the resources of a statement as patterns. A policy variable
// may stand for anything.
func (s Statement) patterns() []string {
	all := make([]string, 0, len(s.Resource))
	for _, pattern := range s.Resource {
		all = append(all, policyVariable.ReplaceAllString(pattern, "*"))
	}
	return all
}

var policyVariable = regexp.MustCompile(`\$\{[^}]*\}`)

// Reaches returns, by pattern, the guarded aliases that the statement covers.
func (s Statement) Reaches(arn string) map[string][]string {
	found := map[string][]string{}
	for _, pattern := range s.patterns() {
		if names := matched(pattern, arn); len(names) > 0 {
			found[pattern] = names
		}
	}
	if len(s.NotResource) > 0 {
		but := "all but " + strings.Join(s.NotResource, ", ")
		for _, alias := range Guarded() {
			if s.Covers(arn, alias) {
				found[but] = append(found[but], alias)
			}
		}
	}
	return found
}

// Covers reports whether the statement is about the function with that alias. A
// statement of a resource policy that names no resource is about what the
// policy is attached to.
func (s Statement) Covers(arn, alias string) bool {
	at := qualified(arn, alias)
	fits := func(pattern string) bool { return access.Match(pattern, at) }
	if len(s.NotResource) > 0 {
		return !slices.ContainsFunc(s.NotResource, fits)
	}
	return len(s.Resource) == 0 || slices.ContainsFunc(s.patterns(), fits)
}

// Describe names guarded aliases in a sentence: "the alias api and the alias
// admin".
func Describe(names []string) string {
	words := make([]string, len(names))
	for i, alias := range names {
		words[i] = "the alias " + alias
		if alias == "" {
			words[i] = "the bare function"
		}
	}
	return strings.Join(words, " and ")
}

// SourceAPI returns the ID of the only HTTP or REST API, in the function's own
// account and region, that the statement allows to invoke it; "" if there is
// none.
func (s Statement) SourceAPI(arn string) (id string) {
	if len(s.Principal) != 1 || s.Principal[0] != APIGateway || s.NotPrincipal != nil {
		return ""
	}
	at, err := awsarn.Parse(arn)
	if err != nil {
		return ""
	}
	for _, source := range s.sources() {
		api, err := awsarn.Parse(source)
		found, _, _ := strings.Cut(api.Resource, "/")
		own := err == nil && api.Service == "execute-api" &&
			api.Partition == at.Partition && api.Region == at.Region && api.AccountID == at.AccountID
		if !own || !apiID.MatchString(found) || id != "" && id != found {
			return ""
		}
		id = found
	}
	return id
}

var apiID = regexp.MustCompile(`^[a-z0-9]+$`)

// equality holds the condition operators that require one of some values.
var equality = []string{"arnlike", "arnequals", "stringlike", "stringequals"}

// sources returns the ARNs that a condition on aws:SourceArn requires.
func (s Statement) sources() (all []string) {
	for operator, keys := range s.Condition {
		requires := slices.Contains(equality, strings.ToLower(operator))
		values, _ := keys.(map[string]any)
		for key, value := range values {
			if requires && strings.EqualFold(key, "aws:SourceArn") {
				text, _ := json.Marshal(value)
				var list listOf[string]
				_ = json.Unmarshal(text, &list)
				all = append(all, list...)
			}
		}
	}
	return all
}

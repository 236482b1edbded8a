package main

import (
	"encoding/json"
	"regexp"
	"slices"
	"strings"

	awsarn "github.com/aws/aws-sdk-go-v2/aws/arn"

	"github.com/tokenvend/tokenvend/pkg/access"
)

// invokeAction is the action that all of this is about. invokeAsync is its older form,
// which Lambda still takes.
const (
	invokeAction = "lambda:InvokeFunction"
	invokeAsync  = "lambda:InvokeAsync"
)

// document is an IAM policy. Only what it allows is read: what a Deny or a condition takes away again is not weighed.
type document struct {
	Statement listOf[statement]
}

type statement struct {
	Sid, Effect           string
	Action, NotAction     listOf[string]
	Resource, NotResource listOf[string]
	Principal             principals
	NotPrincipal          any
	Condition             map[string]any
}

// listOf is a list that IAM's JSON spells as its only element where it has just one.
type listOf[T any] []T

// UnmarshalJSON reads either spelling.
func (l *listOf[T]) UnmarshalJSON(data []byte) error {
	var one T
	if json.Unmarshal(data, &one) == nil {
		*l = listOf[T]{one}
		return nil
	}
	return json.Unmarshal(data, (*[]T)(l))
}

// principals are who a resource policy is for.
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

func (s statement) who() string { return strings.Join(s.Principal, ", ") }

func (s statement) anybody() bool {
	return s.NotPrincipal != nil || slices.Contains(s.Principal, "*")
}

// invokes reports whether a statement allows that a function is invoked.
func (s statement) invokes() bool {
	return s.Effect == "Allow" && (s.allows(invokeAction) || s.allows(invokeAsync))
}

func (s statement) allows(action string) bool {
	fits := func(pattern string) bool { return access.Match(strings.ToLower(pattern), strings.ToLower(action)) }
	return slices.ContainsFunc(s.Action, fits) || len(s.NotAction) > 0 && !slices.ContainsFunc(s.NotAction, fits)
}

// guarded are the names of a function that few may invoke it by: aliases, and
// "" for the function without one.
var guarded = []string{apiAlias, adminAlias, ""}

// named is the ARN of a function by an alias; "": by none.
func named(arn, alias string) string {
	if alias == "" {
		return arn
	}
	return arn + ":" + alias
}

// reached returns which of those names a statement reaches by one pattern.
func reached(pattern, arn string) (names []string) {
	for _, alias := range guarded {
		if access.Match(pattern, named(arn, alias)) {
			names = append(names, alias)
		}
	}
	return names
}

// patterns are the resources of a statement, as patterns for people and to
// match. A policy variable may stand for anything.
func (s statement) patterns() []string {
	all := make([]string, 0, len(s.Resource))
	for _, pattern := range s.Resource {
		all = append(all, policyVariable.ReplaceAllString(pattern, "*"))
	}
	return all
}

var policyVariable = regexp.MustCompile(`\$\{[^}]*\}`)

// reaches returns, by pattern, which of the guarded names a statement reaches.
func (s statement) reaches(arn string) map[string][]string {
	found := map[string][]string{}
	for _, pattern := range s.patterns() {
		if names := reached(pattern, arn); len(names) > 0 {
			found[pattern] = names
		}
	}
	if len(s.NotResource) > 0 {
		but := "all but " + strings.Join(s.NotResource, ", ")
		for _, alias := range guarded {
			if s.covers(arn, alias) {
				found[but] = append(found[but], alias)
			}
		}
	}
	return found
}

// covers reports whether a statement reaches the function by that alias. A
// statement of a resource policy that names no resource is about all that the
// policy is attached to.
func (s statement) covers(arn, alias string) bool {
	at := named(arn, alias)
	fits := func(pattern string) bool { return access.Match(pattern, at) }
	if len(s.NotResource) > 0 {
		return !slices.ContainsFunc(s.NotResource, fits)
	}
	return len(s.Resource) == 0 || slices.ContainsFunc(s.patterns(), fits)
}

// spoken names guarded names in a sentence: "the aliases api and admin".
func spoken(names []string) string {
	said := make([]string, len(names))
	for i, alias := range names {
		said[i] = "the alias " + alias
		if alias == "" {
			said[i] = "the bare function"
		}
	}
	return strings.Join(said, " and ")
}

// sourceAPI returns the id of the one HTTP or REST API, in the function's own
// account and region, that a statement lets invoke it; "": it names no such one.
func (s statement) sourceAPI(arn string) (id string) {
	if len(s.Principal) != 1 || s.Principal[0] != apiGateway || s.NotPrincipal != nil {
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

// demanding are the operators of conditions that demand one of some values.
var demanding = []string{"arnlike", "arnequals", "stringlike", "stringequals"}

// sources are the ARNs that a condition on aws:SourceArn demands.
func (s statement) sources() (all []string) {
	for operator, keys := range s.Condition {
		demands := slices.Contains(demanding, strings.ToLower(operator))
		values, _ := keys.(map[string]any)
		for key, value := range values {
			if demands && strings.EqualFold(key, "aws:SourceArn") {
				text, _ := json.Marshal(value)
				var list listOf[string]
				_ = json.Unmarshal(text, &list)
				all = append(all, list...)
			}
		}
	}
	return all
}

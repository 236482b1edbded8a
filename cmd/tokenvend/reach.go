package main

import (
	"encoding/json"
	"slices"
	"strings"

	"github.com/tokenvend/tokenvend/pkg/access"
)

// invokeAction is the action that all of this is about.
const invokeAction = "lambda:InvokeFunction"

// document is an IAM policy. Only what it allows is read: what a Deny or a condition takes away again is not weighed.
type document struct {
	Statement listOf[statement]
}

type statement struct {
	Sid, Effect           string
	Action, NotAction     listOf[string]
	Resource, NotResource listOf[string]
	Principal             principals
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

func (s statement) anybody() bool { return slices.Contains(s.Principal, "*") }

// invokes says whether a statement allows that a function is invoked.
func (s statement) invokes() bool {
	fits := func(pattern string) bool {
		return access.Match(strings.ToLower(pattern), strings.ToLower(invokeAction))
	}
	if s.Effect != "Allow" {
		return false
	}
	return slices.ContainsFunc(s.Action, fits) || len(s.NotAction) > 0 && !slices.ContainsFunc(s.NotAction, fits)
}

// wide is the pattern by which a statement reaches the function's alias admin without naming it; "": it does not.
func (s statement) wide(arn string) string {
	admin := arn + ":" + adminAlias
	for _, pattern := range s.Resource {
		if pattern != admin && access.Match(pattern, admin) {
			return pattern
		}
	}
	if len(s.NotResource) > 0 && !slices.ContainsFunc(s.NotResource, func(pattern string) bool { return access.Match(pattern, admin) }) {
		return "all but " + strings.Join(s.NotResource, ", ")
	}
	return ""
}

// administers says whether a statement names the function's alias admin.
func (s statement) administers(arn string) bool {
	return slices.Contains(s.Resource, arn+":"+adminAlias)
}

// concerns says whether a statement of a resource policy is about the function by that alias, "" for none, or reaches further than any.
func (s statement) concerns(arn, alias string) bool {
	if alias != "" {
		arn += ":" + alias
	}
	return slices.Contains(s.Resource, arn) || slices.ContainsFunc(s.Resource, func(pattern string) bool { return strings.ContainsAny(pattern, "*?") })
}

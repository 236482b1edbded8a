package testbed

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// Policy is what a role's policies say, taken together.
type Policy []Statement

// Statement is one of a policy's. Reading one fails where it says anything that
// [Policy.Evaluate] does not understand: what is passed over could be what
// forbids.
type Statement struct {
	Sid       string    `json:"Sid"`
	Effect    string    `json:"Effect"` // Allow or Deny
	Action    OneOrMore `json:"Action"`
	Resource  OneOrMore `json:"Resource"`
	Condition Condition `json:"Condition"`
}

// Condition is what must hold of an ask besides: by operator, and by key, the
// values of which one must fit.
type Condition map[string]map[string]OneOrMore

// OneOrMore is a list that IAM's JSON spells as its only element where it has
// just one.
type OneOrMore []string

// UnmarshalJSON reads either spelling.
func (l *OneOrMore) UnmarshalJSON(data []byte) error {
	var one string
	if json.Unmarshal(data, &one) == nil {
		*l = OneOrMore{one}
		return nil
	}
	return json.Unmarshal(data, (*[]string)(l))
}

// UnmarshalJSON reads a statement strictly.
func (s *Statement) UnmarshalJSON(data []byte) error {
	type plain Statement
	strict := json.NewDecoder(bytes.NewReader(data))
	strict.DisallowUnknownFields()
	if err := strict.Decode((*plain)(s)); err != nil {
		return err
	}
	if s.Effect != allow && s.Effect != deny {
		return fmt.Errorf("statement %q: Effect %q", s.Sid, s.Effect)
	}
	for operator := range s.Condition {
		if _, known := operators[operator]; !known {
			return fmt.Errorf("statement %q: the operator %s is not understood here", s.Sid, operator)
		}
	}
	if bytes.Contains(data, []byte("${")) {
		return fmt.Errorf("statement %q: policy variables are not understood here", s.Sid)
	}
	return nil
}

const (
	allow = "Allow"
	deny  = "Deny"
)

// AccessRequest is one thing that a call needs leave for.
type AccessRequest struct {
	Action   string              // such as dynamodb:GetItem
	Resource string              // an ARN; "*" for an action that is about none
	Context  map[string][]string // the values of condition keys
}

// grant names one action on one resource of one statement, by their places.
type grant struct{ statement, action, resource int }

// Evaluate reports whether the policy allows an ask, as IAM does where nothing
// but a role's own policies speaks: by default no, by a statement that allows
// yes, and by one that denies no all the same.
func (p Policy) Evaluate(a AccessRequest) bool {
	_, allowed := p.evaluate(a)
	return allowed
}

// evaluate also tells which grants the ask made use of.
func (p Policy) evaluate(a AccessRequest) (by []grant, allowed bool) {
	for i, s := range p {
		for _, g := range s.fits(a) {
			if s.Effect == deny {
				return nil, false
			}
			g.statement = i
			by = append(by, g)
		}
	}
	return by, len(by) > 0
}

// fits returns the places of the actions and resources of s that an ask is
// about; none where its conditions do not hold.
func (s Statement) fits(a AccessRequest) (found []grant) {
	if !s.Condition.holds(a.Context) {
		return nil
	}
	for i, action := range s.Action {
		for j, resource := range s.Resource {
			if matches(strings.ToLower(action), strings.ToLower(a.Action)) && matches(resource, a.Resource) {
				found = append(found, grant{action: i, resource: j})
			}
		}
	}
	return found
}

// operators report whether the values of a key in an ask fit those in a
// condition. A key that the ask does not have has none.
var operators = map[string]func(has, wants []string) bool{
	"StringEquals": func(has, wants []string) bool {
		return slices.ContainsFunc(has, oneOf(wants, equal))
	},
	"StringNotEquals": func(has, wants []string) bool {
		return !slices.ContainsFunc(has, oneOf(wants, equal))
	},
	"StringLike": func(has, wants []string) bool {
		return slices.ContainsFunc(has, oneOf(wants, matches))
	},
	"StringNotLike": func(has, wants []string) bool {
		return !slices.ContainsFunc(has, oneOf(wants, matches))
	},
	"NumericLessThanEquals": func(has, wants []string) bool {
		return slices.ContainsFunc(has, oneOf(wants, func(most, value string) bool {
			bound, err := strconv.ParseFloat(most, 64)
			number, failed := strconv.ParseFloat(value, 64)
			return err == nil && failed == nil && number <= bound
		}))
	},
	"Null": func(has, wants []string) bool {
		return slices.Contains(wants, fmt.Sprint(len(has) == 0))
	},
	"ForAllValues:StringEquals": func(has, wants []string) bool {
		return !slices.ContainsFunc(has, not(oneOf(wants, equal)))
	},
}

func equal(want, value string) bool { return want == value }

func oneOf(wants []string, fits func(want, value string) bool) func(string) bool {
	return func(value string) bool {
		return slices.ContainsFunc(wants, func(want string) bool { return fits(want, value) })
	}
}

func not(f func(string) bool) func(string) bool { return func(s string) bool { return !f(s) } }

// holds reports whether every key of every operator fits. The case of a key
// does not count.
func (c Condition) holds(context map[string][]string) bool {
	has := map[string][]string{}
	for key, values := range context {
		has[strings.ToLower(key)] = values
	}
	for operator, keys := range c {
		for key := range maps.Keys(keys) {
			if !operators[operator](has[strings.ToLower(key)], keys[key]) {
				return false
			}
		}
	}
	return true
}

// matches reports whether a pattern fits the whole of s: * stands for any text,
// ? for one character.
func matches(pattern, s string) bool {
	spelt := strings.NewReplacer(`\*`, `.*`, `\?`, `.`).Replace(regexp.QuoteMeta(pattern))
	return regexp.MustCompile(`(?s)^` + spelt + `$`).MatchString(s)
}

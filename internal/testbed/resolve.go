package testbed

import (
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// expansion is what of a CloudFormation template is resolved here.
type expansion struct {
	Parameters map[string]struct {
		Type    string
		Default any
	}
	Conditions map[string]any
	Resources  map[string]struct {
		Type       string
		Condition  string
		Properties map[string]any
	}
}

const (
	stackName = "tokenvend"
	noValue   = "AWS::NoValue"
)

// resolver replaces the intrinsic functions of a template by their values. It
// panics with a resolveError where it meets one that it does not know:
// properties returns that.
type resolver struct {
	expansion
	given   map[string]any // parameters and pseudo parameters
	account string
	sealKey string // the ARN of the one KMS key
}

type resolveError string

func newResolver(e expansion, account, sealKey string, given map[string]any) *resolver {
	all := map[string]any{
		"AWS::AccountId": account, "AWS::Partition": "aws", "AWS::Region": "us-east-1", "AWS::StackName": stackName,
		"AWS::URLSuffix": "amazonaws.com",
		"AWS::StackId":   "arn:aws:cloudformation:us-east-1:" + account + ":stack/" + stackName + "/1",
	}
	for name, p := range e.Parameters {
		all[name] = p.Default
	}
	maps.Copy(all, given)
	for name, p := range e.Parameters {
		if p.Type == "CommaDelimitedList" {
			all[name] = listOf(fmt.Sprint(all[name]))
		}
	}
	return &resolver{expansion: e, given: all, account: account, sealKey: sealKey}
}

// listOf returns the value of a parameter that is a list.
func listOf(text string) []any {
	list := []any{}
	for one := range strings.SplitSeq(text, ",") {
		list = append(list, one)
	}
	return list
}

// properties resolves the properties of a resource into a struct.
func (r *resolver) properties(resource string, into any) (err error) {
	defer func() {
		if problem, is := recover().(resolveError); is {
			err = fmt.Errorf("%s", string(problem))
		}
	}()
	data, err := json.Marshal(r.resolve(r.Resources[resource].Properties))
	if err != nil {
		return err
	}
	return json.Unmarshal(data, into)
}

// absent is what a reference to AWS::NoValue resolves to: its place is removed.
type absent struct{}

func (r *resolver) resolve(node any) any {
	switch node := node.(type) {
	case []any:
		list := []any{}
		for _, one := range node {
			if value := r.resolve(one); value != (any)(absent{}) {
				list = append(list, value)
			}
		}
		return list
	case map[string]any:
		if len(node) == 1 {
			for name, argument := range node {
				if name == "Ref" || name == "Condition" && reflect.TypeOf(argument).Kind() == reflect.String ||
					strings.HasPrefix(name, "Fn::") {
					return r.call(name, argument)
				}
			}
		}
		object := map[string]any{}
		for name, one := range node {
			if value := r.resolve(one); value != (any)(absent{}) {
				object[name] = value
			}
		}
		return object
	}
	return node
}

// call returns the value of an intrinsic function.
func (r *resolver) call(function string, argument any) any {
	if function == "Fn::If" {
		parts := argument.([]any)
		if r.condition(parts[0].(string)) {
			return r.resolve(parts[1])
		}
		return r.resolve(parts[2])
	}
	if function == "Fn::Sub" {
		return r.substitute(argument)
	}
	list, _ := r.resolve(argument).([]any)
	text, _ := argument.(string)
	switch function {
	case "Ref":
		return r.reference(text)
	case "Condition":
		return r.condition(text)
	case "Fn::GetAtt":
		if len(list) == 2 {
			text = fmt.Sprint(list[0], ".", list[1])
		}
		resource, attribute, _ := strings.Cut(text, ".")
		return r.attribute(resource, attribute)
	case "Fn::Equals":
		return fmt.Sprint(list[0]) == fmt.Sprint(list[1])
	case "Fn::And":
		return !slices.Contains(list, any(false))
	case "Fn::Not":
		return list[0] != true
	case "Fn::Or":
		return slices.Contains(list, any(true))
	case "Fn::Select":
		index, err := strconv.Atoi(fmt.Sprint(list[0]))
		if parts, is := list[1].([]any); is && err == nil && index < len(parts) {
			return parts[index]
		}
	case "Fn::Split":
		parts := []any{}
		for part := range strings.SplitSeq(fmt.Sprint(list[1]), fmt.Sprint(list[0])) {
			parts = append(parts, part)
		}
		return parts
	case "Fn::Join":
		var parts []string
		for _, part := range list[1].([]any) {
			parts = append(parts, fmt.Sprint(part))
		}
		return strings.Join(parts, list[0].(string))
	}
	panic(resolveError("the intrinsic function " + function + " is not understood here"))
}

func (r *resolver) condition(name string) bool {
	c, defined := r.Conditions[name]
	if !defined {
		panic(resolveError("there is no condition " + name))
	}
	return r.resolve(c) == true
}

func (r *resolver) reference(name string) any {
	if name == noValue {
		return absent{}
	}
	if value, known := r.given[name]; known {
		return value
	}
	if _, known := r.Resources[name]; !known {
		panic(resolveError("nothing is called " + name))
	}
	if r.Resources[name].Type == "AWS::KMS::Key" {
		return r.sealKey[strings.LastIndexByte(r.sealKey, '/')+1:]
	}
	return stackName + "-" + name + "-1"
}

var placeholder = regexp.MustCompile(`\$\{([^!}][^}]*)\}`)

func (r *resolver) substitute(argument any) any {
	text, is := argument.(string)
	own := map[string]any{}
	if list, more := argument.([]any); more {
		text, is = list[0].(string)
		own, _ = list[1].(map[string]any)
	}
	if !is {
		panic(resolveError("Fn::Sub without a text"))
	}
	return placeholder.ReplaceAllStringFunc(text, func(found string) string {
		name := found[2 : len(found)-1]
		if value, has := own[name]; has {
			return fmt.Sprint(r.resolve(value))
		}
		if resource, attribute, is := strings.Cut(name, "."); is {
			return r.attribute(resource, attribute)
		}
		return fmt.Sprint(r.reference(name))
	})
}

// attribute returns an attribute of a resource as Fn::GetAtt does.
func (r *resolver) attribute(resource, attribute string) string {
	kind, name := r.Resources[resource].Type, fmt.Sprint(r.reference(resource))
	if attribute == "Arn" {
		switch kind {
		case "AWS::KMS::Key":
			return r.sealKey
		case "AWS::IAM::Role":
			return "arn:aws:iam::" + r.account + ":role/" + name
		case "AWS::DynamoDB::Table":
			return "arn:aws:dynamodb:us-east-1:" + r.account + ":table/" + name
		case "AWS::Lambda::Function":
			return "arn:aws:lambda:us-east-1:" + r.account + ":function:" + name
		case "AWS::CloudWatch::Alarm":
			return "arn:aws:cloudwatch:us-east-1:" + r.account + ":alarm:" + name
		case "AWS::Logs::LogGroup":
			return "arn:aws:logs:us-east-1:" + r.account + ":log-group:" + name + ":*"
		}
	}
	panic(resolveError("the attribute " + attribute + " of a " + kind + " is not known here"))
}

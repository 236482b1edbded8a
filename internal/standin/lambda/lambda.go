// Package lambda stands in for AWS Lambda's configuration in tests: functions,
// their aliases and who may invoke them. It runs nothing. What it does not
// implement is an error. The contract suite of internal/standin holds it to
// moto.
package lambda

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/tokenvend/tokenvend/internal/standin/wire"
)

// Server is the Lambda of one account in one region.
type Server struct {
	ARN       string // of the account's Lambda: arn:aws:lambda:REGION:ACCOUNT:
	mu        sync.Mutex
	functions map[string]*function
}

type function struct {
	name, role string
	settings   map[string]string      // of $LATEST: its environment
	published  []map[string]string    // those of the versions, from 1 on
	retries    map[string]int         // of asynchronous invocations, by qualifier
	aliases    map[string]string      // the versions that they name
	policies   map[string][]statement // by qualifier; "" for the bare function
}

type statement struct {
	Sid       string                       `json:"Sid"`
	Effect    string                       `json:"Effect"`
	Principal any                          `json:"Principal"`
	Action    string                       `json:"Action"`
	Resource  string                       `json:"Resource"`
	Condition map[string]map[string]string `json:"Condition,omitempty"`
}

// latest is the version of a function that is not published.
const latest = "$LATEST"

// Serve answers one request, whose body is given.
func (s *Server) Serve(w http.ResponseWriter, r *http.Request, body []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	rest, ok := strings.CutPrefix(r.URL.Path, "/2015-03-31/functions")
	if !ok {
		rest, ok = strings.CutPrefix(r.URL.Path, "/2019-09-25/functions") // of event-invoke-config
	}
	name, action, _ := strings.Cut(strings.TrimPrefix(rest, "/"), "/")
	qualifier := r.URL.Query().Get("Qualifier")
	var answer any
	err := error(
		wire.Errorf("UnknownOperationException", "the stand-in does not implement %s %s", r.Method, r.URL.Path),
	)
	switch {
	case ok && name == "" && r.Method == http.MethodPost:
		answer, err = s.create(body)
	case ok && name == "" && r.Method == http.MethodGet:
		answer, err = s.list(), nil
	case ok && name != "":
		if f := s.functions[name[strings.LastIndexByte(name, ':')+1:]]; f != nil {
			answer, err = s.act(f, r.Method, action, qualifier, body)
		} else {
			err = notFound("Function not found: %sfunction:%s", s.ARN, name)
		}
	}
	wire.Answer(w, "application/json", answer, err)
}

func notFound(format string, args ...any) *wire.Error {
	return &wire.Error{
		Code: "ResourceNotFoundException", Message: fmt.Sprintf(format, args...), Status: http.StatusNotFound,
	}
}

func (s *Server) act(f *function, method, action, qualifier string, body []byte) (any, error) {
	kind, name, _ := strings.Cut(action, "/")
	switch method + " " + kind {
	case "GET configuration":
		return s.describe(f, f.version(qualifier)), nil
	case "PUT configuration":
		return s.configure(f, body)
	case "PUT event-invoke-config":
		return f.setRetries(qualifier, body)
	case "POST versions":
		f.published = append(f.published, f.settings)
		return s.describe(f, strconv.Itoa(len(f.published))), nil
	case "POST aliases":
		return s.createAlias(f, body)
	case "GET aliases":
		if name != "" {
			return s.getAlias(f, name)
		}
		return s.listAliases(f), nil
	case "DELETE aliases":
		delete(f.aliases, name)
		return struct{}{}, nil
	case "GET event-invoke-config":
		retries, ok := f.retries[qualifier]
		if !ok {
			return nil, notFound("The function %s:%s doesn't have an EventInvokeConfig", s.arn(f), qualifier)
		}
		return map[string]any{"MaximumRetryAttempts": retries}, nil
	case "POST policy":
		return s.addPermission(f, qualifier, body)
	case "GET policy":
		return s.policy(f, qualifier)
	}
	return nil, wire.Errorf(
		"UnknownOperationException", "the stand-in does not implement %s %s of a function", method, action,
	)
}

func (s *Server) arn(f *function) string { return s.ARN + "function:" + f.name }

// version returns the version that a qualifier names.
func (f *function) version(qualifier string) string {
	switch on := f.aliases[qualifier]; {
	case qualifier == "":
		return latest
	case on != "":
		return on
	}
	return qualifier
}

func (s *Server) describe(f *function, version string) map[string]any {
	settings := f.settings
	if n, err := strconv.Atoi(version); err == nil && n > 0 && n <= len(f.published) {
		settings = f.published[n-1]
	}
	return map[string]any{
		"Environment":  map[string]any{"Variables": settings},
		"FunctionName": f.name, "FunctionArn": s.arn(f) + ":" + version, "Role": f.role, "Version": version,
		"State": "Active", "LastUpdateStatus": "Successful",
		"LoggingConfig": map[string]string{"LogFormat": "Text", "LogGroup": "/aws/lambda/" + f.name},
	}
}

func (s *Server) create(body []byte) (any, error) {
	var in struct {
		FunctionName, Role string
		Environment        struct{ Variables map[string]string }
	}
	if err := json.Unmarshal(body, &in); err != nil {
		return nil, err
	}
	if s.functions[in.FunctionName] != nil {
		return nil, &wire.Error{
			Code: "ResourceConflictException", Message: "Function already exist: " + in.FunctionName,
			Status: http.StatusConflict,
		}
	}
	if s.functions == nil {
		s.functions = map[string]*function{}
	}
	f := &function{
		name:     in.FunctionName,
		settings: in.Environment.Variables,
		retries:  map[string]int{},
		role:     in.Role,
		aliases:  map[string]string{},
		policies: map[string][]statement{},
	}
	s.functions[f.name] = f
	made := s.describe(f, latest)
	made["FunctionArn"] = s.arn(f)
	return made, nil
}

func (s *Server) configure(f *function, body []byte) (any, error) {
	var in struct {
		Environment struct{ Variables map[string]string }
	}
	err := json.Unmarshal(body, &in)
	if err == nil {
		f.settings = in.Environment.Variables
	}
	return s.describe(f, latest), err
}

func (f *function) setRetries(qualifier string, body []byte) (any, error) {
	var in struct{ MaximumRetryAttempts int }
	err := wire.Decode(body, &in)
	if err == nil {
		f.retries[qualifier] = in.MaximumRetryAttempts
	}
	return map[string]any{"MaximumRetryAttempts": in.MaximumRetryAttempts}, err
}

func (s *Server) list() any {
	all := []map[string]any{}
	for _, name := range slices.Sorted(maps.Keys(s.functions)) {
		all = append(all, s.describe(s.functions[name], latest))
	}
	return map[string]any{"Functions": all}
}

func (s *Server) createAlias(f *function, body []byte) (any, error) {
	var in struct{ Name, FunctionVersion string }
	if err := json.Unmarshal(body, &in); err != nil {
		return nil, err
	}
	if f.aliases[in.Name] != "" {
		return nil, &wire.Error{
			Code: "ResourceConflictException", Message: "Alias already exists: " + in.Name,
			Status: http.StatusConflict,
		}
	}
	f.aliases[in.Name] = in.FunctionVersion
	return s.alias(f, in.Name), nil
}

func (s *Server) alias(f *function, name string) map[string]string {
	return map[string]string{"AliasArn": s.arn(f) + ":" + name, "Name": name, "FunctionVersion": f.aliases[name]}
}

func (s *Server) getAlias(f *function, name string) (any, error) {
	if f.aliases[name] == "" {
		return nil, notFound("Cannot find alias arn: %s:%s", s.arn(f), name)
	}
	return s.alias(f, name), nil
}

func (s *Server) listAliases(f *function) any {
	all := []map[string]string{}
	for _, name := range slices.Sorted(maps.Keys(f.aliases)) {
		all = append(all, s.alias(f, name))
	}
	return map[string]any{"Aliases": all}
}

// accountID fits a principal that is an account, which the policy names by the
// ARN of its root.
var accountID = regexp.MustCompile(`^\d{12}$`)

func (s *Server) addPermission(f *function, qualifier string, body []byte) (any, error) {
	var in struct{ StatementId, Action, Principal, SourceArn, SourceAccount string }
	if err := wire.Decode(body, &in); err != nil {
		return nil, err
	}
	resource := s.arn(f)
	if qualifier != "" {
		if f.aliases[qualifier] == "" {
			return nil, notFound("Cannot find alias arn: %s:%s", resource, qualifier)
		}
		resource += ":" + qualifier
	}
	st := statement{
		Sid: in.StatementId, Effect: "Allow", Action: in.Action, Resource: resource,
		Principal: principal(in.Principal),
	}
	for operator, condition := range map[string][2]string{
		"ArnLike": {"AWS:SourceArn", in.SourceArn}, "StringEquals": {"AWS:SourceAccount", in.SourceAccount},
	} {
		if condition[1] != "" {
			if st.Condition == nil {
				st.Condition = map[string]map[string]string{}
			}
			st.Condition[operator] = map[string]string{condition[0]: condition[1]}
		}
	}
	f.policies[qualifier] = append(f.policies[qualifier], st)
	text, err := json.Marshal(st)
	return map[string]string{"Statement": string(text)}, err
}

func principal(name string) any {
	switch {
	case name == "*":
		return name
	case accountID.MatchString(name):
		return map[string]string{"AWS": "arn:aws:iam::" + name + ":root"}
	case strings.HasPrefix(name, "arn:"):
		return map[string]string{"AWS": name}
	}
	return map[string]string{"Service": name}
}

func (s *Server) policy(f *function, qualifier string) (any, error) {
	if len(f.policies[qualifier]) == 0 {
		return nil, notFound("The resource you requested does not exist.")
	}
	text, err := json.Marshal(map[string]any{
		"Version": "2012-10-17", "Id": "default", "Statement": f.policies[qualifier],
	})
	return map[string]string{"Policy": string(text)}, err
}

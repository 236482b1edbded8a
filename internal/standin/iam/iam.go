// Package iam stands in for AWS IAM in tests: the identities and policies that
// a test makes, told as IAM tells them. It decides nothing. What it does not
// implement is an error. The contract suite of internal/standin holds it to
// moto.
package iam

import (
	"encoding/xml"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/tokenvend/tokenvend/internal/standin/wire"
)

// Server is the IAM of one account.
type Server struct {
	ARN      string // of the account's IAM: arn:aws:iam::ACCOUNT:
	mu       sync.Mutex
	holders  []*holder // in the order of their creation
	policies []policy
}

// holder is a role, a user or a group.
type holder struct {
	kind, name string
	arn        string
	inline     []policy
	attached   []string // ARNs
}

// policy is an inline policy, or a managed one, which has an ARN.
type policy struct{ arn, name, document string }

// The kinds of holders, as the names of actions spell them.
var kinds = []string{"Role", "User", "Group"}

// Serve answers one request in the query protocol, whose form is given.
func (s *Server) Serve(w http.ResponseWriter, form url.Values) {
	s.mu.Lock()
	defer s.mu.Unlock()
	action := form.Get("Action")
	result, err := s.act(action, form)
	wire.XML(w, action, result, err)
}

func (s *Server) act(action string, form url.Values) (any, error) {
	for _, kind := range kinds {
		switch action {
		case "Create" + kind:
			return s.create(kind, form)
		case "Put" + kind + "Policy":
			return s.putInline(kind, form)
		case "Attach" + kind + "Policy":
			return s.attach(kind, form)
		}
	}
	switch action {
	case "CreatePolicy":
		return s.createPolicy(form)
	case "GetPolicy":
		return s.getPolicy(form)
	case "GetPolicyVersion":
		return s.getPolicyVersion(form)
	case "GetAccountAuthorizationDetails":
		return s.details(form)
	}
	return nil, wire.Errorf("InvalidAction", "the stand-in does not implement %s", action)
}

func notFound(what, name string) *wire.Error {
	return &wire.Error{
		Code: "NoSuchEntity", Message: fmt.Sprintf("%s %s was not found.", what, name), Status: http.StatusNotFound,
	}
}

func (s *Server) find(kind string, form url.Values) (*holder, error) {
	name := form.Get(kind + "Name")
	i := slices.IndexFunc(s.holders, func(h *holder) bool { return h.kind == kind && h.name == name })
	if i < 0 {
		return nil, notFound("The "+kind, name)
	}
	return s.holders[i], nil
}

// only is an answer of one member.
type only struct{ One any }

// described is an identity in an answer. Its element's name is the kind's.
type described struct {
	XMLName xml.Name
	Role    string `xml:"RoleName,omitempty"`
	User    string `xml:"UserName,omitempty"`
	Group   string `xml:"GroupName,omitempty"`
	ARN     string `xml:"Arn"`
}

func (s *Server) create(kind string, form url.Values) (any, error) {
	if h, err := s.find(kind, form); err == nil {
		return nil, &wire.Error{
			Code: "EntityAlreadyExists", Message: kind + " with name " + h.name + " already exists.",
			Status: http.StatusConflict,
		}
	}
	h := &holder{kind: kind, name: form.Get(kind + "Name")}
	h.arn = s.ARN + strings.ToLower(kind) + "/" + h.name
	s.holders = append(s.holders, h)
	made := described{XMLName: xml.Name{Local: kind}, ARN: h.arn}
	*map[string]*string{"Role": &made.Role, "User": &made.User, "Group": &made.Group}[kind] = h.name
	return only{made}, nil
}

func (s *Server) putInline(kind string, form url.Values) (any, error) {
	h, err := s.find(kind, form)
	if err != nil {
		return nil, err
	}
	p := policy{name: form.Get("PolicyName"), document: form.Get("PolicyDocument")}
	h.inline = append(slices.DeleteFunc(h.inline, func(old policy) bool { return old.name == p.name }), p)
	return nil, nil
}

func (s *Server) attach(kind string, form url.Values) (any, error) {
	h, err := s.find(kind, form)
	if err != nil {
		return nil, err
	}
	if _, err := s.managed(form); err != nil {
		return nil, err
	}
	h.attached = append(h.attached, form.Get("PolicyArn"))
	return nil, nil
}

func (s *Server) managed(form url.Values) (policy, error) {
	arn := form.Get("PolicyArn")
	i := slices.IndexFunc(s.policies, func(p policy) bool { return p.arn == arn })
	if i < 0 {
		return policy{}, notFound("Policy", arn)
	}
	return s.policies[i], nil
}

const onlyVersion = "v1"

type policyXML struct {
	XMLName xml.Name `xml:"Policy"`
	Name    string   `xml:"PolicyName"`
	ARN     string   `xml:"Arn"`
	Version string   `xml:"DefaultVersionId"`
}

func (s *Server) createPolicy(form url.Values) (any, error) {
	name := form.Get("PolicyName")
	p := policy{arn: s.ARN + "policy/" + name, name: name, document: form.Get("PolicyDocument")}
	s.policies = append(s.policies, p)
	return only{policyXML{Name: p.name, ARN: p.arn, Version: onlyVersion}}, nil
}

func (s *Server) getPolicy(form url.Values) (any, error) {
	p, err := s.managed(form)
	return only{policyXML{Name: p.name, ARN: p.arn, Version: onlyVersion}}, err
}

type versionXML struct {
	XMLName  xml.Name
	Document string
	ID       string `xml:"VersionId"`
	Default  bool   `xml:"IsDefaultVersion"`
}

// version returns the only version of a policy, as an element of that name.
func (p policy) version(element string) versionXML {
	return versionXML{
		XMLName:  xml.Name{Local: element},
		Document: url.PathEscape(p.document),
		ID:       onlyVersion,
		Default:  true,
	}
}

func (s *Server) getPolicyVersion(form url.Values) (any, error) {
	p, err := s.managed(form)
	if id := form.Get("VersionId"); err == nil && id != onlyVersion {
		err = notFound("Version "+id+" of policy", p.arn)
	}
	return only{p.version("PolicyVersion")}, err
}

// pageOf returns a page of a list and the marker of the next page.
func pageOf[T any](list []T, form url.Values) (page []T, next string) {
	at, _ := strconv.Atoi(form.Get("Marker"))
	size, _ := strconv.Atoi(form.Get("MaxItems"))
	if size < 1 {
		size = 100
	}
	begin, end := min(at, len(list)), min(at+size, len(list))
	if end < len(list) {
		next = strconv.Itoa(end)
	}
	return list[begin:end], next
}

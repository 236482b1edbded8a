package iam

import (
	"net/url"
	"slices"
	"strings"
)

type inlineXML struct {
	Name     string `xml:"PolicyName"`
	Document string `xml:"PolicyDocument"`
}

type attachedXML struct {
	Name string `xml:"PolicyName"`
	ARN  string `xml:"PolicyArn"`
}

type roleXML struct {
	Name     string        `xml:"RoleName"`
	ARN      string        `xml:"Arn"`
	Inline   []inlineXML   `xml:"RolePolicyList>member"`
	Attached []attachedXML `xml:"AttachedManagedPolicies>member"`
}

type userXML struct {
	Name     string        `xml:"UserName"`
	ARN      string        `xml:"Arn"`
	Inline   []inlineXML   `xml:"UserPolicyList>member"`
	Attached []attachedXML `xml:"AttachedManagedPolicies>member"`
}

type groupXML struct {
	Name     string        `xml:"GroupName"`
	ARN      string        `xml:"Arn"`
	Inline   []inlineXML   `xml:"GroupPolicyList>member"`
	Attached []attachedXML `xml:"AttachedManagedPolicies>member"`
}

type managedXML struct {
	Name     string       `xml:"PolicyName"`
	ARN      string       `xml:"Arn"`
	Version  string       `xml:"DefaultVersionId"`
	Versions []versionXML `xml:"PolicyVersionList>member"`
}

type detailsXML struct {
	Truncated bool         `xml:"IsTruncated"`
	Marker    string       `xml:",omitempty"`
	Roles     []roleXML    `xml:"RoleDetailList>member"`
	Users     []userXML    `xml:"UserDetailList>member"`
	Groups    []groupXML   `xml:"GroupDetailList>member"`
	Policies  []managedXML `xml:"Policies>member"`
}

// details tells all identities and policies of the account, page by page.
func (s *Server) details(form url.Values) (any, error) {
	var asked []string // kinds and LocalManagedPolicy; none: all
	for name := range form {
		if strings.HasPrefix(name, "Filter.member.") {
			asked = append(asked, form.Get(name))
		}
	}
	wants := func(kind string) bool { return len(asked) == 0 || slices.Contains(asked, kind) }
	var all []any
	for _, h := range s.holders {
		if wants(h.kind) {
			all = append(all, h)
		}
	}
	for _, p := range s.policies {
		if wants("LocalManagedPolicy") {
			all = append(all, p)
		}
	}
	page, next := pageOf(all, form)
	got := detailsXML{Truncated: next != "", Marker: next}
	for _, one := range page {
		got.add(one)
	}
	return got, nil
}

func (d *detailsXML) add(one any) {
	switch one := one.(type) {
	case policy:
		d.Policies = append(d.Policies, managedXML{one.name, one.arn, onlyVersion, []versionXML{one.version("member")}})
	case *holder:
		inline, attached := one.policies()
		switch one.kind {
		case "Role":
			d.Roles = append(d.Roles, roleXML{one.name, one.arn, inline, attached})
		case "User":
			d.Users = append(d.Users, userXML{one.name, one.arn, inline, attached})
		case "Group":
			d.Groups = append(d.Groups, groupXML{one.name, one.arn, inline, attached})
		}
	}
}

func (h *holder) policies() (inline []inlineXML, attached []attachedXML) {
	for _, p := range h.inline {
		inline = append(inline, inlineXML{p.name, url.PathEscape(p.document)})
	}
	for _, arn := range h.attached {
		attached = append(attached, attachedXML{arn[strings.LastIndexByte(arn, '/')+1:], arn})
	}
	return inline, attached
}

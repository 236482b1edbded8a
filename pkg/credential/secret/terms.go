package secret

import (
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/tokenvend/tokenvend/pkg/access"
	"github.com/tokenvend/tokenvend/pkg/credential"
	"github.com/tokenvend/tokenvend/pkg/descriptor"
	"github.com/tokenvend/tokenvend/pkg/descriptor/catalog"
	"github.com/tokenvend/tokenvend/pkg/grant"
	"github.com/tokenvend/tokenvend/pkg/token"
)

// defaultIdleAfter is how long a token is renewed without requests for it.
const defaultIdleAfter = 24 * time.Hour

// The bounds of the times in a secret. A value outside is a wrong unit.
const (
	minLifetime  = time.Second
	minIdleAfter = time.Minute
	maxSpan      = 366 * 24 * time.Hour
)

// mostVariants bounds max_variants, because rotate renews each variant.
const mostVariants = 10000

// terms takes the non-secret fields.
func (f *form) terms() credential.Terms {
	keepWarm, _ := take[bool](f, "keep_warm", "true or false")
	t := credential.Terms{
		Scope:     token.NewVariant("", "", f.text("scope")).Scope,
		Audience:  f.text("audience"),
		Grant:     f.grant(),
		Lifetime:  f.duration("lifetime", minLifetime, maxSpan),
		KeepWarm:  keepWarm,
		IdleAfter: f.duration("idle_after", minIdleAfter, maxSpan),
		Allow:     f.allow(),

		MaxVariants: f.number("max_variants", 1, mostVariants),
		Quota:       f.quota(),
	}
	t.Provider, t.Descriptor = f.provider()
	if t.IdleAfter == 0 {
		t.IdleAfter = credential.Duration(defaultIdleAfter)
	}
	return t
}

// provider takes either a name in the catalogue or an inline descriptor. It
// omits an invalid one.
func (f *form) provider() (string, *descriptor.Descriptor) {
	_, inline := f.fields["descriptor"]
	d := f.descriptor()
	_, named := f.fields["provider"]
	name := f.text("provider")
	if inline && named {
		f.wrong("descriptor", "not given beside provider: one of the two")
		return "", nil
	}
	if inline {
		return "", d
	}
	if _, err := catalog.Get(name); err != nil {
		f.wrong("provider", "one of "+strings.Join(catalog.Names(), ", ")+"; or instead of it a descriptor")
		return "", nil
	}
	return name, nil
}

func (f *form) grant() descriptor.Grant {
	g := descriptor.Grant(f.text("grant"))
	if g != "" && !slices.Contains(grant.Names(), string(g)) {
		f.wrong("grant", "one of "+strings.Join(grant.Names(), ", "))
	}
	return g
}

func (f *form) allow() access.Rule {
	in := f.object("allow")
	filled := func(s string) bool { return s != "" && s == strings.TrimSpace(s) && !strings.ContainsFunc(s, odd) }
	oneScope := func(s string) bool { return filled(s) && !strings.Contains(s, " ") }
	rule := access.Rule{
		Principals: in.list("principals", access.CheckPrincipal),
		Aliases:    in.list("aliases", expecting("a Lambda alias, and none of api, admin and c-…", access.ValidAlias)),
		Scopes:     in.list("scopes", expecting("one scope", oneScope)),
		Audiences:  in.list("audiences", expecting("one audience", filled)),
		Accounts:   in.list("accounts", expecting("an account, or a pattern with * and ?", filled)),
	}
	in.rest()
	return rule
}

// expecting returns a check whose error is the expectation.
func expecting(expected string, valid func(string) bool) func(string) error {
	err := errors.New(expected)
	return func(s string) error {
		if valid(s) {
			return nil
		}
		return err
	}
}

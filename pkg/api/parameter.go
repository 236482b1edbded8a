package api

import (
	"errors"
	"reflect"
	"slices"
	"strconv"
	"time"
)

// parameter is a field of a [Request] that operations may take.
type parameter struct {
	name string // in JSON and in a query
	// field returns a pointer to the field: a *string, *bool, *int or *Seconds.
	field func(*Request) any
}

// parameters are the fields of a [Request] but action and credential, which the
// method and the path say. Nothing is allocated for them before main.
var parameters = [...]parameter{
	{"scope", func(r *Request) any { return &r.Scope }},
	{"audience", func(r *Request) any { return &r.Audience }},
	{"account", func(r *Request) any { return &r.Account }},
	{"min_ttl", func(r *Request) any { return &r.MinTTL }},
	{"rejected", func(r *Request) any { return &r.Rejected }},
	{"after", func(r *Request) any { return &r.After }},
	{"limit", func(r *Request) any { return &r.Limit }},
	{"verify", func(r *Request) any { return &r.Verify }},
	{"redirect_uri", func(r *Request) any { return &r.RedirectURI }},
	{"code", func(r *Request) any { return &r.Code }},
	{"code_verifier", func(r *Request) any { return &r.CodeVerifier }},
	{"authorization_response", func(r *Request) any { return &r.AuthorizationResponse }},
	{"recovery", func(r *Request) any { return &r.Recovery }},
	{"destination", func(r *Request) any { return &r.Destination }},
	{"accept", func(r *Request) any { return &r.Accept }},
	{"renew", func(r *Request) any { return &r.Renew }},
}

// parameterOf returns the parameter with this name; nil: there is none.
func parameterOf(name string) *parameter {
	i := slices.IndexFunc(parameters[:], func(p parameter) bool { return p.name == name })
	if i < 0 {
		return nil
	}
	return &parameters[i]
}

// get returns the field's value as a query has it; "": it is not set.
func (p *parameter) get(r *Request) string {
	switch field := p.field(r).(type) {
	case *string:
		return *field
	case *bool:
		if *field {
			return "true"
		}
	case *int:
		if *field != 0 {
			return strconv.Itoa(*field)
		}
	case *Seconds:
		if *field != 0 {
			return strconv.FormatInt(int64(time.Duration(*field)/time.Second), 10)
		}
	}
	return ""
}

// set sets the field to a value of a query. The error says what was expected.
func (p *parameter) set(r *Request, value string) (err error) {
	switch field := p.field(r).(type) {
	case *string:
		*field = value
	case *bool:
		if value != "true" && value != "false" {
			return errors.New("expected true or false")
		}
		*field = value == "true"
	case *int:
		n, err := strconv.Atoi(value)
		if err != nil || n < 1 {
			return errors.New("expected a whole number from 1 on")
		}
		*field = n
	case *Seconds:
		*field, err = ParseSeconds(value)
	}
	return err
}

// clear sets the field to its zero value.
func (p *parameter) clear(r *Request) { reflect.ValueOf(p.field(r)).Elem().SetZero() }

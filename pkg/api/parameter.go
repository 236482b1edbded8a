package api

import (
	"errors"
	"strconv"
	"time"
)

// parameter is a field of a [Request] that operations may take.
type parameter struct {
	name  string                       // in JSON and in a query
	get   func(*Request) string        // as a query has it; "": it is not set
	set   func(*Request, string) error // from a query; the error says what was expected
	clear func(*Request)
}

// parameters are the fields of a [Request] but action and credential, which the
// method and the path say.
var parameters = [...]parameter{
	text("scope", func(r *Request) *string { return &r.Scope }),
	text("audience", func(r *Request) *string { return &r.Audience }),
	text("account", func(r *Request) *string { return &r.Account }),
	seconds("min_ttl", func(r *Request) *Seconds { return &r.MinTTL }),
	text("rejected", func(r *Request) *string { return &r.Rejected }),
	text("after", func(r *Request) *string { return &r.After }),
	count("limit", func(r *Request) *int { return &r.Limit }),
	flag("verify", func(r *Request) *bool { return &r.Verify }),
	text("redirect_uri", func(r *Request) *string { return &r.RedirectURI }),
	text("code", func(r *Request) *string { return &r.Code }),
	text("code_verifier", func(r *Request) *string { return &r.CodeVerifier }),
	text("recovery", func(r *Request) *string { return &r.Recovery }),
	text("destination", func(r *Request) *string { return &r.Destination }),
	text("accept", func(r *Request) *string { return &r.Accept }),
	flag("renew", func(r *Request) *bool { return &r.Renew }),
}

// parameterOf returns the parameter with this name; nil: there is none.
func parameterOf(name string) *parameter {
	for i := range parameters {
		if parameters[i].name == name {
			return &parameters[i]
		}
	}
	return nil
}

func text(name string, field func(*Request) *string) parameter {
	return parameter{
		name:  name,
		get:   func(r *Request) string { return *field(r) },
		set:   func(r *Request, value string) error { *field(r) = value; return nil },
		clear: func(r *Request) { *field(r) = "" },
	}
}

func seconds(name string, field func(*Request) *Seconds) parameter {
	return parameter{
		name: name,
		get: func(r *Request) string {
			if *field(r) == 0 {
				return ""
			}
			return strconv.FormatInt(int64(time.Duration(*field(r))/time.Second), 10)
		},
		set: func(r *Request, value string) (err error) {
			*field(r), err = ParseSeconds(value)
			return err
		},
		clear: func(r *Request) { *field(r) = 0 },
	}
}

func count(name string, field func(*Request) *int) parameter {
	return parameter{
		name: name,
		get: func(r *Request) string {
			if *field(r) == 0 {
				return ""
			}
			return strconv.Itoa(*field(r))
		},
		set: func(r *Request, value string) error {
			n, err := strconv.Atoi(value)
			if err != nil || n < 1 {
				return errors.New("expected a whole number from 1 on")
			}
			*field(r) = n
			return nil
		},
		clear: func(r *Request) { *field(r) = 0 },
	}
}

func flag(name string, field func(*Request) *bool) parameter {
	return parameter{
		name: name,
		get: func(r *Request) string {
			if *field(r) {
				return "true"
			}
			return ""
		},
		set: func(r *Request, value string) error {
			if value != "true" && value != "false" {
				return errors.New("expected true or false")
			}
			*field(r) = value == "true"
			return nil
		},
		clear: func(r *Request) { *field(r) = false },
	}
}

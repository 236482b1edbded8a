package access_test

import (
	"errors"
	"testing"

	"github.com/tokenvend/tokenvend/pkg/access"
)

const (
	function = "arn:aws:lambda:eu-west-1:123456789012:function:tokenvend-vend"
	session  = "arn:aws:sts::123456789012:assumed-role/billing-prod/i-0abc"
)

func invoked(qualifier string) access.Caller { return access.Invoked(function + qualifier) }

func overAPI(arn string) access.Caller { return invoked(":api").OverAPI(arn) }

// narrowed is a rule that names a principal and an alias.
var narrowed = access.Rule{
	Principals: []string{"arn:aws:iam::123456789012:role/billing-*"},
	Aliases:    []string{"billing"},
}

func TestPolicy(t *testing.T) {
	open := access.Rule{}
	aliased := access.Rule{Aliases: []string{"billing"}}
	named := access.Rule{Principals: narrowed.Principals}

	for _, c := range []struct {
		says   string
		caller access.Caller
		rule   access.Rule
		may    bool
	}{
		{"whoever IAM lets reach the API has what nobody narrowed", overAPI(session), open, true},
		{"over the API a list of aliases narrows nothing", overAPI(session), aliased, true},
		{"over the API a role that is listed", overAPI(session), named, true},
		{
			"over the API a role that is not listed", overAPI("arn:aws:sts::123456789012:assumed-role/reports/i-1"),
			named, false,
		},
		{
			"the same role of another account", overAPI("arn:aws:sts::999999999999:assumed-role/billing-prod/i-0abc"),
			named, false,
		},
		{"over the API without an ARN", overAPI(""), open, false},
		{"over the API with something that is no ARN", overAPI("billing-prod"), open, false},
		{"over the API with a service's ARN", overAPI("arn:aws:lambda:eu-west-1:123456789012:function:x"), open, false},
		{"the alias api without an event of the API's", invoked(":api"), open, false},

		{"a credential's own alias", invoked(":c-minut"), open, true},
		{"a credential's own alias, whatever the rule lists", invoked(":c-minut"), narrowed, true},
		{"another credential's alias", invoked(":c-monta"), open, false},
		{"an alias that only begins like it", invoked(":c-minut-eu"), open, false},
		{"an alias that is cut short", invoked(":c-"), open, false},
		{"another case", invoked(":c-Minut"), open, false},

		{"the alias admin", invoked(":admin"), open, true},
		{"the alias admin, whatever the rule lists", invoked(":admin"), narrowed, true},
		{"admin in another case is an alias like any other", invoked(":Admin"), open, false},

		{"an alias that is listed", invoked(":billing"), narrowed, true},
		{"an alias that is listed, no principals", invoked(":billing"), aliased, true},
		{"an alias that is not listed", invoked(":reports"), narrowed, false},
		{"any alias where none is listed", invoked(":billing"), open, false},
		{"an alias where only principals are listed", invoked(":billing"), named, false},

		{"the bare function where nothing is narrowed", invoked(""), open, true},
		{"the bare function where only what may be asked is", invoked(""), access.Rule{Scopes: []string{"read"}}, true},
		{"the bare function where principals are listed", invoked(""), named, false},
		{"the bare function where aliases are listed", invoked(""), aliased, false},

		{"$LATEST", invoked(":$LATEST"), open, false},
		{"a version", invoked(":7"), open, false},
		{
			"a caller's key that stands for a listed role",
			access.Caller{Via: access.CallerKey, ARN: session},
			named,
			true,
		},
		{
			"a caller's key that stands for another",
			access.Caller{Via: access.CallerKey, ARN: iam("user/ann")},
			named,
			false,
		},
		{"a caller's key that stands for nobody", access.Caller{Via: access.CallerKey}, open, false},
		{
			"an operator's key, whatever the rule lists",
			access.Caller{Via: access.OperatorKey, ARN: iam("user/ann")},
			named,
			true,
		},
		{"an operator's key that stands for nobody", access.Caller{Via: access.OperatorKey}, open, false},

		{"nobody in particular", access.Caller{}, open, false},
		{"nobody in particular, with an ARN", access.Caller{ARN: session}, open, false},
		{"a way that does not exist", access.Caller{Via: 99, Alias: "admin"}, open, false},
	} {
		t.Run(c.says, func(t *testing.T) {
			if got := c.rule.Admits(c.caller, "minut"); got != c.may {
				t.Errorf("%v admitted: %v, want %v", c.caller, got, c.may)
			}
		})
	}
}

// The event of API Gateway with any ARN, sent to an alias other than api.
func TestFault59_AnARNProvesNothingOutsideTheAPI(t *testing.T) {
	for _, qualifier := range []string{"", ":admin", ":c-minut", ":billing", ":$LATEST", ":7"} {
		forged := invoked(qualifier).OverAPI(session)
		if !forged.IsNobody() || narrowed.Admits(forged, "minut") || forged.MayAdminister() {
			t.Errorf("%q: an event in the API's shape was believed", qualifier)
		}
	}
}

func TestWhoAdministers(t *testing.T) {
	for says, c := range map[string]struct {
		caller access.Caller
		may    bool
	}{
		"admin":                   {invoked(":admin"), true},
		"the API, judged by IAM":  {overAPI(session), true},
		"the API, without an ARN": {overAPI(""), false},
		"a credential's alias":    {invoked(":c-minut"), false},
		"another alias":           {invoked(":billing"), false},
		"the bare function":       {invoked(""), false},
		"$LATEST":                 {invoked(":$LATEST"), false},
		"nobody":                  {access.Caller{}, false},
		"a caller's key":          {access.Caller{Via: access.CallerKey, ARN: session}, false},
		"an operator's key":       {access.Caller{Via: access.OperatorKey, ARN: session}, true},
		"a key without an ARN":    {access.Caller{Via: access.OperatorKey}, false},
	} {
		if got := c.caller.MayAdminister(); got != c.may {
			t.Errorf("MayAdminister of %s = %t, want %t", says, got, c.may)
		}
		if want := c.may && c.caller.Via != access.API; c.caller.IsOperator() != want {
			t.Errorf("IsOperator of %s = %t, want %t", says, !want, want)
		}
		if want := c.caller.Via == access.CallerKey; c.caller.MayOnlyVend() != want {
			t.Errorf("MayOnlyVend of %s = %t, want %t", says, !want, want)
		}
	}
}

func TestWhatMayBeAskedFor(t *testing.T) {
	defaults := access.Requested{Scope: "read list", Audience: "https://api.example"}
	closed := access.Rule{}
	rule := access.Rule{
		Scopes:    []string{"write", "*"},
		Audiences: []string{"https://eu.example"},
		Accounts:  []string{"ann", "*@example.com", "b?b"},
	}

	for _, c := range []struct {
		rule    access.Rule
		asked   access.Requested
		refused string
	}{
		{closed, access.Requested{}, ""},
		{closed, access.Requested{Scope: "list read read", Audience: "https://api.example"}, ""},
		{closed, access.Requested{Scope: "read"}, ""},
		{closed, access.Requested{Scope: "read write"}, "scope"},
		{closed, access.Requested{Scope: "Read"}, "scope"},
		{closed, access.Requested{Audience: "https://eu.example"}, "audience"},
		{closed, access.Requested{Account: "ann"}, "account"},
		{rule, access.Requested{Scope: "write read", Audience: "https://eu.example", Account: "ann"}, ""},
		{rule, access.Requested{Scope: "*"}, ""},
		{rule, access.Requested{Scope: "delete"}, "scope"},
		{rule, access.Requested{Audience: "https://eu.example/"}, "audience"},
		{rule, access.Requested{Account: "carl@example.com"}, ""},
		{rule, access.Requested{Account: "carl@example.com.evil.test"}, "account"},
		{rule, access.Requested{Account: "bób"}, ""},
		{rule, access.Requested{Account: "anna"}, "account"},
	} {
		err := c.rule.Permits(c.asked, defaults)
		var refused *access.Refused
		switch {
		case c.refused == "" && err != nil:
			t.Errorf("%+v: %v", c.asked, err)
		case c.refused != "" && (!errors.As(err, &refused) || refused.Parameter != c.refused):
			t.Errorf("%+v: %v, want %s refused", c.asked, err, c.refused)
		case c.refused != "" && err.Error() != "access: this "+c.refused+" is not allowed":
			t.Errorf("%+v: %v", c.asked, err)
		}
	}
}

func TestQualifiers(t *testing.T) {
	const long = ":a23456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789"
	for arn, want := range map[string]access.Via{
		function:                        access.Bare,
		function + ":api":               access.API,
		function + ":admin":             access.Admin,
		function + ":c-minut":           access.Own,
		function + ":billing_2":         access.Alias,
		function + ":1a":                access.Alias,
		function + ":$LATEST":           access.Nobody,
		function + ":$LATEST.PUBLISHED": access.Nobody,
		function + ":12":                access.Nobody,
		function + ":":                  access.Nobody,
		function + ":api:":              access.Nobody,
		function + ":bill ing":          access.Nobody,
		function + long:                 access.Nobody,
		"":                              access.Nobody,
		"tokenvend-vend":                access.Nobody,
		"arn:aws:lambda:eu-west-1:123456789012:function:":                     access.Nobody,
		"arn:aws:lambda:eu-west-1:123456789012:layer:x:3":                     access.Nobody,
		"arn:aws:sqs:eu-west-1:123456789012:function:x":                       access.Nobody,
		"arn:aws-cn:lambda:cn-north-1:123456789012:function:x:api":            access.API,
		"arn:aws-us-gov:lambda:us-gov-west-1:123456789012:function:x:c-y":     access.Own,
		"arn:aws-us-gov:lambda:us-gov-west-1:123456789012:function:tokenvend": access.Bare,
	} {
		if got, _ := access.ParseQualifier(arn); got != want {
			t.Errorf("%q: %v, want %v", arn, got, want)
		}
	}
}

func TestCallersInALog(t *testing.T) {
	for want, c := range map[string]access.Caller{
		session:         overAPI(session),
		"alias:billing": invoked(":billing"),
		"alias:admin":   invoked(":admin"),
		"function":      invoked(""),
		"nobody":        invoked(":$LATEST"),
	} {
		if c.String() != want {
			t.Errorf("%q, want %q", c.String(), want)
		}
	}
}

func TestAliasesThatARuleMayList(t *testing.T) {
	for name, want := range map[string]bool{
		"billing": true, "Admin": true, "c": true, "api": false, "admin": false, "c-minut": false, "7": false,
		"$LATEST": false, "": false, "bill*": false,
	} {
		if access.ValidAlias(name) != want {
			t.Errorf("%q: want %v", name, want)
		}
	}
}

// counter is a set of credentials with their rules.
type counter struct {
	*testing.T
	rules map[string]access.Rule
}

func (c counter) allow(who access.Caller, names ...string) { c.Helper(); c.check(true, who, names) }

func (c counter) deny(who access.Caller, names ...string) { c.Helper(); c.check(false, who, names) }

func (c counter) check(want bool, who access.Caller, names []string) {
	c.Helper()
	for _, name := range names {
		if got := c.rules[name].Admits(who, name); got != want {
			c.Errorf("%v and %s: admitted %t, want %t", who, name, got, want)
		}
	}
}

func TestWhoMayHaveWhat(t *testing.T) {
	c := counter{t, map[string]access.Rule{
		"open":    {},
		"billing": narrowed, // role/billing-* and the alias billing
		"named": {
			Principals: []string{iam("role/reports"), iam("user/ann"), "arn:aws-cn:iam::123456789012:role/reports"},
		},
		"listed": {Aliases: []string{"reports", "billing"}},
	}}
	c.allow(overAPI(sts("assumed-role/billing-prod/i-1")), "open", "billing", "listed")
	c.deny(overAPI(sts("assumed-role/billing-prod/i-1")), "named")
	c.allow(overAPI(sts("assumed-role/reports/i-1")), "open", "named", "listed") // STS omits a role's path
	c.allow(overAPI(iam("role/elsewhere/reports")), "named")
	c.allow(overAPI(iam("user/ann")), "named")
	c.allow(overAPI("arn:aws-cn:sts::123456789012:assumed-role/reports/x"), "named")
	c.deny(overAPI("arn:aws-us-gov:sts::123456789012:assumed-role/reports/x"), "named")
	c.deny(overAPI("arn:aws:sts::123456789013:assumed-role/reports/x"), "named")
	c.deny(overAPI(sts("assumed-role/reports-2/reports")), "named") // the caller chooses a session's name
	c.deny(overAPI(sts("assumed-role/x/role/reports")), "named")
	c.deny(overAPI(iam("user/team/ann")), "named")
	c.deny(overAPI(iam("user/role/reports")), "named")
	c.deny(overAPI("ARN:aws:iam::123456789012:user/ann"), "named", "open")
	c.deny(overAPI(" "+iam("user/ann")), "named", "open")
	c.deny(overAPI(""), "open", "billing", "named", "listed")

	c.allow(invoked(":admin"), "open", "billing", "named", "listed")
	c.allow(invoked(":c-billing"), "billing")
	c.deny(invoked(":c-billing"), "open", "named", "listed")
	c.allow(invoked(":billing"), "billing", "listed")
	c.deny(invoked(":billing"), "open", "named")
	c.allow(invoked(":reports"), "listed")
	c.deny(invoked(":reports"), "open", "billing", "named")
	c.allow(invoked(""), "open")
	c.deny(invoked(""), "billing", "named", "listed")
	for _, nobody := range []access.Caller{
		invoked(":api"),
		invoked(":$LATEST"),
		invoked(":3"),
		invoked(":admin").OverAPI(iam("role/admin")),
		invoked(":c-open").OverAPI(iam("role/admin")),
		{},
	} {
		c.deny(nobody, "open", "billing", "named", "listed")
	}
}

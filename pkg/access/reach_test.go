package access_test

import (
	"testing"

	"github.com/tokenvend/tokenvend/pkg/access"
)

func TestWhatACallerCanReach(t *testing.T) {
	for name, c := range map[string]struct {
		caller               access.Caller
		reaches, mayDiscover bool // minut
	}{
		"admin":                         {invoked(":admin"), true, true},
		"its own alias":                 {invoked(":c-minut"), true, true},
		"another credential's alias":    {invoked(":c-monta"), false, false},
		"an alias that begins like its": {invoked(":c-minut-eu"), false, false},
		"another alias":                 {invoked(":billing"), true, false},
		"the bare function":             {invoked(""), true, false},
		"the API":                       {overAPI(session), true, false},
		"the API, without an ARN":       {overAPI(""), false, false},
		"$LATEST":                       {invoked(":$LATEST"), false, false},
		"nobody":                        {access.Caller{}, false, false},
	} {
		t.Run(name, func(t *testing.T) {
			if got := c.caller.CanReach("minut"); got != c.reaches {
				t.Errorf("%v.CanReach(minut) = %t, want %t", c.caller, got, c.reaches)
			}
			if got := c.caller.MayDiscover("minut"); got != c.mayDiscover {
				t.Errorf("%v.MayDiscover(minut) = %t, want %t", c.caller, got, c.mayDiscover)
			}
			if c.caller.CanReach("") && c.caller.Via == access.Own {
				t.Errorf("%v reaches the credential without a name", c.caller)
			}
		})
	}
}

func TestIdentity(t *testing.T) {
	const role = "arn:aws:iam::123456789012:role/billing-prod"
	for name, c := range map[string]struct {
		caller access.Caller
		want   string
	}{
		"a session":       {overAPI(session), role},
		"another session": {overAPI("arn:aws:sts::123456789012:assumed-role/billing-prod/other"), role},
		"a user": {
			overAPI("arn:aws:iam::123456789012:user/team/ann"), "arn:aws:iam::123456789012:user/team/ann",
		},
		"an alias":          {invoked(":billing"), "alias:billing"},
		"the bare function": {invoked(""), "function"},
		"nobody":            {overAPI("x"), "nobody"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := c.caller.Identity(); got != c.want {
				t.Errorf("%v.Identity() = %q, want %q", c.caller, got, c.want)
			}
		})
	}
}

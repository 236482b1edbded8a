package access_test

import (
	"strings"
	"testing"

	"github.com/tokenvend/tokenvend/pkg/access"
)

const account = "123456789012"

func sts(resource string) string { return "arn:aws:sts::" + account + ":" + resource }

func iam(resource string) string { return "arn:aws:iam::" + account + ":" + resource }

func TestPrincipals(t *testing.T) {
	for _, c := range []struct {
		pattern, arn string
		admitted     bool
	}{
		{iam("role/billing"), sts("assumed-role/billing/i-0abc"), true},
		{iam("role/billing"), sts("assumed-role/billing"), true},
		{iam("role/billing"), iam("role/billing"), true},
		{iam("role/billing"), sts("assumed-role/billing-2/x"), false},
		{iam("role/billing-*"), sts("assumed-role/billing-eu/x"), true},
		{iam("role/billing-?"), sts("assumed-role/billing-eu/x"), false},
		{iam("role/*"), sts("assumed-role/anything/x"), true},
		{iam("*"), sts("assumed-role/anything/x"), true},
		{"arn:aws:iam::*:role/billing", sts("assumed-role/billing/x"), true},
		{"*", iam("user/ann"), true},
		{"*:role/billing", sts("assumed-role/billing/x"), true},

		// a role's path: STS does not report it, so patterns have none
		{iam("role/billing"), iam("role/team/billing"), true},
		{iam("role/AWSReservedSSO_Read_0a1b"), sts("assumed-role/AWSReservedSSO_Read_0a1b/ann"), true},
		{iam("role/team/billing-*"), sts("assumed-role/billing-eu/x"), false},
		{iam("role/team/billing"), sts("assumed-role/billing/x"), false},
		{iam("role/team/billing"), iam("role/team/billing"), false},
		{iam("role/*/billing"), sts("assumed-role/billing/x"), false},
		{iam("*/team/billing-*"), sts("assumed-role/billing-eu/x"), false},
		{iam("rol?/team/billing-*"), sts("assumed-role/billing-eu/x"), false},
		{
			iam("role/aws-reserved/sso.amazonaws.com/*/AWSReservedSSO_Read_*"),
			sts("assumed-role/AWSReservedSSO_Read_0a1b/ann"), false,
		},
		{iam("role/team/*"), sts("assumed-role/anything/x"), false},
		{iam("role/"), sts("assumed-role/anything/x"), false},

		// a session's name is chosen by its owner
		{"*/billing", sts("assumed-role/evil/billing"), false},
		{"*billing", sts("assumed-role/evil/billing"), false},
		{sts("assumed-role/billing/*"), sts("assumed-role/billing/x"), false},

		// users keep their path, and are never roles
		{iam("user/ann"), iam("user/ann"), true},
		{iam("user/team/*"), iam("user/team/ann"), true},
		{iam("user/ann"), iam("user/team/ann"), false},
		{"arn:aws:iam::*:role/billing", "arn:aws:iam::999999999999:user/x:role/billing", false},
		{iam("root"), iam("root"), true},
		{sts("federated-user/ann"), sts("federated-user/ann"), true},

		{"arn:aws-cn:iam::1:role/x", "arn:aws-cn:sts::1:assumed-role/x/y", true},
		{"arn:aws:iam::1:role/x", "arn:aws-cn:sts::1:assumed-role/x/y", false},

		{"*", sts("assumed-role//x"), false},
		{"*", iam("role/"), false},
		{"*", iam(""), false},
		{"*", "arn:aws:sts:eu-west-1:1:assumed-role/x/y", false},
		{"", iam("user/ann"), false},
	} {
		rule := access.Rule{Principals: []string{c.pattern}}
		if got := rule.Admits(overAPI(c.arn), "minut"); got != c.admitted {
			t.Errorf("%s against %s: %v, want %v", c.arn, c.pattern, got, c.admitted)
		}
	}
}

func TestPatternsThatARuleMayList(t *testing.T) {
	for _, c := range []struct{ pattern, instead string }{
		{iam("role/billing-*"), ""},
		{iam("role/*"), ""},
		{iam("user/team/*"), ""},
		{"*", ""},
		{"", "an IAM ARN"},
		{"billing-*", "an IAM ARN"},
		{iam("role/"), "the name of a role"},
		{iam("role/team/"), "a role without its path"},
		{iam("role/team/*"), "a role without its path"},
		{iam("role/team/billing"), "a role without its path"},
		{iam("role/prod/svc-*"), iam("role/svc-*")},
		{iam("role/aws-reserved/sso.amazonaws.com/AWSReservedSSO_Read_*"), "role/AWSReservedSSO_NAME_0123456789abcdef"},
		{sts("assumed-role/billing/*"), "the role instead of a session"},
		{"arn:" + strings.Repeat("*", 1<<12), "at most 2048 bytes"},
	} {
		err := access.CheckPrincipal(c.pattern)
		if c.instead == "" && err != nil ||
			c.instead != "" && (err == nil || !strings.Contains(err.Error(), c.instead)) {
			t.Errorf("CheckPrincipal(%.80q) = %v, want an error with %q", c.pattern, err, c.instead)
		}
	}
}

func TestCanonicalPrincipal(t *testing.T) {
	for arn, want := range map[string]string{
		sts("assumed-role/ops/ann"): iam("role/ops"),
		iam("role/team/ops"):        iam("role/ops"),
		iam("role/ops"):             iam("role/ops"),
		iam("user/team/ann"):        iam("user/team/ann"),
		iam("root"):                 iam("root"),
		iam("role/"):                "",
		"ops":                       "",
	} {
		if got, ok := access.CanonicalPrincipal(arn); ok != (want != "") || ok && got != want {
			t.Errorf("CanonicalPrincipal(%q) = %q, %t, want %q", arn, got, ok, want)
		}
	}
}

// naive is a reference implementation of Match.
func naive(pattern, s []rune) bool {
	switch {
	case len(pattern) == 0:
		return len(s) == 0
	case pattern[0] == '*':
		return naive(pattern[1:], s) || len(s) > 0 && naive(pattern, s[1:])
	default:
		return len(s) > 0 && (pattern[0] == '?' || pattern[0] == s[0]) && naive(pattern[1:], s[1:])
	}
}

func FuzzMatch(f *testing.F) {
	for _, seed := range [][2]string{
		{"", ""},
		{"*", "x"},
		{"a*b?c", "axxbyc"},
		{"*a*a*", "aaab"},
		{"*é?", "aéü"},
		{"*??", "日"},
		{"a\xff*", "a\xffb"},
		{"?", "\xc3"},
	} {
		f.Add(seed[0], seed[1])
	}
	f.Fuzz(func(t *testing.T, pattern, s string) {
		if len(pattern) > 12 || len(s) > 24 {
			t.Skip("the oracle is exponential")
		}
		valid := strings.ToValidUTF8(pattern, "") == pattern && strings.ToValidUTF8(s, "") == s
		if want := valid && naive([]rune(pattern), []rune(s)); access.Match(pattern, s) != want {
			t.Errorf("%q against %q: want %v", s, pattern, want)
		}
	})
}

func TestMatchDoesNotBlowUp(t *testing.T) {
	if access.Match(strings.Repeat("*a", 1000)+"b", strings.Repeat("a", 2048)) {
		t.Errorf(`matched, want not access.Match(strings.Repeat("*a", 1000)+"b", strings.Repeat("a", 2048))`)
	}
}

// A user's path is chosen by who makes the user. It may look like a role.
func TestAttack10_APatternOfRolesAdmitsNoUser(t *testing.T) {
	for _, pattern := range []string{"arn:aws:iam::123456789012:role/svc-*", "*:role/svc-*", "*role/svc-*",
		"arn:aws:iam::123456789012?role/svc-*"} {
		rule := access.Rule{Principals: []string{pattern}}
		if !rule.Admits(overAPI(iam("role/svc-a")), "minut") {
			t.Errorf(`%s does not admit role/svc-a, want rule.Admits(overAPI(iam("role/svc-a")), "minut")`, pattern)
		}
		for _, user := range []string{"user/role/svc-evil", "user/x/role/svc-evil", "user/x:role/svc-evil"} {
			if rule.Admits(overAPI(iam(user)), "minut") {
				t.Errorf(`%s admits %s, want not rule.Admits(overAPI(iam(user)), "minut")`, pattern, user)
			}
		}
	}
	if err := access.CheckPrincipal("*role/prod/svc-*"); err == nil {
		t.Error("CheckPrincipal(*role/prod/svc-*) = nil, want an error: AWS does not report a role's path")
	}
	if rule := (access.Rule{Principals: []string{iam("user/*role/x")}}); !rule.Admits(
		overAPI(iam("user/my-role/x")),
		"minut",
	) {
		t.Errorf(`a pattern of users with role/ in their path admits none of them, want rule.Admits( overAPI(iam("user/my-role/x")), "minut", )`)
	}
}

package executeapi_test

import (
	"testing"

	"github.com/tokenvend/tokenvend/pkg/executeapi"
)

func TestParseHost(t *testing.T) {
	for name, want := range map[string][2]string{
		"abc123.execute-api.eu-north-1.amazonaws.com":      {"abc123", "eu-north-1"},
		"abc123.execute-api.cn-north-1.amazonaws.com.cn":   {"abc123", "cn-north-1"},
		"abc123.execute-api-fips.us-east-1.amazonaws.com":  {"abc123", "us-east-1"},
		"abc123.execute-api.eu-north-1.api.aws":            {"abc123", "eu-north-1"},
		"":                                                 {},
		"tokens.example":                                   {},
		"execute-api.eu-north-1.amazonaws.com":             {},
		"abc.execute-api.eu-north-1.amazonaws.com.example": {},
		"abc1-vpce-2.execute-api.eu-north-1.amazonaws.com": {"", "eu-north-1"},
	} {
		t.Run(name, func(t *testing.T) {
			api, region, ok := executeapi.ParseHost(name)
			if api != want[0] || region != want[1] || ok != (want[1] != "") {
				t.Errorf("ParseHost(%q) = %q, %q, %t, want %q, %q", name, api, region, ok, want[0], want[1])
			}
		})
	}
}

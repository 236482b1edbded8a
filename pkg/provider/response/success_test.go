package response

import (
	"strings"
	"testing"
	"time"

	"github.com/tokenvend/tokenvend/pkg/descriptor"
)

// Descriptors of vendors that have a code of their own beside the HTTP status.
const (
	feishu = `{"token":{"url":"https://login.test/token"},"refresh":{},"response":{
		"access_token":"/tenant_access_token","expiry":{"at":"/expire"},"error_description":"/msg",
		"success":{"at":"/code","values":["0"]}},
		"errors":{"unknown_client":["10003","10014"],"grant_over":["20026"],"try_later":["2"]},
		"permanent":{"errors":["10012"]}}`
	dingTalk = `{"token":{"url":"https://login.test/token"},"response":{
		"access_token":"/suite_access_token","error_description":"/errmsg",
		"success":{"at":"/errcode","values":["0"]}},"errors":{"unknown_client":["40089"]}}`
	weChat = `{"token":{"url":"https://login.test/token"},"response":{
		"error_description":"/errmsg","success":{"at":"/errcode","values":["0"]}},
		"errors":{"unknown_client":["40013","40125"],"try_later":["-1"]}}`
	slack = `{"token":{"url":"https://login.test/token"},"refresh":{},"response":{
		"success":{"at":"/ok","values":["true"]}}}`
	withings = `{"token":{"url":"https://login.test/token"},"refresh":{},"response":{
		"access_token":"/body/access_token","refresh_token":"/body/refresh_token",
		"expiry":{"at":"/body/expires_in"},"success":{"at":"/status","values":["0"]}},
		"errors":{"unknown_client":["2554"],"try_later":["601"]}}`
)

func TestCaseC05_CodeOfASuccess(t *testing.T) {
	for _, c := range []struct {
		descriptor string
		answer     answerCase
	}{
		{feishu, answerCase{name: "Feishu, tenant_access_token of a custom app",
			body: `{"code":0,"msg":"ok","tenant_access_token":"t-caecc734","expire":7200}`,
			want: want{access: "t-caecc734", in: 2 * time.Hour}}},
		{feishu, answerCase{name: "a code as text",
			body: `{"code":"0","msg":"ok","tenant_access_token":"t-caecc734","expire":7200}`,
			want: want{access: "t-caecc734", in: 2 * time.Hour}}},
		{feishu, answerCase{name: "no code", body: `{"tenant_access_token":"t-caecc734"}`,
			want: want{access: "t-caecc734"}}},
		{feishu, answerCase{name: "a code that is no code", body: `{"code":{},"tenant_access_token":"t-caecc734"}`,
			want: want{access: "t-caecc734"}}},
		{dingTalk, answerCase{name: "DingTalk, dingtalk.oapi.service.get_suite_token",
			body: `{"errmsg":"ok","errcode":0,"suite_access_token":"token","expires_in":7200}`,
			want: want{access: "token", in: 2 * time.Hour}}},
		{weChat, answerCase{name: "WeChat, getAccessToken: a success has no code",
			body: `{"access_token":"ACCESS_TOKEN","expires_in":7200}`,
			want: want{access: "ACCESS_TOKEN", in: 2 * time.Hour}}},
		{slack, answerCase{name: "Slack, oauth.v2.access",
			body: `{"ok":true,"access_token":"xoxe.xoxb-1","token_type":"bearer","expires_in":43200}`,
			want: want{access: "xoxe.xoxb-1", kind: "Bearer", in: 12 * time.Hour}}},
		{withings, answerCase{name: "Withings, Get your access token",
			body: `{"status":0,"body":{"access_token":"a075f8c1","refresh_token":"r","expires_in":10800}}`,
			want: want{access: "a075f8c1", refresh: "r", in: 3 * time.Hour}}},
	} {
		c.answer.run(t, c.descriptor)
	}
}

func TestCaseC05_CodeOfARefusal(t *testing.T) {
	for name, c := range map[string]struct {
		descriptor string
		req        tokenRequest
		status     int
		body       string

		code, description string
		meaning           descriptor.Meaning
		permanent         bool
		kind              Kind
	}{
		"Feishu, app secret invalid": {
			feishu, creds, 200, `{"code":10014,"msg":"app secret invalid"}`,
			"10014", "app secret invalid", descriptor.UnknownClient, true, Rejected},
		"Feishu, with a status": {
			feishu, creds, 400, `{"code":10014,"msg":"app secret invalid"}`,
			"10014", "app secret invalid", descriptor.UnknownClient, true, Rejected},
		"Feishu, permanent": {
			feishu, creds, 200, `{"code":10012,"msg":"ip denied"}`, "10012", "ip denied", "", true, Rejected},
		"Feishu, a code that the descriptor does not name": {
			feishu, creds, 200, `{"code":10015,"msg":"no tenant"}`, "10015", "no tenant", "", false, Rejected},
		"Feishu, a code with the status 403": {
			feishu, creds, 403, `{"code":10015,"msg":"no tenant"}`, "10015", "no tenant", "", false, Rejected},
		"Feishu, a number in the message is no code": {
			feishu, creds, 200, `{"code":10015,"msg":"see 10014, 2"}`, "10015", "see 10014, 2", "", false, Rejected},
		"Feishu, a code of one digit": {
			feishu, creds, 200, `{"code":2,"msg":"internal"}`,
			"2", "internal", descriptor.TryLater, false, Unavailable},
		"Feishu, a token beside a refusal": {
			feishu, creds, 200, `{"code":10014,"msg":"no","tenant_access_token":"t-1"}`,
			"10014", "no", descriptor.UnknownClient, true, Rejected},
		"Feishu, a refresh token that is over": {
			feishu, again, 400, `{"code":20026,"error":"invalid_grant","msg":"refresh token invalid"}`,
			"invalid_grant", "refresh token invalid", descriptor.GrantOver, false, Rejected},
		"DingTalk": {
			dingTalk, creds, 200, `{"errcode":40089,"errmsg":"invalid corpid or corpsecret"}`,
			"40089", "invalid corpid or corpsecret", descriptor.UnknownClient, true, Rejected},
		"WeChat, invalid appid": {
			weChat, creds, 200, `{"errcode":40013,"errmsg":"invalid appid"}`,
			"40013", "invalid appid", descriptor.UnknownClient, true, Rejected},
		"WeChat, system error": {
			weChat, creds, 200, `{"errcode":-1,"errmsg":"system error"}`,
			"-1", "system error", descriptor.TryLater, false, Unavailable},
		"Slack": {
			slack, creds, 200, `{"ok":false,"error":"invalid_client_id"}`,
			"invalid_client_id", "", descriptor.UnknownClient, true, Rejected},
		"Withings": {
			withings, creds, 200, `{"status":2554,"body":{},"error":"wrong signature"}`,
			"2554", "wrong signature", descriptor.UnknownClient, true, Rejected},
	} {
		t.Run(name, func(t *testing.T) {
			answer, e := exchangeBy(t, c.descriptor, c.req, says(c.status, c.body))
			must(t, e, c.kind)
			if e.Code != c.code || e.Description != c.description || e.Meaning != c.meaning {
				t.Errorf("Token(%s) = code %q, description %q, meaning %q; want %q, %q, %q",
					c.body, e.Code, e.Description, e.Meaning, c.code, c.description, c.meaning)
			}
			if e.Permanent != c.permanent || e.Intermediary || !answer.Access.IsZero() {
				t.Errorf("Token(%s) = permanent %t, intermediary %t, token %t; want %t, false, false",
					c.body, e.Permanent, e.Intermediary, !answer.Access.IsZero(), c.permanent)
			}
		})
	}
}

// Without the descriptor's word, a number is no error.
func TestCaseC05_CodeWithoutADescriptor(t *testing.T) {
	answer, e := exchange(t, creds, says(200, `{"code":10014,"access_token":"a"}`))
	if e != nil || answer.Access.Reveal() != "a" {
		t.Errorf("Token() = %v, %v, want the token", answer, e)
	}
}

func TestCaseC05_MalformedTwins(t *testing.T) {
	for _, body := range []string{
		`{"code":0,"msg":"ok"}`, `{"code":0,"tenant_access_token":""}`, `{"code":0,"tenant_access_token":7}`,
		`{"code":0,"tenant_access_token":"a b"}`, `{"code":0,`,
	} {
		_, e := exchangeBy(t, feishu, creds, says(200, body))
		if must(t, e, Malformed); strings.Contains(e.Description, "a b") {
			t.Errorf("Token(%s) = %v, want it not to quote the answer", body, e)
		}
	}
}

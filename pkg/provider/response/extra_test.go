package response

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
)

const extraOf = `{"token":{"url":"https://login.test/token"},"refresh":{},"response":{"extra":%s}}`

// revealed returns the further values of a response.
func revealed(resp TokenResponse) map[string]string {
	all := map[string]string{}
	for name, value := range resp.Extra {
		all[name] = value.Reveal()
	}
	return all
}

func TestCaseC08_ExtraValuesAreKept(t *testing.T) {
	for name, c := range map[string]struct {
		places, body string
		header       []string
		want         map[string]string
	}{
		"Salesforce, OAuth 2.0 Client Credentials Flow": {
			places: `{"instance_url":"/instance_url","id":"/id"}`,
			body:   `{"access_token":"a","instance_url":"https://x","id":"https://login.test/id/00D/005"}`,
			want:   map[string]string{"instance_url": "https://x", "id": "https://login.test/id/00D/005"}},
		"Bullhorn, Getting Started with the Bullhorn REST API": {
			places: `{"rest_url":"/restUrl"}`,
			body:   `{"access_token":"a","restUrl":"https://rest42.test/rest-services/e999/"}`,
			want:   map[string]string{"rest_url": "https://rest42.test/rest-services/e999/"}},
		"Slack, oauth.v2.access": {
			places: `{"team":"/team/id","enterprise":"/is_enterprise_install","app":"/app_id"}`,
			body:   `{"ok":true,"access_token":"a","team":{"id":"T9TK3CUKW"},"is_enterprise_install":false}`,
			want:   map[string]string{"team": "T9TK3CUKW", "enterprise": "false"}},
		"a number and a header": {
			places: `{"account":"/account/0/id","region":"header:X-Region"}`,
			body:   `{"access_token":"a","account":[{"id":12345678901234567890}]}`, header: []string{"X-Region", "eu"},
			want: map[string]string{"account": "12345678901234567890", "region": "eu"}},
		"nothing there": {
			places: `{"a":"/a","b":"/b","c":"/c"}`, body: `{"access_token":"a","a":null,"b":""}`,
			want: map[string]string{}},
	} {
		t.Run(name, func(t *testing.T) {
			answer, e := exchangeBy(t, fmt.Sprintf(extraOf, c.places), creds, says(200, c.body, c.header...))
			if e != nil || !maps.Equal(revealed(answer), c.want) || answer.Warnings != nil {
				t.Errorf("Token(%s) = extra %v, warnings %q, %v; want %v", c.body, revealed(answer), answer.Warnings, e,
					c.want)
			}
		})
	}
}

// What cannot be vended is dropped, with a warning. The token is kept.
func TestCaseC08_MalformedTwins(t *testing.T) {
	const kind = "the extra value x is no string, number or boolean and is not kept"
	const size = "the extra value x is too long and is not kept"
	const refresh = "the extra value x holds a refresh token and is not kept"
	for body, want := range map[string]string{
		`{"access_token":"a","x":{"y":1}}`:                                         kind,
		`{"access_token":"a","x":["https://x"]}`:                                   kind,
		`{"access_token":"a","x":"` + strings.Repeat("x", 8<<10) + `"}`:            size,
		`{"access_token":"a","refresh_token":"RT-12345678","x":"RT-12345678"}`:     refresh,
		`{"access_token":"a","x":"sent REFRESH_TOKEN"}`:                            refresh,
		`{"access_token":"a","other_refresh_token":"ZZ12345678","x":"ZZ12345678"}`: refresh,
	} {
		answer, e := exchangeBy(t, fmt.Sprintf(extraOf, `{"x":"/x"}`), again, says(200, body))
		if e != nil || len(answer.Extra) != 0 || !slices.Equal(answer.Warnings, []string{want}) {
			t.Errorf("Token(%.80s) = extra %v, warnings %q, %v; want the warning %q", body, revealed(answer),
				answer.Warnings, e, want)
		}
	}
	_, e := exchangeBy(t, fmt.Sprintf(extraOf, `{"x":"/x"}`), creds, says(200, `{"x":"https://x"}`))
	must(t, e, Malformed)
}

func TestCaseC08_ExtraValuesAreBoundedTogether(t *testing.T) {
	places, members := []string{}, []string{}
	for i := range 16 {
		places = append(places, fmt.Sprintf(`"v%02d":"/v%02d"`, i, i))
		members = append(members, fmt.Sprintf(`"v%02d":"%s"`, i, strings.Repeat("x", 1000)))
	}
	text := fmt.Sprintf(extraOf, "{"+strings.Join(places, ",")+"}")
	answer, e := exchangeBy(t, text, creds, says(200, `{"access_token":"a",`+strings.Join(members, ",")+`}`))
	if e != nil || len(answer.Extra) != 8 || len(answer.Warnings) != 8 {
		t.Errorf("Token() = %d extra values, %d warnings, %v; want 8, 8", len(answer.Extra), len(answer.Warnings), e)
	}
}

func TestCaseC08_ExtraValuesAreNotPrinted(t *testing.T) {
	body := `{"access_token":"a","x":"https://secret-host.test"}`
	answer, _ := exchangeBy(t, fmt.Sprintf(extraOf, `{"x":"/x"}`), creds, says(200, body))
	if text := fmt.Sprintf("%v %+v", answer, answer); strings.Contains(text, "secret-host") {
		t.Errorf("Sprintf() = %s, want the value masked", text)
	}
	body = `{"error":"invalid_request","error_description":"not at https://secret-host.test",` +
		`"x":"https://secret-host.test"}`
	_, e := exchangeBy(t, fmt.Sprintf(extraOf, `{"x":"/x"}`), creds, says(400, body))
	if must(t, e, Rejected); strings.Contains(e.Error(), "secret-host") {
		t.Errorf("Token() = %v, want the value masked", e)
	}
}

func TestExtraValueIsAPartOfAnother(t *testing.T) {
	const d = `{"token":{"url":"https://login.test/token"},"response":{"extra":{"user":"/access_token"},` +
		`"extra_match":{"user":"^([0-9]+)[.]"}}}`
	answer, e := exchangeBy(t, d, creds, says(200, `{"access_token":"123.abc"}`))
	if e != nil || revealed(answer)["user"] != "123" || answer.Warnings != nil {
		t.Errorf("Token() = extra %v, warnings %q, %v, want the user 123", revealed(answer), answer.Warnings, e)
	}
	answer, e = exchangeBy(t, d, creds, says(200, `{"access_token":"abc"}`))
	want := []string{"the extra value user is not of the form that the descriptor names and is not kept"}
	if e != nil || len(answer.Extra) != 0 || answer.Access.Reveal() != "abc" || !slices.Equal(answer.Warnings, want) {
		t.Errorf("Token() = %q with extra %v, warnings %q, %v, want the token without it and %q",
			answer.Access.Reveal(), revealed(answer), answer.Warnings, e, want)
	}
}

// Two expressions could cut a refresh token into pieces that are none.
func TestExtraValueIsNoPartOfARefreshToken(t *testing.T) {
	const d = `{"token":{"url":"https://login.test/token"},"refresh":{},"response":{` +
		`"extra":{"a":"/Refresh_Token","b":"/Refresh_Token"},"extra_match":{"a":"^(.{6})","b":"^.{6}(.*)$"}}}`
	answer, e := exchangeBy(t, d, creds, says(200, `{"access_token":"a","refresh_token":"RT-12345678"}`))
	if e != nil || len(answer.Extra) != 0 || answer.Refresh.Reveal() != "RT-12345678" {
		t.Errorf("Token() = extra %v, %v, want the refresh token kept and no piece of it", revealed(answer), e)
	}
}

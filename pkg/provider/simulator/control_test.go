package simulator

import (
	"encoding/json"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"
	"time"
)

// press sends one request to the control API.
func press(s *Simulator, method, path, body string) (int, string) {
	w := httptest.NewRecorder()
	s.Control().ServeHTTP(w, httptest.NewRequest(method, path, strings.NewReader(body)))
	return w.Code, w.Body.String()
}

func TestControl(t *testing.T) {
	s := New(Options{})
	token := tokenIn(roundTrip(s, exchange("minut")))
	tests := []struct {
		method, path, body string
		status             int
		says               string
	}{
		{"GET", "/", "", 200, "curl -X PUT http://example.com/providers/minut/fault -d"},
		{"GET", "/stats", "", 200, `"token_requests": 1`},
		{"PUT", "/providers/minut/fault", `{"status":503,"times":3,"delay":"1m30s"}`, 200, `"delay": "1m30s"`},
		{"GET", "/providers/minut/fault", "", 200, `"times": 3`},
		{"PUT", "/providers/minut/fault", `{"statsu":503}`, 400, `unknown field \"statsu\"`},
		{"PUT", "/providers/minut/fault", `{"delay":3}`, 400, "error"},
		{"PUT", "/providers/minut/fault", `{"status":7}`, 400, "status: 7"},
		{"PUT", "/providers/minut/fault", `{} {}`, 400, "after"},
		{"PUT", "/providers/minit/fault", `{}`, 404, "there are miden, minut, monta, movemint, trackmania"},
		{"GET", "/providers/minit/fault", "", 404, "minit"},
		{"GET", "/stats", "", 200, `"status": 503`},
		{"DELETE", "/providers/minut/fault", "", 200, "{}"},
		{"PUT", "/fault", `{"down":true}`, 200, "down"},
		{"GET", "/providers/monta/fault", "", 200, "down"},
		{"DELETE", "/fault", "", 200, "{}"},
		{"GET", "/providers/monta/fault", "", 200, "{}"},
		{"POST", "/providers/minut/revoke-tokens", "", 200, `"revoked": 1`},
		{"POST", "/providers/minit/revoke-tokens", "", 404, "minit"},
		{"DELETE", "/stats", "", 200, `"token_requests": 0`},
		{"GET", "/elsewhere", "", 404, ""},
	}
	for _, tt := range tests {
		if status, says := press(s, tt.method, tt.path, tt.body); status != tt.status ||
			!strings.Contains(says, tt.says) {
			t.Errorf("%s %s %s: %d %s, want status = %v and tt.says in says", tt.method, tt.path, tt.body, status,
				says, tt.status)
		}
	}
	if s.Accepts("minut", token) {
		t.Errorf(`the token lives, want not s.Accepts("minut", token)`)
	}
}

func TestRevokeRefreshTokensToo(t *testing.T) {
	s := New(Options{})
	_, r := connected(t, s, "monta")
	press(s, "POST", "/providers/monta/revoke-tokens", "")
	_, r = redeem(s, "monta", r)
	if r == "" {
		t.Fatalf(`it died without being asked for, want r other than ""`)
	}
	press(s, "POST", "/providers/monta/revoke-tokens?refresh=true", "")
	if _, r := redeem(s, "monta", r); r != "" {
		t.Errorf(`it lives, want r = ""`)
	}
}

func TestFaultAsJSON(t *testing.T) {
	f := Fault{
		Times: 1, Only: "token", Status: 429, Body: "b", ContentType: "c", HTML: true, Redirect: "r",
		Header:     map[string]string{"a": "b"},
		RetryAfter: time.Second, RetryDate: true, Drop: true, Down: true, Late: true, Delay: time.Minute,
		Drip: time.Millisecond, Cut: true, Pad: 3,
		Expiry: "NaN", Set: map[string]string{"x": Omit}, Same: true, Overlap: OverlapRevokes, Reuse: Refused,
		Skew: -time.Hour,
	}
	text, err := json.Marshal(f)
	if err != nil {
		t.Fatal(err)
	}
	var back Fault
	if err := json.Unmarshal(text, &back); err != nil || !reflect.DeepEqual(f, back) {
		t.Errorf("%v\n%+v\n%+v, want no error and reflect.DeepEqual(f, back)", err, f, back)
	}
	names := map[string]any{}
	json.Unmarshal(text, &names)
	if len(names) != reflect.TypeFor[Fault]().NumField() {
		t.Errorf("%d of %d fields written, want len(names) = %v", len(names), reflect.TypeFor[Fault]().NumField(),
			reflect.TypeFor[Fault]().NumField())
	}
	for name := range names {
		if !strings.Contains(help, name) {
			t.Errorf("the help does not name %s, want name in help", name)
		}
	}
	if text, _ := json.Marshal(Fault{}); string(text) != "{}" {
		t.Errorf(`none: %s, want string(text) = "{}"`, text)
	}
}

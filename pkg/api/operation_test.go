package api

import (
	"encoding/json"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestEveryFieldOfRequestIsAParameter(t *testing.T) {
	fields := map[string]bool{"action": true, "credential": true}
	for _, p := range parameters {
		fields[p.name] = true
	}
	for f := range reflect.TypeFor[Request]().Fields() {
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		if !fields[name] {
			t.Errorf("parameters has no %q, which is a field of Request", name)
		}
		delete(fields, name)
	}
	for name := range fields {
		t.Errorf("Request has no field %q, which is a parameter", name)
	}
}

func TestOperationsAreConsistent(t *testing.T) {
	names := map[string]bool{}
	for o := range Operations().All() {
		t.Run(o.Name, func(t *testing.T) {
			if names[o.Name] {
				t.Errorf("two operations have the name %s", o.Name)
			}
			names[o.Name] = true
			for _, name := range append(slices.Clone(o.Parameters), o.Direct...) {
				if parameterOf(name) == nil {
					t.Errorf("parameterOf(%s) = nil, want a field of Request", name)
				}
			}
			if o.Reply == nil {
				t.Errorf("the Reply of %s = nil, want a value", o.Name)
			}
			if !slices.Contains(methods[:], o.Method) {
				t.Errorf("the method of %s = %s, want one of %v", o.Name, o.Method, methods)
			}
			// GET is a safe method (RFC 9110 §9.2.1), and no other is used
			// here.
			if safe := o.Method == http.MethodGet; safe == o.Changes {
				t.Errorf("the method of %s = %s with Changes %t, want GET for a safe one only", o.Name, o.Method, o.Changes)
			}
			if o.Once && !o.Changes {
				t.Errorf("Once of %s = true, want false: it changes nothing", o.Name)
			}
			first, ok := Operations().Operation(o.Action)
			if !ok || o.Operator != first.Operator || reflect.TypeOf(o.Reply) != reflect.TypeOf(first.Reply) {
				t.Errorf("Operator and Reply differ from those of %s, which has the same action", first.Name)
			}
		})
	}
}

// full returns a request of an operation with all its parameters.
func full(o Operation) Request {
	r := Request{Action: o.Action}
	if o.HasCredential() {
		r.Credential = "minut"
	}
	values := map[string]string{"min_ttl": "90", "limit": "7", "verify": "true"}
	for _, name := range o.Parameters {
		value, special := values[name]
		if !special {
			value = "a b+/?&=%é"
		}
		if name != o.Marker {
			_ = parameterOf(name).set(&r, value)
		}
	}
	return r
}

func TestDecodeReadsWhatEncodeWrites(t *testing.T) {
	for o := range Operations().All() {
		t.Run(o.Name, func(t *testing.T) {
			want := full(o)
			m, err := Operations().Encode(want)
			if err != nil {
				t.Fatalf("Encode(%v) = %v", want, err)
			}
			wantPath := strings.ReplaceAll(o.Path, "{credential}", "minut")
			if o.Name != "vend" && m.Method != o.Method || m.Path != wantPath {
				t.Errorf("Encode(%v) = %s %s, want %s %s", want, m.Method, m.Path, o.Method, wantPath)
			}
			route, ok := Operations().Route(m.Path)
			if !ok {
				t.Fatalf("Route(%s) = none, want a route", m.Path)
			}
			got, err := route.Decode(m.Method, m.Query, m.Body)
			if err != nil || got != want {
				t.Errorf("Decode(%s, %s, %s) = %+v, %v, want %+v", m.Method, m.Query, m.Body, got, err, want)
			}
		})
	}
}

// What a client sends stays as it is, byte for byte.
func TestEncodeGolden(t *testing.T) {
	for _, c := range []struct {
		request Request
		want    Message
	}{
		{Request{Credential: "minut"}, Message{Method: "GET", Path: "/tokens/minut"}},
		{
			Request{Action: Vend, Credential: "minut", Scope: "b a", Account: "é", MinTTL: Seconds(90 * time.Second)},
			Message{Method: "GET", Path: "/tokens/minut", Query: "account=%C3%A9&min_ttl=90&scope=b%20a"},
		},
		{
			Request{Credential: "minut", Scope: "a", Rejected: "9f86d081884c7d65"},
			Message{Method: "POST", Path: "/tokens/minut", Body: []byte(`{"scope":"a","rejected":"9f86d081884c7d65"}`)},
		},
		{
			Request{Action: Status, Credential: "minut", Verify: true},
			Message{Method: "GET", Path: "/tokens/minut/status", Query: "verify=true"},
		},
		{
			Request{Action: Revoke, Credential: "minut", Audience: "x"},
			Message{Method: "DELETE", Path: "/tokens/minut", Query: "audience=x"},
		},
		{
			Request{Action: List, After: "minut", Limit: 3},
			Message{Method: "GET", Path: "/tokens", Query: "after=minut&limit=3"},
		},
		{
			Request{Action: Authorize, Credential: "tm", RedirectURI: "http://127.0.0.1:1/"},
			Message{Method: "GET", Path: "/tokens/tm/authorize", Query: "redirect_uri=http%3A%2F%2F127.0.0.1%3A1%2F"},
		},
		{
			Request{Action: Connect, Credential: "tm", Account: "ann", Code: "c", RedirectURI: "https://a.test/"},
			Message{
				Method: "PUT", Path: "/tokens/tm",
				Body: []byte(`{"account":"ann","redirect_uri":"https://a.test/","code":"c"}`),
			},
		},
		{
			Request{Action: Recover, Credential: "tm", Recovery: "AAAA"},
			Message{Method: "PUT", Path: "/tokens/tm", Body: []byte(`{"recovery":"AAAA"}`)},
		},
		{
			Request{Action: Accept, Credential: "tm", Accept: "00"},
			Message{Method: "PUT", Path: "/tokens/tm", Body: []byte(`{"accept":"00"}`)},
		},
		{
			Request{Action: Renew, Credential: "tm", Account: "ann"},
			Message{Method: "PUT", Path: "/tokens/tm", Body: []byte(`{"account":"ann","renew":true}`)},
		},
	} {
		t.Run(c.request.Action+" "+c.want.Method, func(t *testing.T) {
			if got, err := Operations().Encode(c.request); err != nil || !reflect.DeepEqual(got, c.want) {
				t.Errorf("Encode(%v) = %+v, %v, want %+v", c.request, got, err, c.want)
			}
		})
	}
}

func TestEncodeRefusesWhatTheAPIDoesNotHave(t *testing.T) {
	for want, r := range map[string]Request{
		"no such action":    {Action: "frobnicate", Credential: "minut"},
		"does not take all": {Action: Status, Credential: "minut", Rejected: "9f86d081884c7d65"},
	} {
		if m, err := Operations().Encode(r); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("Encode(%v) = %+v, %v, want an error with %q", r, m, err, want)
		}
	}
}

// An operation gets none of the fields that it does not take.
func TestRestrictKeepsWhatAnOperationTakes(t *testing.T) {
	var all Request
	if err := json.Unmarshal([]byte(`{"credential":"minut","scope":"s","audience":"a","account":"c","min_ttl":1,
		"rejected":"r","after":"f","limit":1,"verify":true,"redirect_uri":"u","code":"o","code_verifier":"v",
		"recovery":"y","destination":"d","accept":"p","renew":true}`), &all); err != nil {
		t.Fatal(err)
	}
	for action, want := range map[string]Request{
		Vend:   {Credential: "minut", Scope: "s", Audience: "a", Account: "c", MinTTL: all.MinTTL, Rejected: "r"},
		Status: {Credential: "minut", Scope: "s", Audience: "a", Account: "c", Verify: true},
		List:   {Credential: "minut", After: "f", Limit: 1},
		Accept: {Credential: "minut", Scope: "s", Audience: "a", Account: "c", Accept: "p"},
	} {
		o, _ := Operations().Operation(action)
		if got := o.Restrict(all); got != want {
			t.Errorf("%s: Restrict(%+v) = %+v, want %+v", action, all, got, want)
		}
	}
}

// An operation that is added to the table is routed, read, sent and listed
// without another change.
func TestAddedOperationNeedsOneEntry(t *testing.T) {
	const describe = "describe"
	table := Table{append(slices.Clone(operations.all), Operation{
		Name: describe, Action: describe, Method: http.MethodPost, Path: statusPath,
		Parameters: []string{"account", "verify"}, Reply: StatusReport{}, Operator: true, Changes: true,
	})}
	request := Request{Action: describe, Credential: "minut", Account: "ann", Verify: true}
	m, err := table.Encode(request)
	want := Message{Method: "POST", Path: "/tokens/minut/status", Body: []byte(`{"account":"ann","verify":true}`)}
	if err != nil || !reflect.DeepEqual(m, want) {
		t.Fatalf("Encode(%v) = %+v, %v, want %+v", request, m, err, want)
	}
	route, ok := table.Route(m.Path)
	if !ok {
		t.Fatalf("Route(%s) = none, want a route", m.Path)
	}
	if got, err := route.Decode(m.Method, m.Query, m.Body); err != nil || got != request {
		t.Errorf("Decode(%s, %s, %s) = %+v, %v, want %+v", m.Method, m.Query, m.Body, got, err, request)
	}
	for body, want := range map[string]string{
		`{"scope":"s"}`:          "no fields but account and verify",
		`{"credential":"other"}`: "no fields but account and verify",
	} {
		if _, err := route.Decode("POST", "", []byte(body)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("Decode(POST, %s) = %v, want an error with %q", body, err, want)
		}
	}
	if _, err := route.Decode("PUT", "", nil); err.(*Error).Allow != "GET, POST" {
		t.Errorf("Decode(PUT) = %+v, want Allow: GET, POST", err)
	}
	if actions := table.Actions(); actions[len(actions)-1] != describe {
		t.Errorf("Actions() = %v, want %s at the end", actions, describe)
	}
	if o, ok := table.Operation(describe); !ok || !o.Operator {
		t.Errorf("Operation(%s) = %+v, %t, want an operator's", describe, o, ok)
	}
}

package apigateway

import (
	"bytes"
	"cmp"
	"encoding/json"
	"net/url"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

// reference is an event as encoding/json decodes it.
type reference struct {
	RequestContext *struct {
		Stage string `json:"stage"`
		Path  string `json:"path"`
		HTTP  *struct {
			Method string `json:"method"`
		} `json:"http"`
		Authorizer struct {
			IAM struct {
				UserARN string `json:"userArn"`
			} `json:"iam"`
		} `json:"authorizer"`
		Identity struct {
			UserARN string `json:"userArn"`
		} `json:"identity"`
	} `json:"requestContext"`
	RouteKey        string              `json:"routeKey"`
	Resource        string              `json:"resource"`
	PathParameters  map[string]string   `json:"pathParameters"`
	RawPath         string              `json:"rawPath"`
	RawQuery        string              `json:"rawQueryString"`
	Method          string              `json:"httpMethod"`
	Path            string              `json:"path"`
	Query           map[string][]string `json:"multiValueQueryStringParameters"`
	Body            string              `json:"body"`
	IsBase64Encoded bool                `json:"isBase64Encoded"`
}

func (r reference) event() (Event, bool) {
	c := r.RequestContext
	if c == nil {
		return Event{}, false
	}
	_, route, _ := strings.Cut(r.RouteKey, " ")
	e := Event{
		route: cmp.Or(route, r.Resource), path: cmp.Or(r.RawPath, r.Path), contextPath: c.Path,
		stage: c.Stage, restMethod: r.Method, rawQuery: r.RawQuery, query: r.Query,
		iamARN: c.Authorizer.IAM.UserARN, identityARN: c.Identity.UserARN, body: r.Body, isBase64: r.IsBase64Encoded,
	}
	for name, value := range r.PathParameters {
		e.parameters = append(e.parameters, parameter{name, value})
	}
	if e.http = c.HTTP != nil; e.http {
		e.method = c.HTTP.Method
	}
	return e, true
}

func same(a, b Event) bool {
	queries := url.Values(a.query).Encode() == url.Values(b.query).Encode()
	a.query, b.query = nil, nil
	return queries && reflect.DeepEqual(a, b)
}

func TestReadEventAgreesWithEncodingJSON(t *testing.T) {
	golden, err := filepath.Glob(filepath.Join("..", "..", "functions", "testdata", "*.event.json"))
	if err != nil || len(golden) < 4 {
		t.Fatalf("Glob(*.event.json) = %v, %v, want four files at least", golden, err)
	}
	var texts []string
	for _, file := range golden {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		texts = append(texts, string(text))
	}
	texts = append(texts,
		`{"requestContext":{"stage":"$default","http":{"method":"POST"}},"body":"a\"\u00e9\ud83d\ude00\n","isBase64Encoded":true}`,
		`{"requestContext":{"http":null,"authorizer":null,"identity":{"userArn":null}},"httpMethod":"GET","multiValueQueryStringParameters":{"a":["1","é"],"b":[],"c":null}}`,
		"{\"requestContext\":{\"stage\":\"\xff\"}} \n",
		`{"requestContext":{},"x":[{"a":[-0.5e+3,true,false,null,"\\"]}],"raw\u0050ath":"/x"}`,
		`{"requestContext":null}`, `{}`, `null`, `[]`, `7`, ``, `{"requestContext":{}`, `{"requestContext":{}}x`,
		`{"requestContext":{},}`, `{"requestContext":7}`,
		`{"requestContext":{"stage":7}}`, `{"requestContext":{},"isBase64Encoded":"true"}`,
		`{"requestContext":{},"x":01}`,
		`{"requestContext":{},"x":tru}`,
		`{"requestContext":{},"multiValueQueryStringParameters":{"a":"b"}}`, `{"requestContext":{},"body":{}}`,
	)
	for _, text := range texts {
		var r reference
		want, ok := Event{}, json.Unmarshal([]byte(text), &r) == nil
		if ok {
			want, ok = r.event()
		}
		got, is := ReadEvent([]byte(text))
		if is != ok || ok && !same(got, want) {
			t.Errorf("ReadEvent(%s) = %+v, %t, want %+v, %t", text, got, is, want, ok)
		}
	}
}

// FuzzReadEvent checks that what is read as an event is JSON.
func FuzzReadEvent(f *testing.F) {
	f.Add([]byte(`{"requestContext":{"stage":"s","http":{"method":"GET"}},"rawPath":"/x"}`))
	f.Add([]byte(`{"requestContext":{"identity":{"userArn":"a"}},"multiValueQueryStringParameters":{"a":["b"]}}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		if got, ok := ReadEvent(data); ok && !json.Valid(data) {
			t.Errorf("ReadEvent(%q) = %+v, want none: it is no JSON", data, got)
		}
	})
}

func FuzzAppendQuoted(f *testing.F) {
	f.Add("a\"\\\x00é")
	f.Fuzz(func(t *testing.T, text string) {
		text = strings.ToValidUTF8(text, "?")
		var got string
		quoted := appendQuoted(nil, text)
		if err := json.Unmarshal(quoted, &got); err != nil || got != text {
			t.Errorf("appendQuoted(%q) = %s, which decodes to %q, %v, want the text", text, quoted, got, err)
		}
	})
}

func TestReadEventRefusesDeepJSON(t *testing.T) {
	deep := bytes.Repeat([]byte("["), 1<<20)
	if _, ok := ReadEvent(append([]byte(`{"requestContext":{},"x":`), deep...)); ok {
		t.Error("ReadEvent of 1,048,576 nested arrays = true, want false")
	}
}

package strictjson_test

import (
	"encoding/json"
	"reflect"
	"slices"
	"testing"

	"github.com/tokenvend/tokenvend/pkg/strictjson"
)

// even is a type with a JSON form of its own.
type even int

func (even) CheckJSON(token json.Token) (expected string, ok bool) {
	return `"even"`, token == "even"
}

type document struct {
	Name  string            `json:"name"`
	Count int               `json:"count,omitempty"`
	On    bool              `json:"on"`
	List  []string          `json:"list"`
	Map   map[string]string `json:"map"`
	Inner *document         `json:"inner"`
	Even  even              `json:"even"`
}

func TestCheck(t *testing.T) {
	for text, want := range map[string][]strictjson.Problem{
		`{}`: nil,
		`{"name":"a","count":1,"on":true,"list":["x"],"map":{"y":"z"},"inner":{"name":"b"},"even":"even"}`: nil,
		`{"Name":"a"}`:                {{"Name", "unknown field"}},
		`{"name":"a","name":"b"}`:     {{"name", "given twice"}},
		`{"name":null}`:               {{"name", "expected a string"}},
		`{"name":1}`:                  {{"name", "expected a string"}},
		`{"count":1.5}`:               {{"count", "expected a whole number"}},
		`{"count":"1"}`:               {{"count", "expected a whole number"}},
		`{"on":"true"}`:               {{"on", "expected true or false"}},
		`{"list":{}}`:                 {{"list", "expected an array"}},
		`{"list":["x",2]}`:            {{"list[1]", "expected a string"}},
		`{"map":[]}`:                  {{"map", "expected an object"}},
		`{"map":{"y":{"deep":1}}}`:    {{"map.y", "expected a string"}},
		`{"map":{"a secret!":1}}`:     {{"map.(a name not shown)", "expected a string"}},
		`{"inner":{"inner":{"x":1}}}`: {{"inner.inner.x", "unknown field"}},
		`{"even":"odd"}`:              {{"even", `expected "even"`}},
		`[]`:                          {{"", "expected an object"}},
	} {
		if got := strictjson.Check([]byte(text), reflect.TypeFor[document]()); !slices.Equal(got, want) {
			t.Errorf("Check(%s) = %q, want %q", text, got, want)
		}
	}
}

func TestRepeated(t *testing.T) {
	for text, want := range map[string][]string{
		`1`:                             nil,
		`{"a":1,"A":1,"b":{"a":1}}`:     nil,
		`{"a":1,"a":2}`:                 {"a"},
		`{"a":[{"b":1},{"b":1,"b":2}]}`: {"a[1].b"},
		`{"a secret!":1,"a secret!":2}`: {"(a name not shown)"},
	} {
		if got := strictjson.Repeated([]byte(text)); !slices.Equal(got, want) {
			t.Errorf("Repeated(%s) = %q, want %q", text, got, want)
		}
	}
}

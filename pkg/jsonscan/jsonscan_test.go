package jsonscan_test

import (
	"bytes"
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"github.com/tokenvend/tokenvend/pkg/jsonscan"
)

// document is read by a Scanner and by encoding/json alike.
type document struct {
	Text  string              `json:"text"`
	Bool  bool                `json:"bool"`
	Lists map[string][]string `json:"lists"`
	Inner *inner              `json:"inner"`
}

type inner struct {
	Name string `json:"name"`
}

// scan reads a document. It reports false for one that is malformed.
func scan(data []byte) (d document, ok bool) {
	s := jsonscan.New(data)
	s.Object(func(name []byte) {
		switch string(name) {
		case "text":
			d.Text = s.Text()
		case "bool":
			d.Bool = s.Bool()
		case "lists":
			if d.Lists = s.TextLists(); len(d.Lists) == 0 {
				d.Lists = nil
			}
		case "inner":
			d.Inner = nil
			if i := new(inner); s.ObjectWith("name", &i.Name) {
				d.Inner = i
			}
		default:
			s.Skip()
		}
	})
	return d, s.End()
}

func TestScannerReadsWhatEncodingJSONReads(t *testing.T) {
	for name, text := range map[string]string{
		"all":              `{"text":"a","bool":true,"lists":{"a":["1","é"],"b":null},"inner":{"name":"x","other":[1]}}`,
		"nulls":            `{"text":null,"bool":null,"lists":null,"inner":null}`,
		"null":             `null`,
		"escapes":          `{"text":"a\"é😀\n\/","in\u006eer":{"na\u006de":"x"}}`,
		"no UTF-8":         "{\"text\":\"\xff\"}",
		"white space":      " {\t\"bool\" :\r\n false } ",
		"skipped":          `{"x":[{"a":[-0.5e+3,0,1E9,true,false,null,"\\"]},{}],"text":"b"}`,
		"empty":            ``,
		"not an object":    `[]`,
		"a number":         `7`,
		"cut short":        `{"text":"a"`,
		"trailing bytes":   `{"text":"a"}x`,
		"trailing comma":   `{"text":"a",}`,
		"two commas":       `{"text":"a",,"bool":true}`,
		"wrong text":       `{"text":7}`,
		"wrong bool":       `{"bool":"true"}`,
		"wrong lists":      `{"lists":{"a":"b"}}`,
		"wrong element":    `{"lists":{"a":[1]}}`,
		"wrong object":     `{"inner":"x"}`,
		"leading zero":     `{"x":01}`,
		"half a word":      `{"x":tru}`,
		"control byte":     "{\"text\":\"a\nb\"}",
		"bad escape":       `{"text":"\x"}`,
		"bad \\u":          `{"text":"\u00g0"}`,
		"no colon":         `{"text" "a"}`,
		"unquoted name":    `{text:"a"}`,
		"lonely surrogate": `{"text":"\ud800"}`,
	} {
		t.Run(name, func(t *testing.T) {
			var want document
			err := json.Unmarshal([]byte(text), &want)
			got, ok := scan([]byte(text))
			if ok != (err == nil) {
				t.Fatalf("scan(%q) = %t, want %t: encoding/json returns %v", text, ok, err == nil, err)
			}
			if ok && !reflect.DeepEqual(got, want) {
				t.Errorf("scan(%q) = %+v, want %+v", text, got, want)
			}
		})
	}
}

func TestScannerRefusesWhatIsTooDeep(t *testing.T) {
	nested := func(depth int) []byte {
		return append(bytes.Repeat([]byte("["), depth), bytes.Repeat([]byte("]"), depth)...)
	}
	for depth, want := range map[int]bool{jsonscan.MaxDepth: true, jsonscan.MaxDepth + 1: false, 1 << 20: false} {
		s := jsonscan.New(nested(depth))
		if s.Skip(); s.End() != want {
			t.Errorf("End() after %d brackets = %t, want %t", depth, !want, want)
		}
	}
}

// FuzzScanner compares a Scanner with encoding/json.
func FuzzScanner(f *testing.F) {
	for _, seed := range []string{
		`{"a":[1,-2.5e-3,"\u00e9\\",true,false,null]}`, `""`, `"\ud800"`, "\"\xff\"", `[[],{}]`,
		`01`, `-`, `1.`, `1e`, `{"a":1,}`, `nul`, ` 1 `, `true`, `{"a":["b"]}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		s := jsonscan.New(data)
		s.Skip()
		shallow := bytes.Count(data, []byte("["))+bytes.Count(data, []byte("{")) <= jsonscan.MaxDepth
		if got, want := s.End(), json.Valid(data); got != want && shallow {
			t.Errorf("End() of %q = %t, want %t", data, got, want)
		}
		compare(t, data, (*jsonscan.Scanner).Text)
		compare(t, data, (*jsonscan.Scanner).Bool)
		if strings.HasPrefix(string(data), "{") {
			compare(t, data, (*jsonscan.Scanner).TextLists)
		}
	})
}

// compare holds one method to encoding/json: both accept data with the same
// value, or both refuse it.
func compare[T any](t *testing.T, data []byte, read func(*jsonscan.Scanner) T) {
	t.Helper()
	var want T
	err := json.Unmarshal(data, &want)
	s := jsonscan.New(data)
	got := read(&s)
	if s.End() != (err == nil) {
		t.Errorf("%q read as %T: %t, want %t: encoding/json returns %v", data, got, err != nil, err == nil, err)
	}
	if err == nil && !reflect.DeepEqual(got, want) {
		t.Errorf("%q reads %#v, want %#v", data, got, want)
	}
}

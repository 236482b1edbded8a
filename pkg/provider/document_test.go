package provider

import (
	"bytes"
	"encoding/json"
	"reflect"
	"strings"
	"testing"
)

func TestLookup(t *testing.T) {
	const text = `{"a":1,"b":{"c":"x","C":"y","d":[10,{"e":"z"},null,true]},"a":"last","A":"other",
		"\u0066\n":"escaped","B~":{"/":"odd"}}`
	doc, problem := parseJSON([]byte(text))
	if problem != "" {
		t.Fatalf("parseJSON(%s): %s", text, problem)
	}
	for pointer, want := range map[string]any{
		"/a": "last", "/b/c": "x", "/b/C": "y", "/B/c": "x", "/b/d/0": json.Number("10"), "/b/d/1/e": "z", "/b/d/1/E": "z",
		"/b/d/2": nil, "/b/d/3": true, "/b/d/4": nil, "/b/d/-1": nil, "/b/d/x": nil,
		"/a/b": nil, "/none": nil, "/f\n": "escaped",
		"/b~0/~1": "odd", "/b~2": nil, "none": nil,
	} {
		if got := lookup(doc, pointer); got != want {
			t.Errorf("lookup(%s) = %v, want %v", pointer, got, want)
		}
	}
}

// Wherever an answer ends, what came before is found, and nothing else is.
func TestLookupInPartOfAnAnswer(t *testing.T) {
	const text = `{"scope":["a",{"refresh_token":"no"}],"data":{"refresh_token":"R\u0041","n":60},"access_token":"a"}`
	for end := range len(text) {
		doc, problem := parseJSON([]byte(text[:end]))
		if problem == "" {
			t.Fatalf("parseJSON(%s) finds nothing wrong", text[:end])
		}
		want := any(nil)
		if end > strings.Index(text, `\u0041"`)+len(`\u0041`) {
			want = "RA"
		}
		if got := lookup(doc, "/data/refresh_token"); got != want {
			t.Errorf("lookup in %s = %v, want %v", text[:end], got, want)
		}
		if got := lookup(doc, "/data/n"); got != nil && got != json.Number("60") {
			t.Errorf("lookup in %s = %v, want 60 or nothing", text[:end], got)
		}
	}
}

// FuzzLookup compares with encoding/json, for names that are spelt exactly.
func FuzzLookup(f *testing.F) {
	for _, seed := range []string{
		`{"a":1,"b":{"c":"\u00e9\ud83d\ude00"},"a":2}`,
		`[1,{"a":null}]`, `{"\u0061":"x"}`, `{"a":{"b":{"a":[]}}`, `{"a":"\\\""}`,
		"\xef\xbb\xbf{}", `{"a":1}x`,
	} {
		f.Add([]byte(seed), "a")
		f.Add([]byte(seed), "b")
	}
	f.Fuzz(func(t *testing.T, data []byte, name string) {
		doc, problem := parseJSON(data)
		pointer := "/" + strings.NewReplacer("~", "~0", "/", "~1").Replace(name)
		got := lookup(doc, pointer)
		var members map[string]any
		dec := json.NewDecoder(bytes.NewReader(bytes.TrimPrefix(data, []byte("\xef\xbb\xbf"))))
		dec.UseNumber()
		if problem != "" || dec.Decode(&members) != nil {
			return // no panic is all that is asked
		}
		want, there := members[name]
		switch want.(type) {
		case map[string]any, []any:
			return
		}
		if there && !reflect.DeepEqual(got, want) {
			t.Fatalf("lookup(%s, %q) = %v, want %v", data, pointer, got, want)
		}
	})
}

package jsonpointer

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
	doc, err := Read([]byte(text))
	if err != nil {
		t.Fatalf("Read(%s): %v", text, err)
	}
	for pointer, want := range map[string]any{
		"/a": "last", "/b/c": "x", "/b/C": "y", "/B/c": "x", "/b/d/0": json.Number("10"), "/b/d/1/e": "z",
		"/b/d/1/E": "z",
		"/b/d/2":   nil, "/b/d/3": true, "/b/d/4": nil, "/b/d/-1": nil, "/b/d/x": nil,
		"/a/b": nil, "/none": nil, "/f\n": "escaped",
		"/b~0/~1": "odd", "/b~2": nil, "none": nil,
	} {
		if got := doc.Lookup(pointer); got != want {
			t.Errorf("Lookup(%s) = %v, want %v", pointer, got, want)
		}
	}
}

// Wherever a document ends, what came before is found, and nothing else is.
func TestLookupInPartOfAnAnswer(t *testing.T) {
	const text = `{"scope":["a",{"refresh_token":"no"}],"data":{"refresh_token":"R\u0041","n":60},"access_token":"a"}`
	for end := range len(text) {
		doc, err := Read([]byte(text[:end]))
		if err == nil {
			t.Fatalf("Read(%s) = nil, want an error", text[:end])
		}
		want := any(nil)
		if end > strings.Index(text, `\u0041"`)+len(`\u0041`) {
			want = "RA"
		}
		if got := doc.Lookup("/data/refresh_token"); got != want {
			t.Errorf("Lookup in %s = %v, want %v", text[:end], got, want)
		}
		if got := doc.Lookup("/data/n"); got != nil && got != json.Number("60") {
			t.Errorf("Lookup in %s = %v, want 60 or nothing", text[:end], got)
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
		doc, err := Read(data)
		pointer := "/" + strings.NewReplacer("~", "~0", "/", "~1").Replace(name)
		got := doc.Lookup(pointer)
		var members map[string]any
		dec := json.NewDecoder(bytes.NewReader(bytes.TrimPrefix(data, []byte("\xef\xbb\xbf"))))
		dec.UseNumber()
		if err != nil || dec.Decode(&members) != nil {
			return // no panic is all that is asked
		}
		want, there := members[name]
		switch want.(type) {
		case map[string]any, []any:
			return
		}
		if there && !reflect.DeepEqual(got, want) {
			t.Fatalf("Lookup of %s, %q = %v, want %v", data, pointer, got, want)
		}
	})
}

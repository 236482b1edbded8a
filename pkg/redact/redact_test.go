package redact_test

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/tokenvend/tokenvend/pkg/redact"
)

const plain = "s3cr3t-Token_value.42"

// inside holds a secret in every way that a struct can.
type inside struct {
	Open    redact.String
	hidden  redact.String
	Pointer *redact.String
	pointer *redact.String
	Slice   []redact.String
	slice   []redact.String
	Map     map[string]redact.String
	Any     any
	hideAny any
	redact.String
}

func everywhere() map[string]any {
	s := redact.New(plain)
	in := inside{
		Open: s, hidden: s, Pointer: &s, pointer: &s, Slice: []redact.String{s}, slice: []redact.String{s},
		Map: map[string]redact.String{"k": s}, Any: s, hideAny: s, String: s,
	}
	return map[string]any{
		"alone": s, "pointer": &s, "slice": []redact.String{s}, "array": [1]redact.String{s},
		"pointers": []*redact.String{&s},
		"map":      map[string]redact.String{"k": s}, "map of any": map[string]any{"k": s, "l": &s},
		"struct": in, "struct pointer": &in, "structs": []inside{in}, "unexported alone": struct{ s redact.String }{s},
		"error": fmt.Errorf("with %v and %s", s, &s),
	}
}

// reveals reports whether out holds the secret, in plain or in a form that
// printing gives bytes.
func reveals(out string) bool {
	for _, form := range []string{
		plain, hex.EncodeToString([]byte(plain)), fmt.Sprintf("% x", plain), fmt.Sprintf("%# x", plain),
		fmt.Sprintf("%v", []byte(plain)),
		fmt.Sprintf("%#v", []byte(plain)), fmt.Sprintf("%o", []byte(plain)), fmt.Sprintf("%b", []byte(plain)),
		fmt.Sprintf("%U", []rune(plain)),
		base64.StdEncoding.EncodeToString([]byte(plain)), plain[:8],
	} {
		if strings.Contains(strings.ToLower(out), strings.ToLower(strings.Trim(form, "[]"))) {
			return true
		}
	}
	return false
}

func TestNoVerbReveals(t *testing.T) {
	for where, value := range everywhere() {
		for _, verb := range "vTsqxXdboOcUteEfFgGpwz" {
			for _, flags := range []string{"", "+", "#", " ", "# ", "-60", "060", "5.3", "[1]"} {
				format := "%" + flags + string(verb)
				if out := fmt.Sprintf(format, value); reveals(out) {
					t.Errorf("%s of %s: %s, want not reveals(out)", format, where, out)
				}
			}
		}
		if out := fmt.Sprint(value) + fmt.Sprintln(value); reveals(out) {
			t.Errorf("Sprint of %s: %s, want not reveals(out)", where, out)
		}
	}
}

func TestEveryVerbShowsTheMask(t *testing.T) {
	s := redact.New(plain)
	for _, verb := range "vsqxXdboOcUteEfFgG" {
		for _, value := range []any{s, &s} {
			if out := fmt.Sprintf("%#"+string(verb), value); out != redact.Mask {
				t.Errorf("%%%c of %T = %s, want out = %v", verb, value, out, redact.Mask)
			}
		}
	}
	if out := fmt.Sprintf("%T", s); out != "redact.String" {
		t.Errorf(`%%T = %s, want out = "redact.String"`, out)
	}
	if s.String() != redact.Mask || s.GoString() != redact.Mask {
		t.Errorf("String or GoString, want s.String() = %v and s.GoString() = %v", redact.Mask, redact.Mask)
	}
}

func TestLogsRevealNothing(t *testing.T) {
	for where, value := range everywhere() {
		var out bytes.Buffer
		options := &slog.HandlerOptions{Level: slog.LevelDebug, AddSource: true}
		for _, h := range []slog.Handler{slog.NewTextHandler(&out, options), slog.NewJSONHandler(&out, options)} {
			log := slog.New(h).With("with", value).WithGroup("group")
			log.Info("message", "value", value, slog.Any("any", value), slog.Group("inner", "value", value))
		}
		if reveals(out.String()) {
			t.Errorf("%s: %s, want not reveals(out.String())", where, &out)
		}
	}
}

func TestLogsShowTheMask(t *testing.T) {
	var out bytes.Buffer
	slog.New(slog.NewJSONHandler(&out, nil)).Info("message", "value", redact.New(plain))
	if !strings.Contains(out.String(), `"value":"[redacted]"`) {
		t.Errorf("%v, want strings.Contains(out.String(), `\"value\":\"[redacted]\"`)", out.String())
	}
}

func TestEncodersRevealNothing(t *testing.T) {
	for where, value := range everywhere() {
		out, err := json.Marshal(value)
		if err != nil || reveals(string(out)) {
			t.Errorf("JSON of %s: %s, %v, want no error and not reveals(string(out))", where, out, err)
		}
		// maps are an error, which may not reveal either
		out, _ = xml.Marshal(value)
		if reveals(string(out)) {
			t.Errorf("XML of %s: %s, want not reveals(string(out))", where, out)
		}
	}
	if out, err := json.Marshal(redact.New(plain)); err != nil || string(out) != `"[redacted]"` {
		t.Errorf("JSON = %s, %v", out, err)
	}
	if out, err := redact.New(plain).MarshalText(); err != nil || string(out) != redact.Mask {
		t.Errorf("text = %s, %v, want no error and string(out) = %v", out, err, redact.Mask)
	}
}

func TestUnmarshalReadsAString(t *testing.T) {
	for data, want := range map[string]string{`"` + plain + `"`: plain, `"\u00e5\n"`: "å\n", `""`: "", `null`: ""} {
		var s redact.String
		if err := json.Unmarshal([]byte(data), &s); err != nil || s.Reveal() != want || s.IsZero() != (want == "") {
			t.Errorf("%s is read as %q, %v", data, s.Reveal(), err)
		}
	}
}

func TestUnmarshalErrorQuotesNothing(t *testing.T) {
	for _, data := range []string{`{"v":{"s3cr3t-Token":1}}`, `{"v":["s3cr3t-Token_value.42"]}`, `{"v":424242424242}`,
		`{"v":true}`} {
		var in struct{ V redact.String }
		err := json.Unmarshal([]byte(data), &in)
		if err == nil {
			t.Fatalf("%s was read, want an error", data)
		}
		if reveals(err.Error()) || strings.Contains(err.Error(), "4242") || !in.V.IsZero() {
			t.Errorf(`%s: %v, want not reveals(err.Error()) and not "4242" in err.Error() and in.V.IsZero()`, data, err)
		}
	}
	var s redact.String
	if err := s.UnmarshalJSON([]byte(plain)); err == nil || reveals(err.Error()) ||
		strings.ContainsAny(err.Error(), "'") {
		t.Errorf(`what is no JSON: %v, want an error and not reveals(err.Error()) and not strings.ContainsAny(err.Error(), "'")`, err)
	}
}

func TestOnlyRevealReveals(t *testing.T) {
	if got := redact.New(plain).Reveal(); got != plain {
		t.Errorf("Reveal = %q, want %v", got, plain)
	}
	var none redact.String
	if !none.IsZero() || !redact.New("").IsZero() || none.Reveal() != "" || redact.New(plain).IsZero() {
		t.Errorf(`the zero value is the absent secret, want none.IsZero() and redact.New("").IsZero() and none.Reveal() = "" and not redact.New(plain).IsZero()`)
	}
}

func TestEqual(t *testing.T) {
	a, b, none := redact.New(plain), redact.New(strings.Clone(plain)), redact.String{}
	if !a.Equal(b) || !none.Equal(redact.New("")) {
		t.Errorf(`equal secrets differ, want a.Equal(b) and none.Equal(redact.New(""))`)
	}
	if a.Equal(none) || a.Equal(redact.New(plain+"x")) || a.Equal(redact.New(strings.ToUpper(plain))) {
		t.Errorf(`different secrets are equal, want not a.Equal(none) and not a.Equal(redact.New(plain+"x")) and not a.Equal(redact.New(strings.ToUpper(plain)))`)
	}
}

func TestOmitzero(t *testing.T) {
	var in struct {
		V redact.String `json:"v,omitzero"`
	}
	if out, err := json.Marshal(in); err != nil || string(out) != "{}" {
		t.Errorf(`%s, %v, want no error and string(out) = "{}"`, out, err)
	}
}

package terminal_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"

	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/terminal"
)

// page is a console whose output is kept.
func page(t *testing.T) (c terminal.Console, out, errs *bytes.Buffer) {
	t.Helper()
	in, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = in.Close() })
	out, errs = &bytes.Buffer{}, &bytes.Buffer{}
	return terminal.New(in, out, errs), out, errs
}

func TestNothingControlsTheTerminal(t *testing.T) {
	for _, c := range []struct{ name, text, want string }{
		{"plain text", "é 日本 – “ok”", "é 日本 – “ok”"},
		{"OSC 52", "\x1b]52;c;aGk=\a", `\x1b]52;c;aGk=\x07`},
		{"C1 as a character", "\u009b2J", `\u009b2J`},
		{"C1 as a byte", "\x9b2J", `\x9b2J`},
		{"carriage return and backspace", "bad\rgood\b", `bad\rgood\x08`},
		{"delete", "a\x7f", `a\x7f`},
		{"controls of direction", "\u202egpj.exe\u2066\u200f", `\u202egpj.exe\u2066\u200f`},
		{"width zero", "a\u200b\u200d\u2060\ufeff\u00adb", `a\u200b\u200d\u2060\ufeff\u00adb`},
		{"ignored characters", "a\u034f\u3164\ufe0f", `a\u034f\u3164\ufe0f`},
		{"separators", "a\u2028b\u2029", `a\u2028b\u2029`},
		{"tags", "\U000e0041", `\U000e0041`},
		{"a line of its own", "x\ntokenvend: fine", `x\ntokenvend: fine`},
	} {
		t.Run(c.name, func(t *testing.T) {
			console, out, errs := page(t)
			console.Say("%s", c.text)
			console.Say("%v", errors.New(c.text))
			_ = console.Printf("%s\n", c.text)
			_ = console.Table([][]string{{c.text}})
			if got, want := errs.String()+out.String(), strings.Repeat(c.want+"\n", 4); got != want {
				t.Errorf("Say, Printf and Table of %q write %q, want %q", c.text, got, want)
			}
		})
	}
}

// A text in ASCII takes a shorter path.
func TestOutputIsCleaned(t *testing.T) {
	for text, want := range map[string]string{
		"level=INFO\tmsg=vend\n": "level=INFO\tmsg=vend\n", "~ a\x7f\n": `~ a\x7f` + "\n", "a\rb": `a\rb`,
		"a \x1b[2J b\nc\n": `a \x1b[2J b` + "\nc\n", "a\x00": `a\x00`,
		"é a\u009b\n": `é a\u009b` + "\n", "a\x9b": `a\x9b`,
	} {
		console, _, errs := page(t)
		if n, err := console.ErrorOutput().Write([]byte(text)); n != len(text) || err != nil || errs.String() != want {
			t.Errorf("Write(%q) = %d, %v and writes %q, want %d, nil and %q", text, n, err, errs, len(text), want)
		}
	}
}

// A text of a type of its own, as a state is, and a list of texts begin no
// line.
func TestAttack21_NoArgumentBeginsALine(t *testing.T) {
	type state string
	const forged = "idle\ntokenvend: all is well"
	for _, arg := range []any{state(forged), []string{forged}, []state{forged}, struct{ s state }{forged},
		&forgedText{forged}} {
		console, out, errs := page(t)
		console.Say("state %v", arg)
		_ = console.Printf("state %v\n", arg)
		if got := errs.String() + out.String(); strings.Count(got, "\n") != 2 {
			t.Errorf("Say and Printf of a %T write %q, want a line each", arg, got)
		}
	}
	console, _, errs := page(t)
	console.Say("%d %.1f %t %5d|", 7, 1.5, true, int8(3))
	if got, want := errs.String(), "7 1.5 true     3|\n"; got != want {
		t.Errorf("Say of numbers writes %q, want %q", got, want)
	}
}

type forgedText struct{ Text string }

func TestLinesAreIndented(t *testing.T) {
	console, _, errs := page(t)
	console.Fail("no\n  field: expected\ntokenvend: all is well\x1b")
	if got, want := errs.String(), "tokenvend: no\n  field: expected\n  tokenvend: all is well\\x1b\n"; got != want {
		t.Errorf("Fail writes %q, want %q", got, want)
	}
}

func TestACellIsOne(t *testing.T) {
	console, out, _ := page(t)
	_ = console.Table([][]string{{"ok", "a\tb\nfailed"}, {"warning", "c"}})
	if got, want := out.String(), "ok       a\\tb\\nfailed\nwarning  c\n"; got != want {
		t.Errorf("Table writes %q, want %q", got, want)
	}
}

func TestOnlyATokenIsShownAsOne(t *testing.T) {
	console, out, _ := page(t)
	for _, token := range []string{"a\nb", "a b", "a\x1b[2J", "é", "a\u009b"} {
		if err := console.Token(token); err == nil || out.Len() != 0 {
			t.Errorf("Token(%q) = %v, and writes %q", token, err, out)
		}
	}
	if err := console.Token("eyJ~-._+/=="); err != nil || out.String() != "eyJ~-._+/==\n" {
		t.Errorf("Token of a good token = %v, and writes %q", err, out)
	}
}

// A program reads the same text; a terminal shows no control.
func FuzzJSON(f *testing.F) {
	for _, seed := range []string{"", "é<&>", "\x1b]52;c;\a", "\u009b", "\u202e", "\U000e0041", "\u2028", "\x7f",
		"\\u202e"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if !utf8.ValidString(text) {
			return
		}
		console, out, _ := page(t)
		var back map[string]string
		if err := console.JSON(map[string]string{"k": text}); err != nil ||
			json.Unmarshal(out.Bytes(), &back) != nil ||
			back["k"] != text {
			t.Fatalf("JSON of %q = %v, and is read as %q", text, err, back)
		}
		for _, r := range out.String() {
			if r != '\n' && !unicode.IsGraphic(r) {
				t.Errorf("JSON of %q writes %q", text, out)
			}
		}
	})
}

// A program reads the same text; a terminal shows no control character.
func FuzzYAML(f *testing.F) {
	for _, seed := range []string{"", "é<&>", "true", "1", "a: b", "\x1b]52;c;\a", "\u009b", "\u202e", "\U000e0041",
		"a\nb",
		"\u2028", "\x7f", "\\u202e", "\u0085", "\ufeff", "- x", "#", " a "} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if !utf8.ValidString(text) {
			return
		}
		console, out, _ := page(t)
		var back map[string]string
		err := console.YAML(map[string]string{"k": text})
		if err != nil || yaml.Unmarshal(out.Bytes(), &back) != nil || back["k"] != text {
			t.Fatalf("YAML(%q) = %v, and is read as %q: %s", text, err, back, out)
		}
		for _, r := range out.String() {
			if r != '\n' && !unicode.IsGraphic(r) {
				t.Errorf("YAML(%q) writes %q, want printed characters alone", text, out)
			}
		}
	})
}

func TestYAMLKeepsOrderAndTypes(t *testing.T) {
	console, out, _ := page(t)
	err := console.YAML(struct {
		B string   `json:"b"`
		A int      `json:"a"`
		L []string `json:"l"`
		S string   `json:"s"`
	}{"true", 7, []string{"x"}, "two words"})
	if got, want := out.String(), "b: \"true\"\na: 7\nl:\n  - x\ns: two words\n"; err != nil || got != want {
		t.Errorf("YAML(struct) = %v, writes %q, want %q", err, got, want)
	}
}

func TestColorsAreForTerminalsOnly(t *testing.T) {
	console, out, _ := page(t)
	err := console.GradedTable([][]string{{"ok", "a"}}, 0, func(string) terminal.Color { return terminal.Green })
	if err != nil || out.String() != "ok  a\n" {
		t.Errorf("GradedTable to a pipe = %v, writes %q, want no color", err, out)
	}
}

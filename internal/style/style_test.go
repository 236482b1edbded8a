package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const root = "../.."

func TestRepositoryKeepsItsStyle(t *testing.T) {
	if found, err := check(root); err != nil || len(found) > 0 {
		t.Errorf("check(%q) = %v, %v, want nothing found", root, found, err)
	}
}

func TestCheckFindsEachKind(t *testing.T) {
	long := strings.Repeat("word ", 30)
	for name, c := range map[string]struct {
		file, text, want string
	}{
		"plain text":             {"a.go", "package a\n\n// Open reports whether x is open.\nvar Open bool\n", ""},
		"a wide comment":         {"a.go", "package a\n\n// A " + long + "\nvar A int\n", "a.go:3: comment of 155"},
		"a long URL":             {"a.go", "package a\n\n// https://example.com/" + strings.Repeat("x", 90) + "\nvar A int\n", ""},
		"wide code":              {"a.go", "package a\n\nvar A = f(" + strings.Repeat("1, ", 50) + "2)\n", "a.go:3: code of 162"},
		"a wide string":          {"a.go", "package a\n\nvar A = \"" + long + "\"\n", "a.go:3: code of 160"},
		"a wide string in tests": {"a_test.go", "package a\n\nvar A = \"" + long + "\"\n", ""},
		"a raw string":           {"a.go", "package a\n\nvar A = `\n" + long + "\n`\n", ""},
		"after a quoted backquote": {
			"a.go", "package a\n\nvar A = \"`\"\n\n// B " + long + "\nvar B int\n", "a.go:5: comment of 155",
		},
		"an identifier":          {"a.go", "package a\n\ntype Desk int\n", "a.go:3: identifier Desk"},
		"a type":                 {"a.go", "package a\n\ntype view int\n", "a.go:3: type view"},
		"a method":               {"a.go", "package a\n\nfunc (s S) view() {}\n", ""},
		"part of an identifier":  {"a.go", "package a\n\nfunc f() { newHouse := 1; _ = newHouse }\n", "a.go:3: identifier newHouse"},
		"use alone":              {"a.go", "package a\n\nvar a = b.Desk\n", ""},
		"a phrase":               {"a.go", "package a\n\n// A says whether it is.\nvar A int\n", `a.go:3: phrase "says whether"`},
		"a phrase on two lines":  {"a.go", "package a\n\n// A says\n// whether it is.\nvar A int\n", `a.go:3: phrase "says whether"`},
		"a phrase in a string":   {"a.go", "package a\n\nvar A = \"its own row\"\n", `a.go:3: phrase "own row"`},
		"a phrase in a page":     {"a.md", "# A\n\nThe front door.\n", `a.md:3: phrase "front door"`},
		"a phrase within a word": {"a.md", "Own rowing, talent.\n", ""},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			if err := os.WriteFile(filepath.Join(dir, c.file), []byte(c.text), 0o600); err != nil {
				t.Fatal(err)
			}
			found, err := check(dir)
			if err != nil {
				t.Fatal(err)
			}
			got := ""
			if len(found) > 0 {
				got = found[0].String()
			}
			if c.want == "" && got != "" || !strings.HasPrefix(got, c.want) || len(found) > 1 {
				t.Errorf("check(%q) = %v, want one finding that starts with %q", c.text, found, c.want)
			}
		})
	}
}

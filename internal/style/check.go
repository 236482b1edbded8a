package main

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"
)

const (
	commentColumns = 80
	codeColumns    = 120
	tabColumns     = 4
)

// finding is one place that breaks a rule.
type finding struct {
	file string // relative to the root, with slashes
	line int
	text string
}

func (f finding) String() string { return fmt.Sprintf("%s:%d: %s", f.file, f.line, f.text) }

// check reads every Go file and Markdown page below root.
func check(root string) ([]finding, error) {
	var found []finding
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name := entry.Name()
		if entry.IsDir() {
			if path != root && (strings.HasPrefix(name, ".") || name == "testdata") {
				return fs.SkipDir
			}
			return nil
		}
		file, err := filepath.Rel(root, path)
		if err != nil {
			return err
		}
		file = filepath.ToSlash(file)
		switch {
		case strings.HasPrefix(file, "internal/style/"): // it lists the terms
			return nil
		case strings.HasSuffix(name, ".go"):
			inFile, err := checkGo(path, file)
			found = append(found, inFile...)
			return err
		case strings.HasSuffix(name, ".md"):
			text, err := os.ReadFile(path)
			found = append(found, checkText(file, 1, string(text))...)
			return err
		}
		return nil
	})
	return found, err
}

// checkGo checks one Go file.
func checkGo(path, file string) ([]finding, error) {
	source, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	set := token.NewFileSet()
	parsed, err := parser.ParseFile(set, path, source, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		return nil, err
	}
	found := checkWidth(file, string(source), rawLines(set, parsed))
	for _, group := range parsed.Comments {
		found = append(found, checkText(file, set.Position(group.Pos()).Line, group.Text())...)
	}
	ast.Inspect(parsed, func(n ast.Node) bool {
		if text, ok := n.(*ast.BasicLit); ok && text.Kind == token.STRING {
			found = append(found, checkText(file, set.Position(n.Pos()).Line, text.Value)...)
		}
		if t, ok := n.(*ast.TypeSpec); ok && types[t.Name.Name] != "" {
			found = append(
				found,
				finding{file, set.Position(n.Pos()).Line, "type " + t.Name.Name + ": " + types[t.Name.Name]},
			)
		}
		for _, name := range declared(n) {
			if instead := termFor(name.Name); instead != "" {
				found = append(
					found,
					finding{file, set.Position(name.Pos()).Line, "identifier " + name.Name + ": " + instead},
				)
			}
		}
		return true
	})
	return found, nil
}

// generated is the line of a file that a program writes.
var generated = regexp.MustCompile(`(?m)^// Code generated .* DO NOT EDIT\.$`)

// rawLines returns the lines that begin inside a raw string.
func rawLines(set *token.FileSet, parsed *ast.File) map[int]bool {
	raw := map[int]bool{}
	ast.Inspect(parsed, func(n ast.Node) bool {
		if text, ok := n.(*ast.BasicLit); ok && strings.HasPrefix(text.Value, "`") {
			for line := set.Position(n.Pos()).Line + 1; line <= set.Position(n.End()).Line; line++ {
				raw[line] = true
			}
		}
		return true
	})
	return raw
}

// checkWidth checks the width of lines that do not begin inside a raw string. A
// comment that is one long word, such as a URL or a directive, cannot be
// wrapped.
func checkWidth(file, source string, raw map[int]bool) []finding {
	if generated.MatchString(source) {
		return nil
	}
	var found []finding
	isTest := strings.HasSuffix(file, "_test.go")
	n := 0
	for line := range strings.SplitSeq(source, "\n") {
		n++
		wide := width(line)
		text := strings.TrimLeft(line, "\t")
		comment := strings.HasPrefix(text, "//")
		switch {
		case raw[n]:
		case comment && wide > commentColumns && strings.Contains(strings.TrimPrefix(text, "// "), " "):
			found = append(
				found,
				finding{file, n, fmt.Sprintf("comment of %d columns, want at most %d", wide, commentColumns)},
			)
		case !comment && wide > codeColumns && !longWord(text) && !(isTest && longString(text)):
			found = append(
				found,
				finding{file, n, fmt.Sprintf("code of %d columns, want at most %d", wide, codeColumns)},
			)
		}
	}
	return found
}

// longWord reports whether a line is wide because of one word, such as a URL.
func longWord(line string) bool {
	return slices.ContainsFunc(strings.Fields(line), func(word string) bool {
		return width(word) > codeColumns/2
	})
}

// longString reports whether a line is wide because of one string, as test data
// and the messages of tests may be.
func longString(line string) bool {
	for _, quote := range []string{`"`, "`"} {
		for i, part := range strings.Split(line, quote) {
			if i%2 == 1 && width(part) > codeColumns/2 {
				return true
			}
		}
	}
	return false
}

func width(line string) int {
	return utf8.RuneCountInString(line) + (tabColumns-1)*strings.Count(line, "\t")
}

// declared returns the names that a node declares.
func declared(n ast.Node) []*ast.Ident {
	switch n := n.(type) {
	case *ast.FuncDecl:
		return []*ast.Ident{n.Name}
	case *ast.TypeSpec:
		return []*ast.Ident{n.Name}
	case *ast.ValueSpec:
		return n.Names
	case *ast.Field:
		return n.Names
	case *ast.AssignStmt:
		if n.Tok == token.DEFINE {
			return idents(n.Lhs)
		}
	case *ast.RangeStmt:
		if n.Tok == token.DEFINE {
			return idents([]ast.Expr{n.Key, n.Value})
		}
	}
	return nil
}

func idents(list []ast.Expr) []*ast.Ident {
	var names []*ast.Ident
	for _, e := range list {
		if name, ok := e.(*ast.Ident); ok {
			names = append(names, name)
		}
	}
	return names
}

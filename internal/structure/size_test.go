package structure_test

import (
	"bytes"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// The limits that keep a file and a function readable at once.
const (
	mostLines         = 300
	mostTestLines     = 600
	mostFunctionLines = 60
)

func TestFilesAndFunctionsStaySmall(t *testing.T) {
	eachFile(t, func(file string, source []byte) {
		most := mostLines
		if strings.HasSuffix(file, "_test.go") {
			most = mostTestLines
		}
		if n := bytes.Count(source, []byte("\n")); n > most {
			t.Errorf("%s has %d lines, want %d at most", file, n, most)
		}
		set := token.NewFileSet()
		parsed, err := parser.ParseFile(set, file, source, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		for _, decl := range parsed.Decls {
			if f, ok := decl.(*ast.FuncDecl); ok && most == mostLines {
				if n := set.Position(f.End()).Line - set.Position(f.Pos()).Line + 1; n > mostFunctionLines {
					t.Errorf("%s: %s has %d lines, want %d at most", file, f.Name.Name, n, mostFunctionLines)
				}
			}
		}
	})
}

func TestEveryExportedNameIsDocumented(t *testing.T) {
	eachFile(t, func(file string, source []byte) {
		if strings.HasSuffix(file, "_test.go") {
			return
		}
		parsed, err := parser.ParseFile(
			token.NewFileSet(), file, source, parser.ParseComments|parser.SkipObjectResolution,
		)
		if err != nil {
			t.Fatal(err)
		}
		for _, decl := range parsed.Decls {
			for _, name := range undocumented(decl) {
				t.Errorf("%s: %s has no comment", file, name)
			}
		}
	})
}

// undocumented returns the exported names of a declaration without a comment. A
// comment on a group counts for the whole group.
func undocumented(decl ast.Decl) (names []string) {
	switch d := decl.(type) {
	case *ast.FuncDecl:
		if d.Name.IsExported() && d.Doc == nil && exportedReceiver(d) {
			names = append(names, d.Name.Name)
		}
	case *ast.GenDecl:
		for _, spec := range d.Specs {
			switch s := spec.(type) {
			case *ast.TypeSpec:
				if s.Name.IsExported() && d.Doc == nil && s.Doc == nil {
					names = append(names, s.Name.Name)
				}
			case *ast.ValueSpec:
				if s.Names[0].IsExported() && d.Doc == nil && s.Doc == nil && s.Comment == nil {
					names = append(names, s.Names[0].Name)
				}
			}
		}
	}
	return names
}

func exportedReceiver(f *ast.FuncDecl) bool {
	if f.Recv == nil {
		return true
	}
	t := f.Recv.List[0].Type
	if star, ok := t.(*ast.StarExpr); ok {
		t = star.X
	}
	name, ok := t.(*ast.Ident)
	return ok && name.IsExported()
}

// eachFile calls visit with every Go file of the module.
func eachFile(t *testing.T, visit func(file string, source []byte)) {
	t.Helper()
	err := filepath.WalkDir(root, func(file string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() && strings.HasPrefix(entry.Name(), ".") && file != root {
			return skip(err)
		}
		if entry.IsDir() || !strings.HasSuffix(file, ".go") {
			return nil
		}
		source, err := os.ReadFile(file)
		if err == nil {
			visit(file, source)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

package structure_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"strings"
	"testing"
)

// The operator's program writes only through its package terminal, which cleans
// the text. Only main.go names the streams, and only the package terminal
// writes to them.
func TestTheProgramWritesThroughItsConsole(t *testing.T) {
	program := filepath.Join(root, "cmd", "tokenvend")
	looked := 0
	eachFile(t, func(file string, source []byte) {
		dir := filepath.Dir(file)
		if strings.HasSuffix(file, "_test.go") || !strings.HasPrefix(file, program+string(filepath.Separator)) ||
			dir == filepath.Join(program, "internal", "terminal") || filepath.Base(file) == "main.go" {
			return
		}
		looked++
		set := token.NewFileSet()
		parsed, err := parser.ParseFile(set, file, source, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(parsed, func(n ast.Node) bool {
			if name := written(n); name != "" {
				t.Errorf("%s uses %s: write through the console", set.Position(n.Pos()), name)
			}
			return true
		})
	})
	if looked < 30 {
		t.Fatalf("%d files of the program were looked at, want 30 or more", looked)
	}
}

// written returns the name that a node writes with, bypassing the console, or
// "".
func written(n ast.Node) string {
	switch n := n.(type) {
	case *ast.SelectorExpr:
		pkg, ok := n.X.(*ast.Ident)
		if !ok {
			return ""
		}
		name := pkg.Name + "." + n.Sel.Name
		if name == "os.Stdout" || name == "os.Stderr" || name == "os.NewFile" || name == "syscall.Write" ||
			strings.HasPrefix(name, "fmt.Print") || strings.HasPrefix(name, "log.") ||
			strings.HasPrefix(name, "slog.") && strings.HasPrefix(n.Sel.Name, "Default") {
			return name
		}
	case *ast.CallExpr:
		if f, ok := n.Fun.(*ast.Ident); ok && (f.Name == "print" || f.Name == "println") {
			return f.Name
		}
	}
	return ""
}

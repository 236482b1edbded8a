package schedule

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// setters are the packages that may assign the times of an entry: this one, and
// the stores, which read them.
var setters = []string{"schedule", "store"}

// No other package computes when something is due: it assigns none of these
// fields, and makes no entry or failure with one.
func TestNoOtherPackageSetsWhen(t *testing.T) {
	fields := []string{"NextAt", "RenewAt", "RetryAt", "HoldUntil"}
	parsed := 0
	err := filepath.WalkDir("..", func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && filepath.Dir(path) == ".." && slices.Contains(setters, d.Name()) {
			return fs.SkipDir
		}
		if !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return nil
		}
		set := token.NewFileSet()
		file, err := parser.ParseFile(set, path, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		parsed++
		ast.Inspect(file, func(n ast.Node) bool {
			for _, field := range assigned(n) {
				if slices.Contains(fields, field) {
					t.Errorf("%s: sets %s, want a function of package schedule", set.Position(n.Pos()), field)
				}
			}
			return true
		})
		return nil
	})
	if err != nil || parsed < 100 {
		t.Errorf("WalkDir(pkg) = %v after %d files, want nil and more than 100", err, parsed)
	}
}

// assigned returns the fields that a statement assigns, and those of a literal
// of a stored type.
func assigned(n ast.Node) (fields []string) {
	switch n := n.(type) {
	case *ast.AssignStmt:
		for _, left := range n.Lhs {
			if at, ok := left.(*ast.SelectorExpr); ok && !isLine(at) {
				fields = append(fields, at.Sel.Name)
			}
		}
	case *ast.CompositeLit:
		if !isStored(n.Type) {
			return nil
		}
		for _, element := range n.Elts {
			if pair, ok := element.(*ast.KeyValueExpr); ok {
				if name, ok := pair.Key.(*ast.Ident); ok {
					fields = append(fields, name.Name)
				}
			}
		}
	}
	return fields
}

// isLine reports whether a field is that of a line of the journal, which shows
// the time.
func isLine(at *ast.SelectorExpr) bool {
	name, ok := at.X.(*ast.Ident)
	return ok && name.Name == "line"
}

// isStored reports whether a type is one of package store.
func isStored(of ast.Expr) bool {
	qualified, ok := of.(*ast.SelectorExpr)
	if !ok {
		return false
	}
	name, ok := qualified.X.(*ast.Ident)
	return ok && name.Name == "store"
}

package main

import (
	"cmp"
	"go/token"
	"go/types"
	"maps"
	"path/filepath"
	"slices"
	"strings"
)

// reference is a pair of files of one package of which the first uses the
// second.
type reference struct{ from, to string }

// upwardReference is a reference against the order of the files.
type upwardReference struct {
	reference
	names []string // that are used
}

// references returns the package-level names and methods that files of one
// package use of each other.
func references(set *token.FileSet, info *types.Info) map[reference][]string {
	type use struct {
		reference
		object types.Object
	}
	uses := map[use]bool{}
	for ident, object := range info.Uses {
		if !object.Pos().IsValid() || !topLevel(object) {
			continue
		}
		from, to := set.Position(ident.Pos()).Filename, set.Position(object.Pos()).Filename
		if from != to && filepath.Dir(from) == filepath.Dir(to) {
			uses[use{reference{filepath.Base(from), filepath.Base(to)}, object}] = true
		}
	}
	names := map[reference][]string{}
	for u := range uses {
		names[u.reference] = append(names[u.reference], u.object.Name())
	}
	return names
}

// topLevel reports whether an object is declared at package level or is a
// method. Fields count with their type.
func topLevel(object types.Object) bool {
	if f, ok := object.(*types.Func); ok {
		return f.Pkg() != nil
	}
	return object.Pkg() != nil && object.Parent() == object.Pkg().Scope()
}

// upward returns the references that run against the best order of files that
// was found. It takes the files in turn, each time the one that is used most
// and uses least among those left (the heuristic of Eades, Lin and Smyth for
// feedback arc sets).
func upward(uses map[reference][]string) []upwardReference {
	left := map[string]bool{}
	for r := range uses {
		left[r.from], left[r.to] = true, true
	}
	var up []upwardReference
	done := map[string]bool{} // files below all that are left
	for len(left) > 0 {
		next := lowest(left, uses)
		for r, names := range uses {
			if r.from == next && !done[r.to] {
				up = append(up, upwardReference{r, slices.Sorted(slices.Values(names))})
			}
		}
		done[next] = true
		delete(left, next)
	}
	slices.SortFunc(up, func(a, b upwardReference) int {
		return cmp.Or(strings.Compare(a.from, b.from), strings.Compare(a.to, b.to))
	})
	return up
}

// lowest returns the file of those left that uses the others least, and of
// several the one that is used most.
func lowest(left map[string]bool, uses map[reference][]string) string {
	best, bestUses, bestUsed := "", 0, 0
	for _, file := range slices.Sorted(maps.Keys(left)) {
		using, used := 0, 0
		for r, names := range uses {
			switch {
			case r.from == file && left[r.to]:
				using += len(names)
			case r.to == file && left[r.from]:
				used += len(names)
			}
		}
		if best == "" || using < bestUses || using == bestUses && used > bestUsed {
			best, bestUses, bestUsed = file, using, used
		}
	}
	return best
}

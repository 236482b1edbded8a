package main

import (
	"go/token"
	"go/types"
	"maps"
	"path/filepath"
	"slices"
)

// reference is a pair of files of one package of which the first uses the
// second. The number of distinct names that it uses is the weight.
type reference struct{ from, to string }

// references counts the package-level names and methods that files of one
// package use of each other.
func references(set *token.FileSet, info *types.Info) map[reference]int {
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
			uses[use{reference{from, to}, object}] = true
		}
	}
	counts := map[reference]int{}
	for u := range uses {
		counts[u.reference]++
	}
	return counts
}

// topLevel reports whether an object is declared at package level or is a
// method. Fields count with their type.
func topLevel(object types.Object) bool {
	if f, ok := object.(*types.Func); ok {
		return f.Pkg() != nil
	}
	return object.Pkg() != nil && object.Parent() == object.Pkg().Scope()
}

// upward returns how many references run against the best order of files that
// was found, and how many references there are. It takes the files in turn,
// each time the one that is used most and uses least among those left (the
// heuristic of Eades, Lin and Smyth for feedback arc sets).
func upward(counts map[reference]int) (up, all int) {
	left := map[string]bool{}
	for r, n := range counts {
		left[r.from], left[r.to] = true, true
		all += n
	}
	done := map[string]bool{} // files below all that are left
	for len(left) > 0 {
		next := lowest(left, counts)
		for r, n := range counts {
			if r.from == next && !done[r.to] {
				up += n
			}
		}
		done[next] = true
		delete(left, next)
	}
	return up, all
}

// lowest returns the file of those left that uses the others least, and of
// several the one that is used most.
func lowest(left map[string]bool, counts map[reference]int) string {
	best, bestUses, bestUsed := "", 0, 0
	for _, file := range slices.Sorted(maps.Keys(left)) {
		uses, used := 0, 0
		for r, n := range counts {
			switch {
			case r.from == file && left[r.to]:
				uses += n
			case r.to == file && left[r.from]:
				used += n
			}
		}
		if best == "" || uses < bestUses || uses == bestUses && used > bestUsed {
			best, bestUses, bestUsed = file, uses, used
		}
	}
	return best
}

package main

import (
	"regexp"
	"regexp/syntax"
	"slices"
	"strings"
)

// further is how often a part is repeated that a pattern does not bound.
const further = 3

// texts returns texts that a pattern matches: the shortest and the longest,
// with the first and the last character of each class, by each alternative.
func texts(pattern string) []string {
	tree, err := syntax.Parse(pattern, syntax.Perl)
	if err != nil {
		panic(err)
	}
	var all []string
	for alternative := range 4 {
		for _, last := range []bool{false, true} {
			for _, long := range []bool{false, true} {
				all = append(all, text(tree, form{alternative, last, long}))
			}
		}
	}
	slices.Sort(all)
	return slices.DeleteFunc(slices.Compact(all), func(text string) bool {
		return text == "" || !regexp.MustCompile(pattern).MatchString(text)
	})
}

// form is which of the texts of a pattern is meant.
type form struct {
	alternative int  // of each choice
	last        bool // the last character of a class, else the first
	long        bool // as often as possible, else as rarely
}

// text returns one text of a pattern.
func text(tree *syntax.Regexp, f form) string {
	switch tree.Op {
	case syntax.OpLiteral:
		return string(tree.Rune)
	case syntax.OpCharClass:
		return string(character(tree.Rune, f.last))
	case syntax.OpAnyChar, syntax.OpAnyCharNotNL:
		return "a"
	case syntax.OpAlternate:
		return text(tree.Sub[f.alternative%len(tree.Sub)], f)
	case syntax.OpConcat, syntax.OpCapture:
		var b strings.Builder
		for _, part := range tree.Sub {
			b.WriteString(text(part, f))
		}
		return b.String()
	case syntax.OpStar, syntax.OpPlus, syntax.OpQuest, syntax.OpRepeat:
		least, most := repeats(tree)
		if f.long {
			least = most
		}
		return strings.Repeat(text(tree.Sub[0], f), least)
	}
	return "" // the begin and the end of the text
}

func repeats(tree *syntax.Regexp) (least, most int) {
	switch tree.Op {
	case syntax.OpStar:
		return 0, further
	case syntax.OpPlus:
		return 1, further
	case syntax.OpQuest:
		return 0, 1
	}
	if tree.Max < 0 {
		return tree.Min, tree.Min + further
	}
	return tree.Min, tree.Max
}

// character returns the first or the last printable character of a class.
func character(ranges []rune, last bool) rune {
	const firstPrintable, lastPrintable = '!', '~'
	var all []rune
	for i := 0; i < len(ranges); i += 2 {
		for c := max(ranges[i], firstPrintable); c <= min(ranges[i+1], lastPrintable); c++ {
			all = append(all, c)
		}
	}
	if last {
		return all[len(all)-1]
	}
	return all[0]
}

// others returns texts near those of a pattern that it does not match.
func others(pattern string) []string {
	matches := regexp.MustCompile(pattern).MatchString
	var all []string
	for _, text := range texts(pattern) {
		near := []string{text + text[len(text)-1:], text + "!", text[:len(text)-1]}
		for _, first := range []string{"!", " ", "_", "-", ".", "0", "a", "A"} {
			near = append(near, first+text, first+text[1:])
		}
		for _, near := range near {
			if near != "" && !matches(near) {
				all = append(all, near)
			}
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

package parser

import (
	"fmt"
	"strings"

	"github.com/tokenvend/tokenvend/pkg/descriptor"
)

// phrases refuses phrases that would match nearly any error.
func (p *problems) phrases(e descriptor.Errors) {
	const shortest, longest = 3, 100
	seen := map[string]descriptor.Meaning{}
	next := map[descriptor.Meaning]int{} // the index of a list's next phrase
	for meaning, phrase := range e.Phrases() {
		path := fmt.Sprintf("errors.%s[%d]", meaning, next[meaning])
		next[meaning]++
		if len(phrase) < shortest && !descriptor.IsNumber(phrase) || len(phrase) > longest {
			p.add(path, "expected %d to %d characters, or a number", shortest, longest)
		}
		if other, twice := seen[strings.ToLower(phrase)]; twice && other != meaning {
			p.add(path, "stands in errors.%s too", other)
		}
		seen[strings.ToLower(phrase)] = meaning
	}
}

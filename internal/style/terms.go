package main

import (
	"maps"
	"regexp"
	"slices"
	"strings"
	"unicode"
)

// words are parts of identifiers, in lower case, with the terms that replace
// them. An identifier is split where a capital letter follows a small one.
var words = map[string]string{
	"bury":      "mark deleted",
	"buries":    "mark deleted",
	"buried":    "deleted",
	"complaint": "OAuth error",
	"desk":      "Service",
	"door":      "server",
	"errand":    "request",
	"flies":     "is sent",
	"fly":       "send",
	"house":     "server, world",
	"judge":     "classify, decide",
	"judged":    "classified, decided",
	"judges":    "classifies, decides",
	"keeper":    "store, cache",
	"lend":      "candidate credentials",
	"lends":     "candidate credentials",
	"lender":    "candidate credentials",
	"lenders":   "candidate credentials",
	"lent":      "candidate credentials",
	"patience":  "stale wait, timeout",
	"people":    "resource owner, user",
	"seize":     "acquire",
	"seizes":    "acquire",
	"seized":    "acquired",
	"speak":     "protocol, descriptor",
	"speaks":    "protocol, descriptor",
	"sweep":     "Rotator, pass",
	"sweeper":   "Rotator",
	"unstored":  "not persisted",
	"verdict":   "classification",
	"withheld":  "scopes not granted",
}

// whole are identifiers with the terms that replace them.
var whole = map[string]string{
	"Ahead":              "Proactive",
	"Ask":                "TokenRequest",
	"BringsBack":         "authorization response",
	"Insist":             "IgnoreBackoff",
	"Made":               "request digest",
	"NeedsReauthorizing": "ReauthorizationRequired",
	"flight":             "call",
	"ownRow":             "credentialRecord",
	"proven":             "authenticated, checked",
	"room":               "package",
	"rooms":              "packages",
	"settled":            "last synced",
	"stretch":            "jitter",
	"surelyOver":         "expired at the provider",
	"told":               "API error",
	"newVault":           "secret store",
	"vault":              "secret store",
	"wish":               "soft minimum TTL",
}

// types are names of types with the terms that replace them.
var types = map[string]string{
	"Answer": "TokenResponse, response",
	"View":   "snapshot",
	"view":   "snapshot, page",
}

// phrases are parts of comments, strings and pages, with what replaces them.
var phrases = map[string]string{
	`(?:says?|tells?) whether`:         "reports whether",
	`bring\w*(?: \w+){0,4} into being`: "obtain, request, mint",
	`(?:come|comes|came|coming) by`:    "obtain",
	`own rows?`:                        "credential record",
	`(?:the|this|of a) house`:          "the server, the module",
	`front door`:                       "HTTP server",
	`lenders?`:                         "candidate credentials",
	`lent`:                             "candidate credentials",
	`lends?`:                           "candidate credentials",
	`proofs? of (?:a|the) client`:      "client authentication",
	`keepers?`:                         "store, cache",
	`bur(?:y|ies|ied)`:                 "mark deleted",
	`seiz(?:e|es|ed|ing)`:              "acquire",
	`surely over`:                      "expired at the provider",
	`errands?`:                         "request",
	`complaints?`:                      "OAuth error",
	`verdicts?`:                        "classification",
	`vend\.Desk`:                       "vend.Service",
	`rotate\.Sweep`:                    "rotate.Rotator",
	`speaks? of`:                       "describe, mention",
	`knows better`:                     "state the rule",
	`how (?:a|the|an) (?:token )?endpoint speaks`: "descriptor",
}

var anyPhrase = compile()

func compile() *regexp.Regexp {
	all := slices.Sorted(maps.Keys(phrases))
	return regexp.MustCompile(`(?i)\b(?:` + strings.Join(all, "|") + `)\b`)
}

// termFor returns what replaces an identifier, or "".
func termFor(name string) string {
	if instead, ok := whole[name]; ok {
		return instead
	}
	for _, word := range split(name) {
		if instead, ok := words[strings.ToLower(word)]; ok {
			return instead
		}
	}
	return ""
}

// split returns the words of an identifier.
func split(name string) []string {
	var parts []string
	start := 0
	runes := []rune(name)
	for i := 1; i < len(runes); i++ {
		if unicode.IsUpper(runes[i]) && !unicode.IsUpper(runes[i-1]) || runes[i] == '_' {
			parts = append(parts, strings.Trim(string(runes[start:i]), "_"))
			start = i
		}
	}
	return append(parts, strings.Trim(string(runes[start:]), "_"))
}

// checkText finds phrases, also across the lines of a text.
func checkText(file string, line int, text string) []finding {
	var found []finding
	joined := strings.ReplaceAll(text, "\n", " ")
	for _, at := range anyPhrase.FindAllStringIndex(joined, -1) {
		n := line + strings.Count(text[:at[0]], "\n")
		found = append(
			found,
			finding{file, n, "phrase \"" + joined[at[0]:at[1]] + "\": " + insteadOf(joined[at[0]:at[1]])},
		)
	}
	return found
}

func insteadOf(match string) string {
	for pattern, instead := range phrases {
		if regexp.MustCompile(`(?i)^(?:` + pattern + `)$`).MatchString(match) {
			return instead
		}
	}
	return ""
}

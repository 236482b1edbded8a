package local

import (
	"path/filepath"
	"strings"

	"github.com/tokenvend/tokenvend/pkg/redact"
)

// demoKey is the key of a demo for which none was given: id and secret are the same.
const demoKey = "local"

// signers are the keys that may sign.
type signers struct {
	keys     []Key  // each with its ARN
	operator Key    // what the operator's program signs with
	user     string // the operator's key as curl's --user takes it, for a shell; a secret that somebody chose does not stand in it
}

func signersOf(c Config) (signers, error) {
	keys, user := c.Keys, ""
	switch {
	case len(keys) > 0:
		user = operators(keys).ID + ":<its secret>"
	case c.Demo:
		keys, user = []Key{{ID: demoKey, Secret: redact.New(demoKey)}}, demoKey+":"+demoKey
	default:
		path := filepath.Join(c.data(), "key")
		k, err := keyFrom(path)
		if err != nil {
			return signers{}, err
		}
		keys, user = []Key{k}, "$(cat "+shellWord(path)+")"
	}
	return signers{keys: principals(keys), operator: operators(keys), user: user}, nil
}

// shellWord is s as one word of a POSIX shell.
func shellWord(s string) string {
	plain := func(r rune) bool {
		return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("/._-", r)
	}
	if s != "" && strings.IndexFunc(s, func(r rune) bool { return !plain(r) }) < 0 {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}

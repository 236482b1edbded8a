package local

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/tokenvend/tokenvend/pkg/private"
	"github.com/tokenvend/tokenvend/pkg/redact"
)

// demoKey is the operator's key of a demo for which no key was given: id and
// secret are the same.
const demoKey = "local"

// signers are the keys that requests may be signed with.
type signers struct {
	keys     []Key  // each with its ARN
	operator Key    // what the operator's program signs with
	user     string // that key as curl's --user takes it, for a shell; without its secret, unless everybody knows it
}

// signersOf returns the keys that were given, and the operator's key of the
// data folder. Only a demo without any key given has a well-known one instead.
func signersOf(c Config, owners private.Owners) (signers, error) {
	if c.Demo && len(c.Keys) == 0 {
		k := Key{ID: demoKey, Secret: redact.New(demoKey), Operator: true}
		return signers{keys: principals([]Key{k}), operator: k, user: demoKey + ":" + demoKey}, nil
	}
	path := filepath.Join(c.data(), keyFile)
	k, err := keyFrom(path, owners)
	if err != nil {
		return signers{}, err
	}
	for _, given := range c.Keys {
		if given.ID == k.ID {
			return signers{}, fmt.Errorf("%s: expected another id than that of the operator's key in %s",
				given.Flag(), path)
		}
	}
	all := append(slices.Clone(c.Keys), k)
	return signers{keys: principals(all), operator: k, user: "$(cat " + shellWord(path) + ")"}, nil
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

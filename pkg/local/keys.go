package local

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"github.com/tokenvend/tokenvend/pkg/private"
	"github.com/tokenvend/tokenvend/pkg/redact"
)

// demoKey is the operator's key of a demo for which no key was given: id and
// secret are the same.
const demoKey = "local"

// signingKeys are the keys that requests may be signed with.
type signingKeys struct {
	all      []Key
	operator Key // the operator's program signs with it

	// curlUser is the operator's key as a word for curl's --user in a shell. It
	// shows no secret but that of the demo's key.
	curlUser string
}

// signingKeysOf returns the keys that were given, and the operator's key of the
// data folder. Only a demo without any key given has a well-known one instead.
func signingKeysOf(c Config, owners private.Owners) (signingKeys, error) {
	if c.Demo && len(c.Keys) == 0 {
		k := Key{ID: demoKey, Secret: redact.New(demoKey), Operator: true}
		return signingKeys{all: []Key{k}, operator: k, curlUser: demoKey + ":" + demoKey}, nil
	}
	path := c.dataFolder().KeyFile()
	k, err := readOrCreateKey(path, owners)
	if err != nil {
		return signingKeys{}, err
	}
	for _, given := range c.Keys {
		if given.ID == k.ID {
			return signingKeys{}, fmt.Errorf("%s: expected another id than that of the operator's key in %s",
				given.Flag(), path)
		}
	}
	return signingKeys{
		all: append(slices.Clone(c.Keys), k), operator: k, curlUser: "$(cat " + shellWord(path) + ")",
	}, nil
}

// readOrCreateKey reads the operator's key in the file at path, and writes one
// at random where there is none. The caller has locked the data folder.
func readOrCreateKey(path string, owners private.Owners) (Key, error) {
	text, err := owners.ReadSecret(path)
	if errors.Is(err, fs.ErrNotExist) {
		text = []byte("local-" + rand.Text()[:8] + ":" + rand.Text() + "\n")
		err = private.ReplaceFile(path, text)
	}
	if err != nil {
		return Key{}, err
	}
	k, err := ParseKey(strings.TrimSpace(string(text)))
	if err != nil {
		return Key{}, fmt.Errorf("%s: %w", path, err)
	}
	k.Operator = true
	return k, nil
}

// shellWord returns s as one word of a POSIX shell.
func shellWord(s string) string {
	plain := func(r rune) bool {
		return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("/._-", r)
	}
	if s != "" && strings.IndexFunc(s, func(r rune) bool { return !plain(r) }) < 0 {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}

package credential

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"maps"
	"slices"

	"github.com/tokenvend/tokenvend/pkg/descriptor"
)

// HasLogin reports whether the client's own tokens belong to secrets that may
// name or prove an account: named secrets, or the client secret of a login.
func (c Credential) HasLogin() bool { return len(c.login()) > 0 }

// MAC returns an HMAC-SHA256 in hex of those secrets, or "" if there are none.
// It reveals nothing of them without the key.
func (c Credential) MAC(key []byte) string {
	texts := c.login()
	if len(texts) == 0 {
		return ""
	}
	sum := hmac.New(sha256.New, key)
	for _, text := range texts {
		sum.Write(binary.BigEndian.AppendUint64(nil, uint64(len(text))))
		sum.Write([]byte(text))
	}
	return hex.EncodeToString(sum.Sum(nil)[:digestBytes])
}

// login returns the names and values of those secrets.
func (c Credential) login() []string {
	var texts []string
	for _, name := range slices.Sorted(maps.Keys(c.Secrets)) {
		texts = append(texts, "secrets."+name, c.Secrets[name].Reveal())
	}
	isLogin := c.Grant == descriptor.Password || c.Grant == descriptor.Login
	if isLogin && !c.Secret.IsZero() {
		texts = append(texts, "client_secret", c.Secret.Reveal())
	}
	return texts
}

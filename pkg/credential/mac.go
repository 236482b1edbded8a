package credential

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"maps"
	"slices"
)

// HasLogin reports whether the client's own tokens belong to secrets that may
// name or prove an account: named secrets, or the client secret of a login.
func (c Credential) HasLogin() bool { return len(c.login()) > 0 }

// NoLogin is the MAC of a credential without such secrets. "" is what older
// programs noted, of any.
const NoLogin = "none"

// MAC returns an HMAC-SHA256 in hex of those secrets, or [NoLogin] if there are
// none. It reveals nothing of them without the key.
func (c Credential) MAC(key []byte) string {
	texts := c.login()
	if len(texts) == 0 {
		return NoLogin
	}
	sum := hmac.New(sha256.New, key)
	for _, text := range texts {
		sum.Write(binary.BigEndian.AppendUint64(nil, uint64(len(text))))
		sum.Write([]byte(text))
	}
	return hex.EncodeToString(sum.Sum(nil)[:digestBytes])
}

// SameAccount reports whether the named secrets of both are the same, but for
// the password of an account.
func (c Credential) SameAccount(other Credential) bool {
	account := func(c Credential) map[string]string {
		texts := map[string]string{}
		for name, value := range c.Secrets {
			if name != passwordName {
				texts[name] = value.Reveal()
			}
		}
		return texts
	}
	return maps.Equal(account(c), account(other))
}

// passwordName is the named secret that proves an account and names none (RFC
// 6749 §4.3).
const passwordName = "password" // #nosec G101 -- a name

// login returns the names and values of those secrets.
func (c Credential) login() []string {
	var texts []string
	for _, name := range slices.Sorted(maps.Keys(c.Secrets)) {
		texts = append(texts, "secrets."+name, c.Secrets[name].Reveal())
	}
	if c.Grant.IsLogin() && !c.Secret.IsZero() {
		texts = append(texts, "client_secret", c.Secret.Reveal())
	}
	return texts
}

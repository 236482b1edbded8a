package main

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/hmac"
	"crypto/rsa"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"math/big"
	"slices"
	"strings"
	"time"
)

// jwtRule says what a JWT has. Header and Claims have the members and no
// others, but for those of Optional, which may be absent.
type jwtRule struct {
	// Prefix stands before the JWT, such as "Bearer ".
	Prefix string `json:"prefix"`
	Alg    string `json:"alg"`
	// Secret is the key of HS256. "": the credential's private key signs.
	Secret   string            `json:"secret"`
	Header   map[string]member `json:"header"` // besides alg
	Claims   map[string]member `json:"claims"`
	Optional []string          `json:"optional"`
}

// member says what a member of a JWT is. One field is set.
type member struct {
	Is  any  `json:"is"`
	Any bool `json:"any"`
	// UUID, Unique: a UUID; a text of at least 16 characters.
	UUID   bool `json:"uuid"`
	Unique bool `json:"unique"`
	// Hex: an even number of at least 16 hexadecimal digits.
	Hex bool `json:"hex"`
	// Now: a time, so many seconds from now at least and at most.
	Now []int64 `json:"now"`
	// AfterIAT, AfterNBF: a time, so many seconds after another claim.
	AfterIAT []int64 `json:"after_iat"`
	AfterNBF []int64 `json:"after_nbf"`
}

// check returns what is wrong with a JWT, or "".
func (r jwtRule) check(text string, c *checking) string {
	text, found := strings.CutPrefix(text, r.Prefix)
	parts := strings.Split(text, ".")
	if !found || len(parts) != 3 {
		return fmt.Sprintf("= %q, want %q and a JWT", text, r.Prefix)
	}
	header, err := unpack(parts[0])
	if err != nil {
		return "has a header that is no JSON: " + err.Error()
	}
	claims, err := unpack(parts[1])
	if err != nil {
		return "has claims that are no JSON: " + err.Error()
	}
	if header["alg"] != r.Alg {
		return fmt.Sprintf("has alg %v, want %s", header["alg"], r.Alg)
	}
	delete(header, "alg")
	problems := r.members("header", header, r.Header, c)
	problems = append(problems, r.members("claims", claims, r.Claims, c)...)
	if !r.verifies(c, parts[0]+"."+parts[1], parts[2]) {
		problems = append(problems, "signature is not valid")
	}
	return strings.Join(problems, "; ")
}

func unpack(part string) (map[string]any, error) {
	data, err := base64.RawURLEncoding.DecodeString(part)
	if err != nil {
		return nil, err
	}
	var members map[string]any
	d := json.NewDecoder(strings.NewReader(string(data)))
	d.UseNumber()
	return members, d.Decode(&members)
}

func (r jwtRule) members(what string, got map[string]any, want map[string]member, c *checking) []string {
	var problems []string
	for _, name := range slices.Sorted(maps.Keys(want)) {
		value, given := got[name]
		rule := want[name]
		if name == "scope" {
			value, rule.Is = sorted(value), sorted(rule.Is)
		}
		switch problem := rule.check(value, got, c); {
		case !given && slices.Contains(r.Optional, name):
		case !given:
			problems = append(problems, what+"."+name+" is missing")
		case problem != "":
			problems = append(problems, what+"."+name+" "+problem)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(got)) {
		if _, wanted := want[name]; !wanted {
			problems = append(problems, what+"."+name+" is not expected")
		}
	}
	return problems
}

// check returns what is wrong with a member, or "".
func (m member) check(got any, all map[string]any, c *checking) string {
	text, _ := got.(string)
	switch {
	case m.Any:
		return ""
	case m.UUID:
		return unless(uuidForm.MatchString(text), "= %v, want a UUID", got)
	case m.Unique:
		return unless(len(text) >= 16, "= %v, want a random text", got)
	case m.Hex:
		raw, err := hex.DecodeString(text)
		return unless(err == nil && len(raw) >= 8, "= %v, want random hexadecimal digits", got)
	case m.Now != nil:
		return between(got, c.since.Unix(), time.Now().Unix(), m.Now)
	case m.AfterIAT != nil:
		return between(got, seconds(all["iat"]), seconds(all["iat"]), m.AfterIAT)
	case m.AfterNBF != nil:
		return between(got, seconds(all["nbf"]), seconds(all["nbf"]), m.AfterNBF)
	}
	return equal(got, m.Is)
}

func seconds(value any) int64 {
	number, _ := value.(json.Number)
	n, _ := number.Int64()
	return n
}

// between compares a time with bounds that count from the earlier and from the
// later of two times.
func between(got any, earlier, later int64, bounds []int64) string {
	at, slack := seconds(got), int64(tolerance/time.Second)
	isIn := at >= earlier+bounds[0]-slack && at <= later+bounds[1]
	return unless(isIn, "is %d seconds off, want %v", at-later, bounds)
}

// verifies reports whether a signature is right.
func (r jwtRule) verifies(c *checking, text, encoded string) bool {
	signature, err := base64.RawURLEncoding.DecodeString(encoded)
	hash, known := map[string]crypto.Hash{
		"256": crypto.SHA256, "384": crypto.SHA384, "512": crypto.SHA512,
	}[strings.TrimLeft(r.Alg, "RSPEH")]
	if err != nil || !known {
		return false
	}
	if r.Secret != "" {
		mac := hmac.New(hash.New, []byte(r.Secret))
		mac.Write([]byte(text))
		return hmac.Equal(mac.Sum(nil), signature)
	}
	h := hash.New()
	h.Write([]byte(text))
	switch key := c.public.(type) {
	case *ecdsa.PublicKey:
		half := len(signature) / 2
		x, y := new(big.Int).SetBytes(signature[:half]), new(big.Int).SetBytes(signature[half:])
		return len(signature) == 64 && ecdsa.Verify(key, h.Sum(nil), x, y)
	case *rsa.PublicKey:
		if strings.HasPrefix(r.Alg, "PS") {
			salt := &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash}
			return rsa.VerifyPSS(key, hash, h.Sum(nil), signature, salt) == nil
		}
		return rsa.VerifyPKCS1v15(key, hash, h.Sum(nil), signature) == nil
	}
	return false
}

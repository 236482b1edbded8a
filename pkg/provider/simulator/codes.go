package simulator

import (
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"regexp"
	"time"
)

const (
	codeLife = 10 * time.Minute // Doorkeeper's default, and the maximum that RFC 6749 §4.1.2 recommends
	maxCode  = 5_000            // per provider; the oldest are dropped
)

// code is an authorization code.
type code struct {
	grant
	redirect  string
	challenge string // "": none
	expires   time.Time
	redeemed  bool
	family    int // of the tokens that it was exchanged for
}

// codeError is why a code cannot be exchanged. The zero value means that it
// can.
type codeError int

const (
	codeValid codeError = iota
	unknownCode
	otherClient
	otherRedirect
	noVerifier
	unexpectedVerifier
	wrongVerifier
	usedCode
	expiredCode
)

// issueCode returns a new authorization code for a grant. challenge is of the
// method S256; "": none.
func (c *call) issueCode(g grant, redirect, challenge string) string {
	value := c.newCode()
	k := &code{grant: g, redirect: redirect, challenge: challenge, expires: c.now.Add(codeLife)}
	c.codes.put(value, k, maxCode, func(*code) bool { return false }) // keeps redeemed and expired codes too
	return value
}

// exchange redeems the code of the request and issues its tokens, or returns
// why it does not.
func (c *call) exchange(client string) (*access, *refresh, codeError) {
	k, ok := c.codes.get(c.param("code"))
	if !ok {
		return nil, nil, unknownCode
	}
	if wrong := c.checkCode(k, client); wrong != codeValid {
		return nil, nil, wrong
	}
	k.redeemed = true
	a, r := c.issue(k.grant, nil)
	k.family = a.family
	return a, r, codeValid
}

// checkCode checks a code in Doorkeeper's order. Whether it was redeemed before
// is checked near the end: only a client that has its redirect_uri and verifier
// can cause its tokens to be revoked.
//
// Revoked are all tokens that descend from the code, as RFC 6749 §4.1.2
// recommends. Doorkeeper revokes the first pair only, and only if its table has
// the column access_token_id
// (AuthorizationCodeRequest#revoke_token_issued_for_grant). League only refuses
// the code (AuthCodeGrant::validateAuthorizationCode). The simulator has the
// strictest behaviour.
func (c *call) checkCode(k *code, client string) codeError {
	verifier := c.param("code_verifier")
	switch {
	case k.client != client:
		return otherClient
	case k.redirect != c.param("redirect_uri"):
		return otherRedirect
	case k.challenge != "" && verifier == "":
		return noVerifier
	case k.challenge == "" && verifier != "":
		return unexpectedVerifier
	case k.challenge != "" && !verifierMatches(verifier, k.challenge):
		return wrongVerifier
	case k.redeemed:
		c.revokeFamily(k.family)
		return usedCode
	case !c.now.Before(k.expires):
		return expiredCode
	}
	return codeValid
}

// verifierForm is the syntax of RFC 7636 §4.1.
var verifierForm = regexp.MustCompile(`^[A-Za-z0-9._~-]{43,128}$`)

func verifierMatches(verifier, challenge string) bool {
	sum := sha256.Sum256([]byte(verifier))
	return verifierForm.MatchString(verifier) && base64.RawURLEncoding.EncodeToString(sum[:]) == challenge
}

// isChallenge reports whether a text can be a code challenge of the method
// S256: 32 bytes in base64url without padding.
func isChallenge(text string) bool {
	b, err := base64.RawURLEncoding.Strict().DecodeString(text)
	return err == nil && len(b) == sha256.Size && len(text) == base64.RawURLEncoding.EncodedLen(sha256.Size)
}

// IssueCode returns the code that the button Allow of the authorize page sends
// to redirectURI. challenge is of the method S256; "": none.
func (s *Simulator) IssueCode(name, clientID, person, scope, redirectURI, challenge string) (code string, err error) {
	var wrong error
	err = s.with(name, func(p *provider) {
		if wrong = p.checkGrant(clientID, person, scope, redirectURI, challenge); wrong == nil {
			c := &call{provider: p, now: time.Now()}
			code = c.issueCode(grant{client: clientID, subject: person, scope: scope}, redirectURI, challenge)
		}
	})
	return code, errors.Join(err, wrong)
}

func (p *provider) checkGrant(clientID, person, scope, redirectURI, challenge string) error {
	client, known := p.registered(clientID)
	switch {
	case p.authorize == "" || person == "":
		return fmt.Errorf("simulator: %s knows no such person", p.name)
	case !known:
		return fmt.Errorf("simulator: %s knows no such client", p.name)
	case !client.allowsRedirect(redirectURI):
		return fmt.Errorf("simulator: %s does not send anyone to this redirect URI", p.name)
	case !client.grants(scope):
		return fmt.Errorf("simulator: the client may not ask %s for this scope", p.name)
	case challenge != "" && !isChallenge(challenge):
		return errors.New("simulator: the challenge is none of the method S256")
	}
	return nil
}

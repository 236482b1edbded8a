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
	codeLife = 10 * time.Minute // Doorkeeper's default, and the longest that RFC 6749, section 4.1.2 recommends
	maxCode  = 5_000            // the most codes one provider remembers; the oldest are forgotten first
)

// code is an authorization code.
type code struct {
	grant
	redirect  string
	challenge string // "": none was given
	expires   time.Time
	spent     bool
	family    int // of what it was exchanged for
}

// flaw is what is wrong with the exchange of a code.
type flaw int

const (
	sound flaw = iota
	unknownCode
	anothersCode
	otherRedirect
	noVerifier
	unaskedVerifier
	wrongVerifier
	usedCode
	oldCode
)

// issueCode is what a person's consent ends in. Challenge is PKCE's, always S256; "": none.
func (c *call) issueCode(g grant, redirect, challenge string) string {
	value := c.newCode()
	k := &code{grant: g, redirect: redirect, challenge: challenge, expires: c.now.Add(codeLife)}
	c.codes.put(value, k, maxCode, func(*code) bool { return false }) // also a used or an old one is to be known again
	return value
}

// exchange spends the request's code, and issues what it stands for. On a refusal it says what is wrong.
func (c *call) exchange(client string) (*access, *refresh, flaw) {
	k, ok := c.codes.get(c.param("code"))
	if !ok {
		return nil, nil, unknownCode
	}
	if wrong := c.judge(k, client); wrong != sound {
		return nil, nil, wrong
	}
	k.spent = true
	a, r := c.issue(k.grant, nil)
	k.family = a.family
	return a, r, sound
}

// judge goes in Doorkeeper's order: that a code was used counts against it last, so only who can prove that it is his (redirect_uri, verifier) can have its tokens revoked.
//
// Those are all the tokens that descend from it, as RFC 6749, section 4.1.2 recommends. Doorkeeper ends the first pair only, and only where its table has the column access_token_id (AuthorizationCodeRequest#revoke_token_issued_for_grant); League
// merely refuses (AuthCodeGrant::validateAuthorizationCode). We play the harshest.
func (c *call) judge(k *code, client string) flaw {
	verifier := c.param("code_verifier")
	switch {
	case k.client != client:
		return anothersCode
	case k.redirect != c.param("redirect_uri"):
		return otherRedirect
	case k.challenge != "" && verifier == "":
		return noVerifier
	case k.challenge == "" && verifier != "":
		return unaskedVerifier
	case k.challenge != "" && !proves(verifier, k.challenge):
		return wrongVerifier
	case k.spent:
		c.endFamily(k.family)
		return usedCode
	case !c.now.Before(k.expires):
		return oldCode
	}
	return sound
}

// verifierForm is RFC 7636, section 4.1.
var verifierForm = regexp.MustCompile(`^[A-Za-z0-9._~-]{43,128}$`)

func proves(verifier, challenge string) bool {
	sum := sha256.Sum256([]byte(verifier))
	return verifierForm.MatchString(verifier) && base64.RawURLEncoding.EncodeToString(sum[:]) == challenge
}

// isChallenge says whether the text can be an S256 challenge: 32 bytes, base64url without padding.
func isChallenge(text string) bool {
	b, err := base64.RawURLEncoding.Strict().DecodeString(text)
	return err == nil && len(b) == sha256.Size && len(text) == base64.RawURLEncoding.EncodedLen(sha256.Size)
}

// IssueCode is what pressing Allow on the authorize page ends in: a person grants the client access, and the code that would have gone to redirectURI is returned. Challenge is PKCE's, of the method S256; "": none.
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
	case !client.returnsTo(redirectURI):
		return fmt.Errorf("simulator: %s does not send anyone to this redirect URI", p.name)
	case !client.grants(scope):
		return fmt.Errorf("simulator: the client may not ask %s for this scope", p.name)
	case challenge != "" && !isChallenge(challenge):
		return errors.New("simulator: the challenge is none of the method S256")
	}
	return nil
}

package access

// CanReach reports whether any rule at all could admit c to the credential.
// What a caller can never have is refused before anything is looked up.
func (c Caller) CanReach(credential string) bool {
	if c.Via == Own {
		return credential != "" && c.Alias == ownPrefix+credential
	}
	return !c.IsNobody()
}

// MayDiscover reports whether c may have the secret of a credential read that
// is not known yet: by the alias admin, or by the credential's own alias.
// Others would have one read for each name that they make up.
func (c Caller) MayDiscover(credential string) bool {
	return c.Via == Admin || c.Via == Own && c.CanReach(credential)
}

// Identity names c where callers are counted: over the API the user or the
// role, without the name of a session, which its owner chooses freely.
func (c Caller) Identity() string {
	if c.Via != API {
		return c.String()
	}
	p, ok := parsePrincipal(c.ARN)
	if !ok {
		return c.String()
	}
	return p.text()
}

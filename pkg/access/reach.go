package access

// CanReach reports whether any rule could admit c to the credential. If not,
// the request is refused before any lookup.
func (c Caller) CanReach(credential string) bool {
	if c.Via == Own {
		return credential != "" && c.Alias == ownPrefix+credential
	}
	return !c.IsNobody()
}

// MayDiscover reports whether c may cause the secret of an unknown credential
// to be read: by the alias admin, or by the credential's own alias. Other
// callers could cause a read for every name they invent.
func (c Caller) MayDiscover(credential string) bool {
	return c.Via == Admin || c.Via == Own && c.CanReach(credential)
}

// Identity returns the identity by which callers are counted. Over the API it
// is the user or the role, without the session's name, which its owner chooses.
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

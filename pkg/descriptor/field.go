package descriptor

// Field is a standard parameter by its name in the RFCs.
type Field string

// The standard parameters that a descriptor may rename or leave out. RFC 8707
// calls the audience "resource".
const (
	FieldGrantType     Field = "grant_type"
	FieldClientID      Field = "client_id"
	FieldClientSecret  Field = "client_secret"
	FieldScope         Field = "scope"
	FieldAudience      Field = "audience"
	FieldRefreshToken  Field = "refresh_token"
	FieldAssertion     Field = "client_assertion"
	FieldAssertionType Field = "client_assertion_type"
	FieldCode          Field = "code"
	FieldRedirectURI   Field = "redirect_uri"
	FieldCodeVerifier  Field = "code_verifier"
	// FieldResponseType is of the authorization request alone.
	FieldResponseType Field = "response_type"
	// FieldJWT is the assertion of [JWTBearer].
	FieldJWT Field = "assertion"
)

// StandardFields returns the standard parameters of all grants.
func StandardFields() []Field {
	return []Field{
		FieldGrantType, FieldClientID, FieldClientSecret, FieldScope, FieldAudience, FieldRefreshToken,
		FieldAssertion, FieldAssertionType, FieldCode, FieldRedirectURI, FieldCodeVerifier, FieldJWT,
	}
}

// FieldToken is the parameter of the token to revoke (RFC 7009 §2.1).
const FieldToken = "token"

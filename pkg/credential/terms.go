package credential

import (
	"cmp"
	"encoding/json"

	"github.com/tokenvend/tokenvend/pkg/access"
	"github.com/tokenvend/tokenvend/pkg/descriptor"
	"github.com/tokenvend/tokenvend/pkg/token"
)

// Speaks is how the credential's provider speaks: the inline descriptor, or the catalogue's. An error means that this program does not know the provider.
func (t Terms) Speaks() (*descriptor.Descriptor, error) {
	if t.Descriptor != nil {
		return t.Descriptor, nil
	}
	return descriptor.Catalog(t.Provider)
}

// Admits reports whether a caller may know of the credential. Where no version
// of its secret was ever readable, no rule is known, and operators alone may.
func (t Terms) Admits(c access.Caller) bool {
	if t.Malformed {
		return c.IsOperator()
	}
	return t.Allow.Admits(c, t.Name)
}

// Key is the key of what is asked for. To ask for a default by its name is to ask for the default: both have one key.
func (t Terms) Key(account, audience, scope string) token.Key {
	v := token.NewVariant(account, audience, scope)
	if v.Audience == t.Audience {
		v.Audience = ""
	}
	if v.Scope == t.defaults().Scope {
		v.Scope = ""
	}
	return token.Key{Credential: t.Name, Variant: v}
}

// Asks is the scope and the audience that the provider is asked for, for a variant of the credential; "" where it is asked for none.
func (t Terms) Asks(v token.Variant) (scope, audience string) {
	return cmp.Or(v.Scope, t.defaults().Scope), cmp.Or(v.Audience, t.Audience)
}

// Granted says whether a variant's tokens come by a grant that somebody gave, a person's or a refresh token brought from elsewhere. Then only its refresh token brings new ones, and losing that is losing the grant; all others come by client credentials.
func (t Terms) Granted(v token.Variant) bool {
	return v.Account != "" || t.Grant != "" && t.Grant != descriptor.ClientCredentials
}

// Connected says whether a variant's grant is one that a person gives by connecting an account.
func (t Terms) Connected(v token.Variant) bool {
	return v.Account != "" || t.Grant == descriptor.AuthorizationCode
}

// defaultMaxVariants is the bound where a secret names none.
const defaultMaxVariants = 100

// VariantBound returns how many variants callers may have by scope and
// audience, besides the default. Connected accounts do not count.
func (t Terms) VariantBound() int {
	if t.MaxVariants <= 0 {
		return defaultMaxVariants
	}
	return t.MaxVariants
}

func (t Terms) defaults() token.Variant { return token.NewVariant("", t.Audience, t.Scope) }

// LegacyDigest returns the digest that entries of the first format carry: of
// provider, token URL, client id, scope and audience. Entries of the second
// format have [Terms.Destination] and [Terms.RequestDigest] instead.
// "" if this program does not know the provider.
func (t Terms) LegacyDigest(v token.Variant) string {
	d, err := t.Speaks()
	if err != nil {
		return ""
	}
	scope, audience := t.Asks(v)
	return digest(t.identity(), cmp.Or(t.TokenURL, d.Token.URL), t.ClientID, scope, audience)
}

// identity tells providers apart. A catalogued one stays itself when a new release describes it better; an inline one is how it asks for tokens.
func (t Terms) identity() string {
	if t.Descriptor == nil {
		return "name:" + t.Provider
	}
	request, _ := json.Marshal(t.Descriptor.Token) // strings and maps of strings: cannot fail
	return "inline:" + string(request)
}

// UnmarshalJSON reads terms that this or another version of the program has written: fields that are not known are passed over, in an inline descriptor too. [Parse] is the strict way in.
func (t *Terms) UnmarshalJSON(data []byte) error {
	type plain Terms // without methods: else json.Unmarshal would come back here
	type lenient descriptor.Descriptor
	row := struct {
		*plain
		Descriptor *lenient `json:"descriptor"`
	}{plain: (*plain)(t)}
	err := json.Unmarshal(data, &row)
	t.Descriptor = (*descriptor.Descriptor)(row.Descriptor)
	return err
}

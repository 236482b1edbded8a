package local

import (
	"net/http"
	"strings"
	"testing"

	"github.com/tokenvend/tokenvend/internal/signedrequest"
)

const (
	billingARN  = "arn:aws:sts::123456789012:assumed-role/billing/session"
	redirectURI = "&redirect_uri=http%3A%2F%2F127.0.0.1%3A1%2Fconnected"
)

// administration is every request that a caller's key must not make, on the
// credential NAME.
var administration = map[string]signedrequest.Request{
	"list":      {Target: "/tokens"},
	"status":    {Target: "/tokens/NAME/status"},
	"accounts":  {Target: "/tokens/NAME/accounts"},
	"verify":    {Target: "/tokens/NAME/status?verify=true"},
	"authorize": {Target: "/tokens/NAME/authorize?account=alice" + redirectURI},
	"revoke":    {Method: "DELETE", Target: "/tokens/NAME"},
	"connect": {
		Method: "PUT", Target: "/tokens/NAME",
		Body: `{"account":"alice","code":"c","redirect_uri":"http://127.0.0.1:1/connected"}`,
	},
	"recover": {Method: "PUT", Target: "/tokens/NAME", Body: `{"recovery":"AAAA"}`},
	"accept":  {Method: "PUT", Target: "/tokens/NAME", Body: `{"accept":"00000000000000000000000000000000"}`},
	"renew":   {Method: "PUT", Target: "/tokens/NAME", Body: `{"renew":true}`},
}

// with returns a request on a credential, signed with a key. The zero key is
// the operator's in the data folder.
func with(r signedrequest.Request, key Key, credential string) signedrequest.Request {
	r.KeyID, r.Secret = key.ID, key.Secret.Reveal()
	r.Target = strings.ReplaceAll(r.Target, "NAME", credential)
	return r
}

func operatorKey(id, secret, arn string) Key {
	k := newKey(id, secret, arn)
	k.Operator = true
	return k
}

// A caller's key once listed, revoked, connected and recovered like an
// operator.
func TestAttack09_ACallersKeyDoesNotAdminister(t *testing.T) {
	operator := operatorKey("ops", "s3", "")
	billing, plain := newKey("AKIABILLING", "s1", billingARN), newKey("plain", "s2", "")
	r := start(t, Config{Data: t.TempDir(), Demo: true, Keys: []Key{billing, plain, operator}})
	r.token(t, "trackmania")
	for _, key := range []Key{billing, plain} {
		t.Run("caller "+key.ID, func(t *testing.T) { checkCallersKey(t, r, key) })
	}
	for _, key := range []Key{operator, {}} {
		for name, request := range administration {
			t.Run("operator "+key.ID+" "+name, func(t *testing.T) {
				got := r.call(t, with(request, key, "trackmania"))
				if got.Status == http.StatusForbidden || got.Status == http.StatusNotFound {
					t.Errorf("%s with an operator's key = %d %s, want it admitted", name, got.Status, got.Body)
				}
			})
		}
	}
}

func checkCallersKey(t *testing.T, r running, key Key) {
	for name, request := range administration {
		known, unknown := r.call(t, with(request, key, "trackmania")), r.call(t, with(request, key, "nosuch"))
		if known.Status != http.StatusForbidden || !strings.Contains(known.Body, "access_denied") ||
			!strings.Contains(known.Body, "operator's key") {
			t.Errorf("%s = %d %s, want 403 access_denied", name, known.Status, known.Body)
		}
		if unknown.Status != known.Status {
			t.Errorf("%s of a name that does not exist = %d, want %d as of one that does", name, unknown.Status, known.Status)
		}
	}
	for _, request := range []signedrequest.Request{
		{Target: "/tokens/NAME"}, {Method: "POST", Target: "/tokens/NAME", Body: `{"min_ttl":1}`},
	} {
		if got := r.call(t, with(request, key, "trackmania")); got.Status != http.StatusOK {
			t.Errorf("%s /tokens/trackmania = %d %s, want a token", request.Method, got.Status, got.Body)
		}
	}
}

// minutAllowing is a secret of the demo's minut whose credential only these
// principals may have.
func minutAllowing(principal string) string {
	return `{"provider":"minut","client_id":"demo-minut","client_secret":"demo-secret-minut",` +
		`"allow":{"principals":["` + principal + `"]}}`
}

// A rule binds callers' keys. An operator's key is admitted as the alias admin
// is.
func TestOperatorsKeyHasEveryCredential(t *testing.T) {
	operator, plain := operatorKey("ops", "s3", billingARN), newKey("plain", "s2", "")
	r := start(t, Config{Data: t.TempDir(), Demo: true, Keys: []Key{operator, plain}})
	r.put(t, "mine", minutAllowing("arn:aws:iam::123456789012:role/somebody"))
	for _, c := range []struct {
		key  Key
		want int
	}{{operator, http.StatusOK}, {Key{}, http.StatusOK}, {plain, http.StatusNotFound}} {
		got := r.call(t, with(signedrequest.Request{Target: "/tokens/mine"}, c.key, ""))
		if got.Status != c.want {
			t.Errorf("GET /tokens/mine with the key %q = %d %s, want %d", c.key.ID, got.Status, got.Body, c.want)
		}
	}
}

// An id that is both an operator's and a caller's could mean either.
func TestOperatorsKeyIsNoCallersKey(t *testing.T) {
	data := t.TempDir()
	write(t, data+"/key", "folder:s\n", 0o600)
	for _, secret := range []string{"s", "other"} {
		keys := []Key{newKey("folder", secret, "")}
		err := Serve(t.Context(), Config{Data: data, Listen: "127.0.0.1:0", Keys: keys})
		if err == nil || !strings.Contains(err.Error(), "--key: expected another id") {
			t.Errorf("Serve() with the id of the folder's key for a caller = %v, want another id expected", err)
		}
	}
}

// STS does not report a role's path: a pattern with one admitted every path.
func TestAttack10_ARolesPathIsNoPartOfAPattern(t *testing.T) {
	evil := newKey("evil", "s1", "arn:aws:sts::123456789012:assumed-role/svc-evil/session") // of role/dev/svc-evil
	r := start(t, Config{Data: t.TempDir(), Demo: true, Keys: []Key{evil}})
	r.put(t, "mine", minutAllowing("arn:aws:iam::123456789012:role/prod/svc-*"))
	get := signedrequest.Request{Target: "/tokens/mine"}
	if got := r.call(t, with(get, evil, "")); got.Status == http.StatusOK {
		t.Errorf("GET /tokens/mine by role/dev/svc-evil = 200, want it refused: it is for role/prod/svc-*")
	}
	got := r.call(t, get)
	if got.Status == http.StatusOK || !strings.Contains(got.Body, "allow.principals[0]") ||
		!strings.Contains(got.Body, "arn:aws:iam::123456789012:role/svc-*") {
		t.Errorf("GET /tokens/mine by an operator = %d %s, want the field and what to write", got.Status, got.Body)
	}
}

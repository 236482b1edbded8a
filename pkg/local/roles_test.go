package local

import (
	"net/http"
	"strings"
	"testing"
)

const connectTo = "&redirect_uri=http%3A%2F%2F127.0.0.1%3A1%2Fconnected"

// administration is every request that is not for a caller's key.
var administration = map[string]order{
	"list":      {target: "/tokens"},
	"status":    {target: "/tokens/NAME/status"},
	"verify":    {target: "/tokens/NAME/status?verify=true"},
	"authorize": {target: "/tokens/NAME/authorize?account=alice" + connectTo},
	"revoke":    {method: "DELETE", target: "/tokens/NAME"},
	"connect":   {method: "PUT", target: "/tokens/NAME", body: `{"account":"alice","code":"c","redirect_uri":"http://127.0.0.1:1/connected"}`},
	"recover":   {method: "PUT", target: "/tokens/NAME", body: `{"recovery":"AAAA"}`},
	"accept":    {method: "PUT", target: "/tokens/NAME", body: `{"accept":"00000000000000000000000000000000"}`},
	"renew":     {method: "PUT", target: "/tokens/NAME", body: `{"renew":true}`},
}

// A caller's key once listed, revoked, connected and recovered like an operator.
func TestAttack09_ACallersKeyDoesNotAdminister(t *testing.T) {
	operator := local("ops", "s3", "")
	operator.Operator = true
	keys := []Key{local("AKIABILLING", "s1", pretendedARN), local("plain", "s2", ""), operator}
	r := start(t, Config{Data: t.TempDir(), Demo: true, Keys: keys})
	r.token(t, "trackmania")
	for _, caller := range []order{{id: "AKIABILLING", secret: "s1"}, {id: "plain", secret: "s2"}} {
		for name, o := range administration {
			known, unknown := o.by(caller, "trackmania"), o.by(caller, "nosuch")
			h, other := r.call(t, known), r.call(t, unknown)
			if h.status != http.StatusForbidden || !strings.Contains(h.body, "access_denied") || !strings.Contains(h.body, "operator's key") {
				t.Errorf("%s with the key %s: %d %s, want 403 access_denied", name, caller.id, h.status, h.body)
			}
			if other.status != h.status {
				t.Errorf("%s with the key %s: %d for a name that exists and %d for one that does not", name, caller.id, h.status, other.status)
			}
		}
		for _, o := range []order{{target: "/tokens/NAME"}, {method: "POST", target: "/tokens/NAME", body: `{"min_ttl":1}`}} {
			if h := r.call(t, o.by(caller, "trackmania")); h.status != http.StatusOK {
				t.Errorf("%s with the key %s: %d %s, want a token", o.method, caller.id, h.status, h.body)
			}
		}
	}
	for _, who := range []order{{id: "ops", secret: "s3"}, {}} { // {}: the key in the data folder
		for name, o := range administration {
			if h := r.call(t, o.by(who, "trackmania")); h.status == http.StatusForbidden || h.status == http.StatusNotFound {
				t.Errorf("%s with the operator's key %q: %d %s", name, who.id, h.status, h.body)
			}
		}
	}
}

// by is the order with somebody's key, about a credential.
func (o order) by(who order, name string) order {
	o.id, o.secret = who.id, who.secret
	o.target = strings.ReplaceAll(o.target, "NAME", name)
	return o
}

// A rule binds callers' keys; an operator's key is admitted as the alias admin is.
func TestAnOperatorsKeyHasEveryCredential(t *testing.T) {
	operator := local("ops", "s3", pretendedARN)
	operator.Operator = true
	r := start(t, Config{Data: t.TempDir(), Demo: true, Keys: []Key{operator, local("plain", "s2", "")}})
	r.put(t, "mine", `{"provider":"minut","client_id":"demo-minut","client_secret":"demo-secret-minut","allow":{"principals":["arn:aws:iam::123456789012:role/somebody"]}}`)
	for id, want := range map[string]int{"ops": http.StatusOK, "": http.StatusOK, "plain": http.StatusNotFound} {
		secret := map[string]string{"ops": "s3", "plain": "s2"}[id]
		if h := r.call(t, order{target: "/tokens/mine", id: id, secret: secret}); h.status != want {
			t.Errorf("GET /tokens/mine with the key %q: %d %s, want %d", id, h.status, h.body, want)
		}
	}
}

// An id that is both an operator's and a caller's would be one of the two by chance.
func TestTheOperatorsKeyIsNoCallersKey(t *testing.T) {
	data := t.TempDir()
	write(t, data+"/key", "folder:s\n", 0o600)
	for _, keys := range [][]Key{{local("folder", "s", "")}, {local("folder", "other", "")}} {
		err := Serve(t.Context(), Config{Data: data, Listen: "127.0.0.1:0", Keys: keys})
		if err == nil || !strings.Contains(err.Error(), "--key: expected another id") {
			t.Errorf("Serve with the folder's key as a caller's: %v", err)
		}
	}
}

// STS does not report a role's path: a pattern with one admitted every path.
func TestAttack10_ARolesPathIsNoPartOfAPattern(t *testing.T) {
	evil := local("evil", "s1", "arn:aws:sts::123456789012:assumed-role/svc-evil/session") // of role/dev/svc-evil
	r := start(t, Config{Data: t.TempDir(), Demo: true, Keys: []Key{evil}})
	r.put(t, "mine", `{"provider":"minut","client_id":"demo-minut","client_secret":"demo-secret-minut","allow":{"principals":["arn:aws:iam::123456789012:role/prod/svc-*"]}}`)
	if h := r.call(t, order{target: "/tokens/mine", id: "evil", secret: "s1"}); h.status == http.StatusOK {
		t.Errorf("role/dev/svc-evil is vended what is for role/prod/svc-*")
	}
	h := r.call(t, order{target: "/tokens/mine"})
	if h.status == http.StatusOK || !strings.Contains(h.body, "allow.principals[0]") || !strings.Contains(h.body, "arn:aws:iam::123456789012:role/svc-*") {
		t.Errorf("an operator is told %d %s, want the field and what to write", h.status, h.body)
	}
}

// put writes a credential's file.
func (r running) put(t *testing.T, name, secret string) {
	t.Helper()
	write(t, r.data+"/"+credentialFolder+"/"+name+".json", secret, 0o600)
}

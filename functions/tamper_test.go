package functions_test

import (
	"encoding/binary"
	"hash/crc32"
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/tokenvend/tokenvend/internal/testbed"
	"github.com/tokenvend/tokenvend/pkg/api"
	"github.com/tokenvend/tokenvend/pkg/boot"
	"github.com/tokenvend/tokenvend/pkg/provider/simulator"
	"github.com/tokenvend/tokenvend/pkg/store/dynamo"
	"github.com/tokenvend/tokenvend/pkg/token"
)

// item is a row as it stands in the table, for whoever may write there.
type item map[string]types.AttributeValue

// row reads the row of a key.
func (h *house) row(key token.Key) item {
	h.t.Helper()
	got, err := h.items.GetItem(h.t.Context(), &dynamodb.GetItemInput{TableName: &h.table, ConsistentRead: aws.Bool(true), Key: item{
		dynamo.PartitionKey: &types.AttributeValueMemberS{Value: key.Partition()}, dynamo.SortKey: &types.AttributeValueMemberS{Value: key.Sort()},
	}})
	if err != nil || len(got.Item) == 0 {
		h.t.Fatalf("%v: %d attributes, %v", key, len(got.Item), err)
	}
	return got.Item
}

func (h *house) write(i item) {
	h.t.Helper()
	if _, err := h.items.PutItem(h.t.Context(), &dynamodb.PutItemInput{TableName: &h.table, Item: i}); err != nil {
		h.t.Fatal(err)
	}
}

func (i item) sealed() []byte { return i["sealed"].(*types.AttributeValueMemberB).Value }

// with is a copy that has another value for an attribute.
func (i item) with(name string, value types.AttributeValue) item {
	i = maps.Clone(i)
	i[name] = value
	return i
}

func (i item) sealing(sealed []byte) item {
	return i.with("sealed", &types.AttributeValueMemberB{Value: sealed})
}

func (i item) text(name, value string) item {
	return i.with(name, &types.AttributeValueMemberS{Value: value})
}

// plus is a copy of which a number is greater by n.
func (i item) plus(name string, n int64) item {
	was := int64(0)
	if v, ok := i[name].(*types.AttributeValueMemberN); ok {
		was, _ = strconv.ParseInt(v.Value, 10, 64)
	}
	return i.with(name, &types.AttributeValueMemberN{Value: strconv.FormatInt(was+n, 10)})
}

// flipped is a copy with one bit of the sealed bytes changed.
func (i item) flipped(at int) item {
	sealed := slices.Clone(i.sealed())
	sealed[at] ^= 1
	return i.sealing(sealed)
}

// rewrapped is flipped, in the wrapped data key, by somebody who knows the format and sets the checksum right.
func (i item) rewrapped(at int) item {
	sealed := slices.Clone(i.sealed())
	end := wrapEnd(sealed)
	sealed[at] ^= 1
	binary.BigEndian.PutUint32(sealed[end:], crc32.Checksum(sealed[:end], crc32.MakeTable(crc32.Castagnoli)))
	return i.sealing(sealed)
}

// wrapEnd is where the wrapped data key ends: after the format, its length in two bytes, and itself. A checksum of four bytes, the nonce of twelve, the ciphertext and a tag of sixteen follow.
func wrapEnd(sealed []byte) int { return 3 + int(binary.BigEndian.Uint16(sealed[1:])) }

// vault is a house in which there is something to tamper with.
type vault struct {
	*house
	key                           token.Key
	now, before, another, variant item // minut's entry; as it was a generation before; another credential's; of another scope
	own, anothersOwn              item // the credentials' own rows
}

func newVault(t *testing.T) *vault {
	t.Helper()
	v := &vault{house: newHouse(t, simulator.Options{}), key: token.Key{Credential: "miden"}}
	v.put("miden", "miden", map[string]any{"scope": "read", "allow": map[string]any{"scopes": []string{"write"}}})
	v.put("other", "miden", nil)
	v.start("vend")
	v.token("miden")
	v.before = v.row(v.key)
	v.expect("admin", api.Request{Credential: "miden", Action: api.Revoke}, "")
	v.token("miden")
	v.token("other")
	v.expect("admin", api.Request{Credential: "miden", Scope: "write"}, "")
	v.now, v.another = v.row(v.key), v.row(token.Key{Credential: "other"})
	v.variant = v.row(token.Key{Credential: "miden", Variant: token.NewVariant("", "", "write")})
	v.own, v.anothersOwn = v.row(token.RecordKey("miden")), v.row(token.RecordKey("other"))
	return v
}

// cold starts a process that knows nothing, and answers alone from now on.
func (h *house) cold(env ...string) *testbed.Bootstrap {
	h.t.Helper()
	h.runtimes["vend"] = freshRuntime(h)
	return h.start("vend", env...)
}

// alarmed ends a process, for then all that it said has been read, and says whether it has told, by a line and by the metric, of what does not open.
func alarmed(p *testbed.Bootstrap) bool {
	p.Kill()
	return strings.Contains(p.Output(), `"msg":"integrity"`) && strings.Contains(p.Output(), `"IntegrityFailures":1`)
}

func (h *house) requests() int { return h.sim.Stats().Providers["miden"].TokenRequests }

// attribute is what one holds, of text or bytes.
func (i item) attribute(name string) string {
	switch v := i[name].(type) {
	case *types.AttributeValueMemberS:
		return v.Value
	case *types.AttributeValueMemberB:
		return string(v.Value)
	}
	return ""
}

// refuses puts a row into the table that must not open, and sees it replaced by a new token.
func (v *vault) refuses(what string, changed item) {
	v.t.Helper()
	v.write(changed)
	before, p := v.requests(), v.cold()
	got := v.token("miden")
	for _, stored := range []item{v.now, v.before, v.another, v.variant} {
		if got.Fingerprint == stored.attribute("fingerprint") {
			v.t.Errorf("%s: vended", what)
		}
	}
	if n := v.requests() - before; n != 1 || !v.sim.Accepts("miden", got.AccessToken) || !alarmed(p) {
		v.t.Errorf("%s: %d token requests, alarm %t; want a new token, and the alarm", what, n, alarmed(p))
	}
}

func TestFault54_WhatWasTamperedWithIsNeverVended(t *testing.T) {
	t.Parallel()
	v := newVault(t)
	end, all := wrapEnd(v.now.sealed()), len(v.now.sealed())
	hour := int64(60 * 60 * 1000)
	for what, changed := range map[string]item{
		"a bit of the format":              v.now.flipped(0),
		"a bit of the length":              v.now.flipped(2),
		"a bit of the wrapped data key":    v.now.flipped(end - 1),
		"a bit of the checksum":            v.now.flipped(end),
		"a bit of the nonce":               v.now.flipped(end + 4),
		"a bit of the ciphertext":          v.now.flipped(end + 16),
		"a bit of the tag":                 v.now.flipped(all - 1),
		"the wrapped key's id, knowingly":  v.now.rewrapped(3),
		"the wrapped key's end, knowingly": v.now.rewrapped(end - 1),
		"cut short":                        v.now.sealing(v.now.sealed()[:all-1]),
		"a byte more":                      v.now.sealing(append(slices.Clone(v.now.sealed()), 0)),
		"never sealed":                     v.now.sealing([]byte("\x00" + `{"access_token":"planted"}`)),

		"the generation before in this one's item": v.now.sealing(v.before.sealed()),
		"this generation in the item before":       v.before.sealing(v.now.sealed()),
		"another credential's":                     v.now.sealing(v.another.sealed()),
		"another scope's":                          v.now.sealing(v.variant.sealed()),
		"the credential's own row's":               v.now.sealing(v.own.sealed()),
		"the head of one, the body of another":     v.now.sealing(slices.Concat(v.now.sealed()[:end+4], v.before.sealed()[wrapEnd(v.before.sealed())+4:])),
		"another scope's item, moved":              v.variant.text(dynamo.SortKey, v.key.Sort()),
		"another credential's item, moved":         v.another.text(dynamo.PartitionKey, v.key.Partition()),

		"another generation":    v.now.plus("generation", 1),
		"a later expiry":        v.now.plus("expires_at", hour),
		"a longer use":          v.now.plus("cache_until", hour),
		"another time of issue": v.now.plus("issued_at", -hour),
		"another time to renew": v.now.plus("renew_at", hour),
		"an end of the refresh": v.now.plus("refresh_until", hour),
		"another scope":         v.now.text("scope", "admin"),
		"another type":          v.now.text("type", "MAC"),
		"another fingerprint":   v.now.text("fingerprint", "0123456789abcdef"),
		"a legacy digest":       v.now.text("made", "9f86d081884c7d659f86d081884c7d65"),
		"another state":         v.now.text("state", "revoking"),
		"the first format":      v.now.plus("format", -1),
	} {
		v.refuses(what, changed)
	}
}

func TestFault54_TermsThatWereTamperedWithAreReadFromTheSecret(t *testing.T) {
	t.Parallel()
	v := newVault(t)
	for what, changed := range map[string]item{
		"a bit":                      v.own.flipped(len(v.own.sealed()) - 1),
		"another credential's terms": v.own.sealing(v.anothersOwn.sealed()),
		"another's row, moved":       v.anothersOwn.text(dynamo.SortKey, token.RecordKey("miden").Sort()),
		"an entry's":                 v.own.sealing(v.now.sealed()),
		"never sealed":               v.own.sealing([]byte("\x00" + `{"name":"miden"}`)),
		"another version":            v.own.text("made", v.anothersOwn.attribute("made")),
		"another generation":         v.own.plus("generation", 1),
		"the first format":           v.own.plus("format", -1),
	} {
		v.write(changed)
		before, p := v.requests(), v.cold()
		if got := v.token("miden"); got.Fingerprint != v.now.attribute("fingerprint") || v.requests() != before || !alarmed(p) {
			t.Errorf("%s: vended %s after %d token requests, alarm %t; want the token that there was, and the alarm", what, got.Fingerprint, v.requests()-before, alarmed(p))
		}
	}
}

func TestFault54_AnOlderItemIsRefusedByTheProcessThatSawANewer(t *testing.T) {
	t.Parallel()
	v := newVault(t)
	warm := v.cold()
	seen := v.token("miden")
	v.write(v.before)
	before := v.requests()
	answer, refused := v.direct("admin", api.Request{Credential: "miden", Rejected: seen.Fingerprint})
	if refused != nil {
		t.Fatal(refused)
	}
	if got := read[api.Token](t, answer); got.Fingerprint == v.before.attribute("fingerprint") || v.requests() != before+1 || !alarmed(warm) {
		t.Errorf("vended %s after %d requests, alarm %t", got.Fingerprint, v.requests()-before, alarmed(warm))
	}
	v.write(v.before)
	stranger := v.cold()
	if got := v.token("miden"); got.Fingerprint != v.before.attribute("fingerprint") || alarmed(stranger) {
		t.Errorf("one that saw no newer vended %s, alarm %t; a whole older item is good until it is over", got.Fingerprint, alarmed(stranger))
	}
}

func TestATableThatWasRestoredOpensUnderItsSealID(t *testing.T) {
	t.Parallel()
	h := newHouse(t, simulator.Options{})
	h.put("miden", "miden", nil)
	h.start("vend")
	first := h.token("miden")
	for _, stack := range []struct {
		sealID string
		opens  bool
	}{{h.functions["vend"].Environment[boot.EnvSealID], true}, {"another-stack", false}} {
		h.deploy(stack.sealID)
		p := h.start("vend")
		if got := h.token("miden"); (got.Fingerprint == first.Fingerprint) != stack.opens || alarmed(p) == stack.opens {
			t.Errorf("under the seal id %s: the same token %t, alarm %t", stack.sealID, got.Fingerprint == first.Fingerprint, alarmed(p))
		}
	}
	if h.requests() != 2 {
		t.Errorf("%d token requests, want one more where it did not open", h.requests())
	}
}

func TestSealingThatIsTurnedOnMintsAnew(t *testing.T) {
	t.Parallel()
	h := newHouse(t, simulator.Options{})
	h.put("miden", "miden", nil)
	h.cold(boot.EnvSealing + "=off")
	open := h.token("miden")
	p := h.cold()
	got := h.token("miden")
	if got.Fingerprint == open.Fingerprint || h.requests() != 2 || !alarmed(p) {
		t.Errorf("vended %s after %s, %d requests, alarm %t", got.Fingerprint, open.Fingerprint, h.requests(), alarmed(p))
	}
	// In the end the table is searched, as after every test: what stood there open is gone.
}

// What is no entry at all is not vended, not overwritten, and told by the alarm.
func TestFault54_WhatCannotBeReadIsTold(t *testing.T) {
	t.Parallel()
	v := newVault(t)
	for what, c := range map[string]struct {
		changed item
		says    string
	}{
		"an attribute of another type": {v.now.text("expires_at", "canary"), "damaged"},
		"a newer format":               {v.now.plus("format", 1), "newer"},
	} {
		v.write(c.changed)
		before, p := v.requests(), v.cold()
		_, failed := v.direct("admin", api.Request{Credential: "miden"})
		if codeOf(failed) != api.StoreUnavailable {
			t.Fatalf("%s: %v", what, failed)
		}
		if !strings.Contains(failed.Detail, c.says) || !alarmed(p) || v.requests() != before || strings.Contains(p.Output(), "canary") {
			t.Errorf("%s: %q, alarm %t, %d token requests", what, failed.Detail, alarmed(p), v.requests()-before)
		}
	}
}

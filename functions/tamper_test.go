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

// item is a row as the table has it, for an attacker who may write there.
type item map[string]types.AttributeValue

// row reads the row of a key.
func (h *installation) row(key token.Key) item {
	h.t.Helper()
	got, err := h.items.GetItem(h.t.Context(),
		&dynamodb.GetItemInput{TableName: &h.table, ConsistentRead: aws.Bool(true), Key: item{
			dynamo.PartitionKey: &types.AttributeValueMemberS{Value: key.PartitionKey()},
			dynamo.SortKey:      &types.AttributeValueMemberS{Value: key.SortKey()},
		}})
	if err != nil || len(got.Item) == 0 {
		h.t.Fatalf("GetItem(%v) = %d attributes, %v, want an item", key, len(got.Item), err)
	}
	return got.Item
}

func (h *installation) write(i item) {
	h.t.Helper()
	if _, err := h.items.PutItem(h.t.Context(), &dynamodb.PutItemInput{TableName: &h.table, Item: i}); err != nil {
		h.t.Fatal(err)
	}
}

func (i item) sealed() []byte { return i["sealed"].(*types.AttributeValueMemberB).Value }

// with returns a copy with another value of an attribute.
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

// plus returns a copy of which a number is greater by n.
func (i item) plus(name string, n int64) item {
	was := int64(0)
	if v, ok := i[name].(*types.AttributeValueMemberN); ok {
		was, _ = strconv.ParseInt(v.Value, 10, 64)
	}
	return i.with(name, &types.AttributeValueMemberN{Value: strconv.FormatInt(was+n, 10)})
}

// flipped returns a copy with one bit of the sealed bytes changed.
func (i item) flipped(at int) item {
	sealed := slices.Clone(i.sealed())
	sealed[at] ^= 1
	return i.sealing(sealed)
}

// rewrapped is flipped, in the wrapped data key, by an attacker who knows the
// format and corrects the checksum.
func (i item) rewrapped(at int) item {
	sealed := slices.Clone(i.sealed())
	end := wrapEnd(sealed)
	sealed[at] ^= 1
	binary.BigEndian.PutUint32(sealed[end:], crc32.Checksum(sealed[:end], crc32.MakeTable(crc32.Castagnoli)))
	return i.sealing(sealed)
}

// wrapEnd returns where the wrapped data key ends. Before it are the format and
// the length in two bytes. A checksum of four bytes, the nonce of twelve, the
// ciphertext and a tag of sixteen follow.
func wrapEnd(sealed []byte) int { return 3 + int(binary.BigEndian.Uint16(sealed[1:])) }

// tampering is an installation with rows to tamper with.
type tampering struct {
	*installation
	key     token.Key
	now     item // the entry of key
	before  item // that of the generation before
	another item // that of another credential
	variant item // that of another scope

	record, anothersRecord item // the credential records
}

func newTampering(t *testing.T) *tampering {
	t.Helper()
	v := &tampering{installation: newInstallation(t, simulator.Options{}), key: token.Key{Credential: "miden"}}
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
	v.record, v.anothersRecord = v.row(token.RecordKey("miden")), v.row(token.RecordKey("other"))
	return v
}

// startCold starts a process that has nothing in memory. Only it gets
// invocations from now on.
func (h *installation) startCold(env ...string) *testbed.Bootstrap {
	h.t.Helper()
	h.runtimes["vend"] = freshRuntime(h)
	return h.start("vend", env...)
}

// raisedAlarm ends a process, so that all its output has been read, and reports
// whether that has the line and the metric of a row that does not open.
func raisedAlarm(p *testbed.Bootstrap) bool {
	p.Kill()
	return strings.Contains(p.Output(), `"msg":"integrity"`) && strings.Contains(p.Output(), `"IntegrityFailures":1`)
}

func (h *installation) requests() int { return h.sim.Stats().Providers["miden"].TokenRequests }

// attribute returns the value of an attribute, text or bytes.
func (i item) attribute(name string) string {
	switch v := i[name].(type) {
	case *types.AttributeValueMemberS:
		return v.Value
	case *types.AttributeValueMemberB:
		return string(v.Value)
	}
	return ""
}

// checkReplaced puts a row into the table that must not open, and checks that a
// new token replaces it.
func (v *tampering) checkReplaced(what string, changed item) {
	v.t.Helper()
	v.write(changed)
	before, p := v.requests(), v.startCold()
	got := v.token("miden")
	for _, stored := range []item{v.now, v.before, v.another, v.variant} {
		if got.Fingerprint == stored.attribute("fingerprint") {
			v.t.Errorf("token(miden) with %s = %s, which is stored, want a new one", what, got.Fingerprint)
		}
	}
	if n := v.requests() - before; n != 1 || !v.sim.Accepts("miden", got.AccessToken) || !raisedAlarm(p) {
		v.t.Errorf("token(miden) with %s took %d token requests, alarm %t, want 1 and the alarm", what, n,
			raisedAlarm(p))
	}
}

func TestFault54_WhatWasTamperedWithIsNeverVended(t *testing.T) {
	t.Parallel()
	v := newTampering(t)
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
		"the credential record's":                  v.now.sealing(v.record.sealed()),
		"the head of one, the body of another": v.now.sealing(slices.Concat(v.now.sealed()[:end+4],
			v.before.sealed()[wrapEnd(v.before.sealed())+4:])),
		"another scope's item, moved":      v.variant.text(dynamo.SortKey, v.key.SortKey()),
		"another credential's item, moved": v.another.text(dynamo.PartitionKey, v.key.PartitionKey()),

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
		"the third format":      v.now.plus("format", 1),
	} {
		v.checkReplaced(what, changed)
	}
}

func TestFault54_TermsThatWereTamperedWithAreReadFromTheSecret(t *testing.T) {
	t.Parallel()
	v := newTampering(t)
	for what, changed := range map[string]item{
		"a bit":                      v.record.flipped(len(v.record.sealed()) - 1),
		"another credential's terms": v.record.sealing(v.anothersRecord.sealed()),
		"another's row, moved":       v.anothersRecord.text(dynamo.SortKey, token.RecordKey("miden").SortKey()),
		"an entry's":                 v.record.sealing(v.now.sealed()),
		"never sealed":               v.record.sealing([]byte("\x00" + `{"name":"miden"}`)),
		"another version":            v.record.text("made", v.anothersRecord.attribute("made")),
		"another generation":         v.record.plus("generation", 1),
		"the first format":           v.record.plus("format", -1),
		"the third format":           v.record.plus("format", 1),
	} {
		v.write(changed)
		before, p := v.requests(), v.startCold()
		got, want := v.token("miden").Fingerprint, v.now.attribute("fingerprint")
		if got != want || v.requests() != before || !raisedAlarm(p) {
			t.Errorf("token(miden) with %s = %s after %d token requests, alarm %t, want %s after 0 and the alarm",
				what, got, v.requests()-before, raisedAlarm(p), want)
		}
	}
}

func TestFault54_AnOlderItemIsRefusedByTheProcessThatSawANewer(t *testing.T) {
	t.Parallel()
	v := newTampering(t)
	warm := v.startCold()
	seen := v.token("miden")
	v.write(v.before)
	before := v.requests()
	answer, refused := v.direct("admin", api.Request{Credential: "miden", Rejected: seen.Fingerprint})
	if refused != nil {
		t.Fatal(refused)
	}
	if got := read[api.Token](t, answer); got.Fingerprint == v.before.attribute("fingerprint") ||
		v.requests() != before+1 || !raisedAlarm(warm) {
		t.Errorf("direct(report) = %s after %d requests, alarm %t, want a new token after 1 and the alarm",
			got.Fingerprint, v.requests()-before, raisedAlarm(warm))
	}
	v.write(v.before)
	stranger := v.startCold()
	if got := v.token("miden"); got.Fingerprint != v.before.attribute("fingerprint") || raisedAlarm(stranger) {
		t.Errorf("token(miden) of a process that saw no newer item = %s, alarm %t, want that of the older item and none", got.Fingerprint, raisedAlarm(stranger))
	}
}

func TestRestoredTableOpensUnderItsSealID(t *testing.T) {
	t.Parallel()
	h := newInstallation(t, simulator.Options{})
	h.put("miden", "miden", nil)
	h.start("vend")
	first := h.token("miden")
	for _, stack := range []struct {
		sealID string
		opens  bool
	}{{h.functions["vend"].Environment[boot.EnvSealID], true}, {"another-stack", false}} {
		h.deploy(stack.sealID)
		p := h.start("vend")
		if got := h.token("miden"); (got.Fingerprint == first.Fingerprint) != stack.opens ||
			raisedAlarm(p) == stack.opens {
			t.Errorf("token(miden) under the seal id %s = the same %t, alarm %t, want %t, %t", stack.sealID,
				got.Fingerprint == first.Fingerprint, raisedAlarm(p), stack.opens, !stack.opens)
		}
	}
	if h.requests() != 2 {
		t.Errorf("miden had %d token requests, want 2: one more where the row did not open", h.requests())
	}
}

func TestSealingThatIsTurnedOnMintsAnew(t *testing.T) {
	t.Parallel()
	h := newInstallation(t, simulator.Options{})
	h.put("miden", "miden", nil)
	h.startCold(boot.EnvSealing + "=off")
	open := h.token("miden")
	p := h.startCold()
	got := h.token("miden")
	if got.Fingerprint == open.Fingerprint || h.requests() != 2 || !raisedAlarm(p) {
		t.Errorf("token(miden) = %s after %s, %d requests, alarm %t, want another, 2 and the alarm", got.Fingerprint,
			open.Fingerprint, h.requests(), raisedAlarm(p))
	}
	// After the test the table is searched, and has the unsealed token no more.
}

// A row that is no entry is not vended and not overwritten, and raises the
// alarm.
func TestFault54_UnreadableRowRaisesTheAlarm(t *testing.T) {
	t.Parallel()
	v := newTampering(t)
	for what, c := range map[string]struct {
		changed item
		says    string
	}{
		"an attribute of another type": {v.now.text("expires_at", "canary"), "damaged"},
		"a newer format":               {v.now.plus("format", 2), "newer"},
	} {
		v.write(c.changed)
		before, p := v.requests(), v.startCold()
		_, failed := v.direct("admin", api.Request{Credential: "miden"})
		if codeOf(failed) != api.StoreUnavailable {
			t.Fatalf("direct(miden) with %s = %v, want store_unavailable", what, failed)
		}
		if !strings.Contains(failed.Detail, c.says) || !raisedAlarm(p) || v.requests() != before ||
			strings.Contains(p.Output(), "canary") {
			t.Errorf("direct(miden) with %s = %q, alarm %t, %d token requests, want %q, the alarm and 0", what,
				failed.Detail, raisedAlarm(p), v.requests()-before, c.says)
		}
	}
}

package functions_test

import (
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/tokenvend/tokenvend/pkg/provider/simulator"
)

// ownRecord returns the item of a credential's record in the partition of the
// credential; nil: there is none, or it is a marker.
func (h *installation) ownRecord(name string) item {
	h.t.Helper()
	own := h.item(name, "*")
	if own["moved"] != nil {
		return nil
	}
	return own
}

// item returns the item at a sort key of a credential; nil: there is none.
func (h *installation) item(name, sortKey string) item {
	h.t.Helper()
	got, err := h.items.GetItem(h.t.Context(), &dynamodb.GetItemInput{
		TableName: &h.table, ConsistentRead: aws.Bool(true), Key: item{
			"credential": &types.AttributeValueMemberS{Value: name},
			"variant":    &types.AttributeValueMemberS{Value: sortKey},
		},
	})
	if err != nil {
		h.t.Fatal(err)
	}
	return got.Item
}

// Records move to the partitions of their credentials and back, also where a
// step is left out. Tokens live on, grants go on, no credential is learned
// anew, and one that is removed meanwhile is found.
func TestRecordsMoveAndBack(t *testing.T) {
	t.Parallel()
	h := newInstallation(t, simulator.Options{})
	h.put("minut", "minut", map[string]any{"keep_warm": true})
	h.put("trackmania", "trackmania", map[string]any{"allow": map[string]any{"accounts": []string{"*"}}})
	h.put("late", "miden", nil)
	h.start("rotate")
	h.discover()
	h.tick()
	h.start("vend")
	before := h.token("minut").Fingerprint
	grant := h.connect("trackmania", "ann").Fingerprint
	for _, step := range []struct {
		setting string
		own     bool
		gone    int // credentials whose secret was removed
	}{
		{"3", false, 0}, {"migrate-4", true, 0}, {"4", true, 1}, {"2", true, 0}, {"migrate", false, 0},
		{"4", true, 0}, {"migrate-3", false, 0},
	} {
		if step.gone > 0 {
			h.remove("late")
		}
		h.restart(step.setting)
		if got := h.tick(); got.Error != "" || got.Failed+got.Renewed != 0 {
			t.Errorf("tick() with format %s = %+v, want nothing renewed", step.setting, got)
		}
		for _, name := range []string{"minut", "trackmania"} {
			if got := h.ownRecord(name); (got != nil) != step.own {
				t.Errorf("ownRecord(%s) with format %s = %v, want one: %t", name, step.setting, got, step.own)
			}
		}
		if got := h.discover(); got.Error != "" || got.Learnt != 0 || got.Gone != step.gone {
			t.Errorf("discover() with format %s = %+v, want %d gone, none learned", step.setting, got, step.gone)
		}
		if got := h.token("minut").Fingerprint; got != before {
			t.Errorf("token(minut) with format %s = %s, want %s, which lives", step.setting, got, before)
		}
		if got, refused := h.accountToken("trackmania", "ann"); refused != nil || got.Fingerprint != grant {
			t.Errorf("accountToken(ann) with format %s = %v, %v, want %s", step.setting, got, refused, grant)
		}
	}
	if n := h.sim.Stats().Providers["minut"].TokenRequests; n != 1 {
		t.Errorf("minut had %d token requests, want 1", n)
	}
}

// What a credential costs whose record is beside its entries.
func TestCallsToAWSWithRecordsBesideEntries(t *testing.T) {
	t.Parallel()
	const life = 3 * time.Second
	h := newInstallation(t, simulator.Options{Lifetime: life})
	h.put("minut", "minut", nil)
	h.restart("4")
	h.token("minut")
	h.nextTokenLives("minut", time.Hour)
	time.Sleep(life)
	h.take("vend")
	h.token("minut")
	h.checkCalls("a renewal", counted{"BatchGetItem": 1, "UpdateItem": 2}, counted{})
	h.restart("4")
	h.take("vend")
	h.token("minut")
	h.checkCalls("a cold vend of a stored token", counted{"BatchGetItem": 1}, counted{"Decrypt": 1})
	if h.ownRecord("minut") == nil {
		t.Error("the record of minut is not in its partition, want it there")
	}
}

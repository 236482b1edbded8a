package dynamo_test

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/tokenvend/tokenvend/internal/testbed"
	"github.com/tokenvend/tokenvend/internal/testworld/dynamotable"
	"github.com/tokenvend/tokenvend/pkg/store"
	"github.com/tokenvend/tokenvend/pkg/store/dynamo"
	"github.com/tokenvend/tokenvend/pkg/token"
)

// table is a store with direct access to its items.
type table struct {
	*dynamo.Store
	client *dynamodb.Client
	name   string
}

func openTable(t *testing.T) table {
	t.Helper()
	return openTableAt(t, testbed.DynamoDB(t))
}

func openTableAt(t *testing.T, endpoint testbed.Endpoint) table {
	t.Helper()
	client := newClient(t, endpoint, nil)
	name := dynamotable.New(t, client)
	return table{dynamo.New(client, name), client, name}
}

func (tb table) item(t *testing.T, key token.Key) map[string]types.AttributeValue {
	t.Helper()
	got, err := tb.client.GetItem(t.Context(), &dynamodb.GetItemInput{
		TableName: &tb.name, ConsistentRead: aws.Bool(true),
		Key: map[string]types.AttributeValue{
			dynamo.PartitionKey: &types.AttributeValueMemberS{Value: key.PartitionKey()},
			dynamo.SortKey:      &types.AttributeValueMemberS{Value: key.SortKey()},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	return got.Item
}

// alter stores key's item with one attribute changed.
func (tb table) alter(t *testing.T, key token.Key, name string, value types.AttributeValue) {
	t.Helper()
	it := tb.item(t, key)
	it[name] = value
	if _, err := tb.client.PutItem(t.Context(), &dynamodb.PutItemInput{TableName: &tb.name, Item: it}); err != nil {
		t.Fatal(err)
	}
}

func number(t *testing.T, value types.AttributeValue) int64 {
	t.Helper()
	n, ok := value.(*types.AttributeValueMemberN)
	if !ok {
		return -1
	}
	i, err := strconv.ParseInt(n.Value, 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return i
}

func TestTimeToLiveIsNeverBeforeForgetAt(t *testing.T) {
	tb := openTable(t)
	for ms, want := range map[int64]int64{
		1_800_000_000_000: 1_800_000_000, 1_800_000_000_001: 1_800_000_001, 1_800_000_000_999: 1_800_000_001,
	} {
		put(t, tb, store.Entry{Key: key, ForgetAt: time.UnixMilli(ms)})
		if got := number(t, tb.item(t, key)[dynamo.TimeToLive]); got != want {
			t.Errorf("%d ms: %d s, want %d", ms, got, want)
		}
		if got := get(t, tb, key).ForgetAt.UnixMilli(); got != ms {
			t.Errorf("%d ms comes back as %d", ms, got)
		}
	}
	put(t, tb, store.Entry{Key: key})
	if value, there := tb.item(t, key)[dynamo.TimeToLive]; there {
		t.Errorf("without ForgetAt: %v", value)
	}
}

func TestALeaseKeepsItsRowFromBeingDropped(t *testing.T) {
	tb := openTable(t)
	now := time.Now()
	over, late := now.Add(-time.Hour).Truncate(time.Millisecond), now.Add(1000*time.Hour).Truncate(time.Millisecond)
	for name, seen := range map[string]store.Entry{
		"never written": {Key: token.RecordKey("unwritten")},
		"over":          put(t, tb, store.Entry{Key: token.RecordKey("over"), ForgetAt: over}),
		"late":          put(t, tb, store.Entry{Key: token.RecordKey("late"), ForgetAt: late}),
		"for ever":      put(t, tb, store.Entry{Key: token.RecordKey("ever")}),
	} {
		l := acquire(t, tb, seen)
		if !l.Entry.ForgetAt.Equal(seen.ForgetAt) {
			t.Errorf("%s: ForgetAt = %v, was %v", name, l.Entry.ForgetAt, seen.ForgetAt)
		}
		live := number(t, tb.item(t, seen.Key)[dynamo.TimeToLive])
		switch at := time.Unix(live, 0); {
		case name == "for ever" && live == -1:
		case name == "late" && at.Sub(late).Abs() < time.Second:
		case (name == "over" || name == "never written") && at.Sub(now.Add(24*time.Hour)).Abs() < time.Minute:
		default:
			t.Errorf("%s: to be dropped at %v (%d)", name, at, live)
		}
		if err := tb.Commit(t.Context(), l, seen); err != nil {
			t.Error(err)
		}
		if left := number(t, tb.item(t, seen.Key)[dynamo.TimeToLive]); seen.ForgetAt.IsZero() && left != -1 ||
			name == "over" && left > now.Unix() {
			t.Errorf("%s: after Commit to be dropped at %d", name, left)
		}
	}
}

func TestTheIndexHoldsWhatIsDueAndNoMoreThanDueReads(t *testing.T) {
	tb := openTable(t)
	secret := store.Entry{
		Key: key, Sealed: []byte("sealed"), Fingerprint: "9f86d081884c7d65", NextAt: noon, ExpiresAt: noon,
	}
	put(t, tb, secret)
	put(t, tb, store.Entry{Key: token.RecordKey("minut"), Sealed: []byte("sealed")})
	acquire(t, tb, store.Entry{Key: token.RecordKey("leased")})
	got, err := tb.client.Scan(t.Context(), &dynamodb.ScanInput{
		TableName: &tb.name, IndexName: aws.String(dynamo.Index),
	})
	if err != nil || len(got.Items) != 1 {
		t.Fatalf("%d items, %v", len(got.Items), err)
	}
	for name := range got.Items[0] {
		if !strings.Contains("credential variant due_shard next_at expires_at", name) {
			t.Errorf("%s stands in the index", name)
		}
	}
	if n := number(t, got.Items[0][dynamo.IndexPartitionKey]); n < 0 || n >= dynamo.Shards {
		t.Errorf("shard %d", n)
	}
}

func TestDueReadsPastAPageAndPastADamagedItem(t *testing.T) {
	tb := openTable(t)
	put(t, tb, store.Entry{Key: key, NextAt: noon.Add(-time.Hour)})
	tb.alter(t, key, "expires_at", &types.AttributeValueMemberN{Value: "1.5"})
	for i := range 60 {
		put(t, tb, store.Entry{
			Key: token.RecordKey(fmt.Sprintf("c%d", i)), NextAt: noon.Add(-time.Duration(i) * time.Second),
			ExpiresAt: noon.Add(time.Duration(i) * time.Second),
		})
	}
	due, err := tb.Due(t.Context(), noon, 61)
	if err != nil || len(due) != 60 || due[0].Key != token.RecordKey("c0") || due[59].Key != token.RecordKey("c59") {
		t.Errorf("Due = %v, %v", due, err)
	}
	if due, err := tb.Due(t.Context(), noon, 0); err != nil || len(due) != 0 {
		t.Errorf("Due of none = %v, %v", due, err)
	}
	if _, err := tb.Get(t.Context(), store.Strong, key); !errors.Is(err, store.ErrUnreadable) ||
		!strings.Contains(err.Error(), "minut/-") {
		t.Errorf("Get of the damaged item: %v", err)
	}
}

func TestFault57_ANewerFormatIsNamedAndLeftAlone(t *testing.T) {
	tb := openTable(t)
	seen := put(t, tb, store.Entry{Key: key, Generation: 7})
	l := acquire(t, tb, seen)
	tb.alter(t, key, "format", &types.AttributeValueMemberN{Value: "4"})
	tb.alter(t, key, "leased_until", &types.AttributeValueMemberN{Value: "1"})
	before := fmt.Sprint(
		len(tb.item(t, key)), number(t, tb.item(t, key)["revision"]), number(t, tb.item(t, key)["leased_until"]),
	)
	ctx := t.Context()
	for call, do := range map[string]func() error{
		"Get":     func() error { _, err := tb.Get(ctx, store.Eventual, key); return err },
		"Get two": func() error { _, err := tb.Get(ctx, store.Eventual, key, token.RecordKey("minut")); return err },
		"List":    func() error { _, err := tb.List(ctx, "minut", "", 1); return err },
		"Acquire": func() error { _, err := tb.Acquire(ctx, seen, time.Minute); return err },
		"Commit":  func() error { return tb.Commit(ctx, l, seen) },
		"Replace": func() error { _, err := tb.Replace(ctx, seen, seen); return err },
	} {
		if err := do(); !errors.Is(err, store.ErrNewer) || !strings.Contains(err.Error(), "minut/-") {
			t.Errorf("%s: %v", call, err)
		}
	}
	_, err := tb.List(ctx, "minut", "", 1)
	if bad, ok := errors.AsType[*store.RowError](err); !ok || bad.Sort != key.SortKey() {
		t.Errorf("List: %v, want the error of the row %s", err, key.SortKey())
	}
	if all, err := tb.List(ctx, "minut", key.SortKey(), 1); err != nil || len(all) != 0 {
		t.Errorf("List after the row: %v, %v, want none", all, err)
	}
	if err := tb.Touch(ctx, key, noon); err != nil {
		t.Errorf("Touch: %v", err)
	}
	if after := fmt.Sprint(
		len(tb.item(t, key)), number(t, tb.item(t, key)["revision"]), number(t, tb.item(t, key)["leased_until"]),
	); after != before {
		t.Errorf("the item was changed: %s, was %s", after, before)
	}
}

func TestListNamesTheRecordThatIsNoEntry(t *testing.T) {
	tb := openTable(t)
	for _, name := range []string{"a", "b", "c"} {
		put(t, tb, store.Entry{Key: token.RecordKey(name), Generation: 1})
	}
	tb.alter(t, token.RecordKey("b"), "format", &types.AttributeValueMemberS{Value: "x"})
	for limit := range 4 {
		all, err := tb.List(t.Context(), token.RecordPartition, "", limit)
		bad, isBad := errors.AsType[*store.RowError](err)
		if limit < 2 && (err != nil || len(all) != limit) || limit >= 2 && (!isBad || bad.Sort != "b") {
			t.Errorf("List of %d = %v, %v, want those before b, or the error of b", limit, all, err)
		}
	}
	all, err := tb.List(t.Context(), token.RecordPartition, "b", 3)
	if err != nil || len(all) != 1 || all[0].Key != token.RecordKey("c") {
		t.Errorf("List after b = %v, %v, want c", all, err)
	}
}

func TestErrorsQuoteNothing(t *testing.T) {
	tb := openTable(t)
	put(t, tb, store.Entry{Key: key, Sealed: []byte("canary")})
	for _, name := range []string{
		"revision", "issued_at", "state", "sealed", "refresh_spent", "failure_count", "format",
	} {
		for _, value := range []types.AttributeValue{
			&types.AttributeValueMemberN{Value: "1.5"}, &types.AttributeValueMemberSS{Value: []string{"canary"}},
			&types.AttributeValueMemberNULL{Value: true},
		} {
			it := tb.item(t, key)
			tb.alter(t, key, name, value)
			_, err := tb.Get(t.Context(), store.Strong, key)
			if !errors.Is(err, store.ErrUnreadable) || strings.Contains(err.Error(), "canary") ||
				strings.Contains(err.Error(), "1.5") {
				t.Errorf("%s: %v", name, err)
			}
			if _, err := tb.client.PutItem(t.Context(), &dynamodb.PutItemInput{
				TableName: &tb.name, Item: it,
			}); err != nil {
				t.Fatal(err)
			}
		}
	}
}

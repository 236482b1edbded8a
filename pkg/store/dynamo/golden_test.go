package dynamo

import (
	"encoding/json"
	"flag"
	"os"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/tokenvend/tokenvend/pkg/store"
	"github.com/tokenvend/tokenvend/pkg/store/dynamo/attributevalue"
	"github.com/tokenvend/tokenvend/pkg/store/dynamo/places"
	"github.com/tokenvend/tokenvend/pkg/token"
)

var update = flag.Bool("update", false, "write the golden items of today's format anew")

// goldenFiles are the golden items of format 1 and of its additions. A released
// file is never changed. Additions get a new file.
var goldenFiles = map[string]func() []store.Row{
	"testdata/format-1.json":        goldenRows,
	"testdata/format-1-forced.json": forcedRows,
	queueFile:                       queuedRows,
}

// forcedRows have the fields for forced renewals and variants.
func forcedRows() []store.Row {
	return []store.Row{{Entry: store.Entry{
		Key: token.Key{Credential: "minut", Variant: token.NewVariant("", "", "read")}, Revision: 7, Generation: 3,
		ForcedCount: 2, ForcedAt: time.Date(2026, 11, 27, 7, 1, 0, 123_000_000, time.UTC),
		ClaimedBy: "9f86d081884c7d65",
	}}}
}

const queueFile = "testdata/format-1-queue.json"

// queuedRows have the fields for the index Queue.
func queuedRows() []store.Row {
	due := time.Date(2026, 11, 27, 12, 0, 0, 123_000_000, time.UTC)
	return []store.Row{{Entry: store.Entry{
		Key: token.Key{Credential: "minut"}, Revision: 7, NextAt: due, ExpiresAt: due.Add(12 * time.Minute),
		AlarmAt: due.Add(-time.Minute), ProviderHost: "id.example.com", ProviderLimit: 3,
	}}}
}

// goldenRows are in testdata/format-1.json.
func goldenRows() []store.Row {
	at := func(minutes int) time.Time {
		return time.Date(2026, 11, 22, 7, minutes, 0, 123_000_000, time.UTC)
	}
	long := token.NewVariant("ann@example.com", "https://api.example.com/", strings.Repeat("scope-", 100))
	return []store.Row{
		{
			Entry: store.Entry{
				Key:           token.RecordKey("minut"),
				Revision:      1,
				Sealed:        []byte("terms"),
				CooldownUntil: at(9),
			},
			Committed: "COMMITTEDNONCE",
		},
		{
			Entry: store.Entry{
				Key: token.Key{Credential: "minut"}, Revision: 41, Generation: 12, State: store.Revoking,
				Sealed: []byte{0, 1, 254, 255}, RequestDigest: "digest",
				Type: "Bearer", Scope: "read write", Fingerprint: "9f86d081884c7d65", LifetimeFrom: "provider",
				IssuedAt: at(1), ExpiresAt: at(2), CacheUntil: at(3), AskedAt: at(4), NextAt: at(5), HoldUntil: at(6),
				RefreshUntil: at(7), ForgetAt: at(8), RenewAt: at(11), RefreshSpent: true, CooldownUntil: at(10),
				Failure: store.Failure{
					Code: "provider_unavailable", Detail: "503", Since: at(12), Count: 3, RetryAt: at(13),
					Version: "v-1",
				},
				LeasedUntil: at(14),
			},
			Holder: "HOLDERNONCE", Vanished: 2, Committed: "COMMITTEDNONCE",
		},
		{
			Entry: store.Entry{
				Key:       token.Key{Credential: "minut", Variant: long},
				Revision:  3,
				NextAt:    at(2),
				ExpiresAt: at(1),
			},
		},
		{
			Entry:    store.Entry{Key: token.Key{Credential: "monta-eu"}, LeasedUntil: at(15)},
			Holder:   "HOLDERNONCE",
			Vanished: 1,
		},
	}
}

// wire is an attribute value in DynamoDB's JSON.
type wire struct {
	S    *string `json:",omitempty"`
	N    *string `json:",omitempty"`
	BOOL *bool   `json:",omitempty"`
	B    []byte  `json:",omitempty"`
}

func toWire(it item) map[string]wire {
	written := map[string]wire{}
	for name, value := range it {
		switch v := value.(type) {
		case *types.AttributeValueMemberS:
			written[name] = wire{S: &v.Value}
		case *types.AttributeValueMemberN:
			written[name] = wire{N: &v.Value}
		case *types.AttributeValueMemberBOOL:
			written[name] = wire{BOOL: &v.Value}
		case *types.AttributeValueMemberB:
			written[name] = wire{B: v.Value}
		}
	}
	return written
}

func fromWire(written map[string]wire) item {
	it := item{}
	for name, v := range written {
		switch {
		case v.S != nil:
			it[name] = attributevalue.Text(*v.S)
		case v.N != nil:
			it[name] = &types.AttributeValueMemberN{Value: *v.N}
		case v.BOOL != nil:
			it[name] = &types.AttributeValueMemberBOOL{Value: *v.BOOL}
		default:
			it[name] = &types.AttributeValueMemberB{Value: v.B}
		}
	}
	return it
}

func TestFault57_FormatOneIsReadForEver(t *testing.T) {
	for file, rows := range goldenFiles {
		t.Run(file, func(t *testing.T) { sameItems(t, file, rows()) })
	}
	rows, stands := goldenRows(), readGolden(t, "testdata/format-1.json")
	for i, want := range []store.Row{rows[1], rows[2]} {
		due, err := decodeDue(fromWire(stands[i+1]))
		if err != nil ||
			due != (store.Due{Key: want.Entry.Key, NextAt: want.Entry.NextAt, ExpiresAt: want.Entry.ExpiresAt}) {
			t.Errorf("Due of item %d = %+v, %v", i+1, due, err)
		}
	}
}

// sameItems compares the items of a golden file with rows, in both directions.
func sameItems(t *testing.T, file string, rows []store.Row) {
	t.Helper()
	today := make([]map[string]wire, len(rows))
	for i, row := range rows {
		today[i] = toWire(encode(row))
		if file != queueFile { // written before there was the index Queue
			delete(today[i], QueueSortKey)
			delete(today[i], attrQueued)
		}
		if row.Entry.Revision == 0 {
			today[i][TimeToLive] = wire{N: new("1795417200")} // as a claim writes it
		}
	}
	if *update {
		writeGolden(t, file, today)
	}
	stands := readGolden(t, file)
	if len(stands) != len(rows) {
		t.Fatalf("%s has %d items, want %d", file, len(stands), len(rows))
	}
	for i, want := range rows {
		got, err := decode(fromWire(stands[i]))
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("item %d:\n got %+v, %v\nwant %+v", i, got, err, want)
		}
		if !reflect.DeepEqual(stands[i], today[i]) {
			t.Errorf("item %d is not what today's program writes", i)
		}
	}
}

// Items of the formats differ only by their number.
func TestFault57_LaterFormatsAreReadForEver(t *testing.T) {
	for _, format := range []int{2, 3} {
		row := goldenRows()[1]
		first := encode(row)
		row.Entry.Format = format
		later := encode(row)
		got, err := decode(later)
		if err != nil || !reflect.DeepEqual(got, row) {
			t.Errorf("decode(encode(%+v)) = %+v, %v", row, got, err)
		}
		first[attrFormat] = attributevalue.Number(int64(format))
		if !reflect.DeepEqual(toWire(first), toWire(later)) {
			t.Errorf("an item of format %d is %+v, want %+v", format, toWire(later), toWire(first))
		}
	}
}

func readGolden(t *testing.T, file string) (stands []map[string]wire) {
	t.Helper()
	data, err := os.ReadFile(file)
	if err == nil {
		err = json.Unmarshal(data, &stands)
	}
	if err != nil {
		t.Fatal(err)
	}
	return stands
}

func writeGolden(t *testing.T, goldenFile string, items []map[string]wire) {
	t.Helper()
	data, err := json.MarshalIndent(items, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(goldenFile, append(data, '\n'), 0o644); err != nil {
		t.Fatal(err)
	}
}

// size returns the size by which DynamoDB bills an item: a read of up to 4 KB
// costs half a unit, or one.
func size(it item) int {
	n := 0
	for name, value := range it {
		n += len(name)
		switch v := value.(type) {
		case *types.AttributeValueMemberS:
			n += len(v.Value)
		case *types.AttributeValueMemberN:
			n += (len(v.Value)+1)/2 + 1
		case *types.AttributeValueMemberB:
			n += len(v.Value)
		case *types.AttributeValueMemberBOOL:
			n++
		}
	}
	return n
}

// sealing is the size of the wrapped data key and of what the cipher adds to a
// token.
const sealing = 300

func TestAnItemWithALongTokenIsReadAtTheLowestPrice(t *testing.T) {
	now := time.Now()
	row := store.Row{
		Entry: store.Entry{
			Key: token.Key{Credential: "monta-eu"}, Revision: 123456, Generation: 123456,
			Sealed: make([]byte, 3<<10+sealing), RequestDigest: strings.Repeat("f", 16),
			Type: "Bearer", Scope: "read write", Fingerprint: "9f86d081884c7d65", LifetimeFrom: "provider",
			IssuedAt: now, ExpiresAt: now, CacheUntil: now, RenewAt: now, AskedAt: now, NextAt: now, ForgetAt: now,
			RefreshUntil: now,
		},
		Committed: strings.Repeat("A", 26),
	}
	rest := size(encode(row)) - len(row.Entry.Sealed)
	t.Logf("%d bytes besides what is sealed", rest)
	if n := size(encode(row)); n > 4<<10 {
		t.Errorf("%d bytes", n)
	}
	row.Holder, row.Vanished, row.Entry.LeasedUntil = row.Committed, 1, now
	if n := size(encode(row)); n > 4<<10 {
		t.Errorf("%d bytes while it is leased", n)
	}
}

func TestAttributesHaveNamesOfTheirOwn(t *testing.T) {
	seen := map[string]bool{PartitionKey: true, SortKey: true}
	for _, name := range everyName() {
		if seen[name] || places.Aliases("#" + name)["#"+name] != name {
			t.Errorf("%s: twice, or not a name that an expression can hold", name)
		}
		seen[name] = true
	}
}

// An older program that writes a row leaves the attributes that it does not
// know. They do not count.
func TestWhatAnOlderProgramLeavesDoesNotCount(t *testing.T) {
	row := queuedRows()[0]
	it := encode(row)
	it[attrRevision] = attributevalue.Number(row.Entry.Revision + 1)
	got, err := decode(it)
	if err != nil || !got.Entry.AlarmAt.IsZero() || got.Entry.ProviderHost != "" || got.Entry.ProviderLimit != 0 {
		t.Errorf("decode() of a row that an older program has written since = %+v, %v; want no AlarmAt and no provider",
			got.Entry, err)
	}
	due, err := decodeQueued(it)
	if want := row.Entry.NextAt.Add(olderAlarm); err != nil || !due.AlarmAt.Equal(want) || due.ProviderHost != "" {
		t.Errorf("decodeQueued() of it = %+v, %v; want the alarm at %v and no provider", due, err, want)
	}
}

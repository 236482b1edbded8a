package dynamo

import (
	"fmt"
	"hash/fnv"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/tokenvend/tokenvend/pkg/store"
	"github.com/tokenvend/tokenvend/pkg/token"
)

// firstFormat and format are the oldest and the newest format of an item. A new
// format gets golden items in testdata, and the old ones are still read.
const (
	firstFormat = 1
	format      = 3
)

// Attributes that are used in several places.
const (
	attrExpiresAt   = "expires_at"
	attrVanished    = "vanished"
	attrVariantFull = "variant_full" // if SortKey holds a hash
	attrRevision    = "revision"
	attrHost        = "provider_host"
	attrLimit       = "provider_limit"
	attrAlarmAt     = "alarm_at"
	// the revision of the row that QueueSortKey, attrHost, attrLimit and
	// attrAlarmAt are of. An older program leaves them as they are
	attrQueued = "queued"
	attrFormat = "format"
	// ForgetAt; TimeToLive holds it rounded up to a second, or the time of a
	// claim
	attrForgetMS = "forget_ms"
)

// abandoned is how long a key that was leased and never written is kept. The
// next holder needs its count of holders that did not commit.
const abandoned = 24 * time.Hour

// item is a DynamoDB item. Attributes with zero values are omitted.
type item = map[string]types.AttributeValue

// attribute is an attribute of an item and a pointer to its value in a row.
type attribute struct {
	name string
	// *string, *store.State, *int, *int64, *bool, *[]byte or *time.Time; times
	// are stored in milliseconds since 1970
	value any
}

// attributes returns all attributes of a row except its key. Names are short,
// because reading an item of up to 4 KB costs half.
func attributes(r *store.Row) []attribute {
	e, f := &r.Entry, &r.Entry.Failure
	return []attribute{
		{attrRevision, &e.Revision}, {"generation", &e.Generation}, {"state", &e.State}, {"sealed", &e.Sealed},
		{"made", &e.RequestDigest},
		{"type", &e.Type}, {"scope", &e.Scope}, {"fingerprint", &e.Fingerprint}, {"lifetime_from", &e.LifetimeFrom},
		{"warnings", &e.Warnings},
		{"issued_at", &e.IssuedAt}, {attrExpiresAt, &e.ExpiresAt}, {"cache_until", &e.CacheUntil},
		{"renew_at", &e.RenewAt},
		{"asked_at", &e.AskedAt}, {IndexSortKey, &e.NextAt}, {"hold_until", &e.HoldUntil},
		{"cooldown_until", &e.CooldownUntil},
		{"refresh_until", &e.RefreshUntil}, {attrForgetMS, &e.ForgetAt}, {"refresh_spent", &e.RefreshSpent},
		{"failure_code", &f.Code}, {"failure_detail", &f.Detail}, {"failure_since", &f.Since},
		{"failure_count", &f.Count},
		{"failure_retry_at", &f.RetryAt}, {"failure_version", &f.Version},
		{"forced", &e.ForcedCount}, {"forced_at", &e.ForcedAt}, {"claimed_by", &e.ClaimedBy},
		{"leased_until", &e.LeasedUntil}, {"holder", &r.Holder}, {attrVanished, &r.Vanished},
		{"committed", &r.Committed},
		{attrHost, &e.ProviderHost}, {attrLimit, &e.ProviderLimit}, {attrAlarmAt, &e.AlarmAt},
	}
}

// derived returns the attributes that are computed from others, for DynamoDB or
// to restore the key.
func derived() []string {
	return []string{attrFormat, attrVariantFull, IndexPartitionKey, QueueSortKey, attrQueued, TimeToLive}
}

func encode(r store.Row) item {
	key := r.Entry.Key
	it := keyOf(key)
	it[attrFormat] = number(int64(max(firstFormat, r.Entry.Format)))
	for _, a := range attributes(&r) {
		if v := encodeValue(a.value); v != nil {
			it[a.name] = v
		}
	}
	if long := variantFull(key); long != "" {
		it[attrVariantFull] = text(long)
	}
	if since := r.Entry.DueSince(); !since.IsZero() {
		it[IndexPartitionKey] = number(int64(shard(key)))
		it[QueueSortKey] = millis(since)
	}
	if r.Entry.Due() != (store.Due{Key: key, ExpiresAt: r.Entry.ExpiresAt}) {
		it[attrQueued] = number(r.Entry.Revision)
	}
	if !r.Entry.ForgetAt.IsZero() {
		it[TimeToLive] = seconds(r.Entry.ForgetAt)
	}
	return it
}

// decode decodes one item. Its errors name the key and quote nothing of the
// item.
func decode(it item) (store.Row, error) {
	var r store.Row
	var err error
	if r.Entry.Key, err = readKey(it); err != nil {
		return r, err
	}
	var written int64
	if err := decodeValue(it[attrFormat], &written); err != nil || written < 1 {
		return store.Row{}, fmt.Errorf("%w: %v", store.ErrUnreadable, r.Entry.Key)
	}
	if written > format {
		return store.Row{}, fmt.Errorf(
			"%w: %v has format %d, this program reads %d", store.ErrNewer, r.Entry.Key, written, format,
		)
	}
	if written > firstFormat {
		r.Entry.Format = int(written)
	}
	for _, a := range attributes(&r) {
		if err := decodeValue(it[a.name], a.value); err != nil {
			return store.Row{}, fmt.Errorf("%w: %v: %s", store.ErrUnreadable, r.Entry.Key, a.name)
		}
	}
	var queued int64
	if err := decodeValue(it[attrQueued], &queued); err != nil || queued != r.Entry.Revision {
		r.Entry.AlarmAt, r.Entry.ProviderHost, r.Entry.ProviderLimit = time.Time{}, "", 0
	}
	return r, nil
}

func encodeValue(value any) types.AttributeValue {
	switch v := value.(type) {
	case *string:
		return textOrNone(*v)
	case *store.State:
		return textOrNone(string(*v))
	case *int:
		return numberOrNone(int64(*v))
	case *int64:
		return numberOrNone(*v)
	case *bool:
		if *v {
			return &types.AttributeValueMemberBOOL{Value: true}
		}
	case *[]byte:
		if len(*v) > 0 {
			return &types.AttributeValueMemberB{Value: *v}
		}
	case *time.Time:
		if !v.IsZero() {
			return millis(*v)
		}
	}
	return nil
}

// decodeValue leaves *into unchanged if the item lacks the attribute.
func decodeValue(value types.AttributeValue, into any) error {
	switch v := value.(type) {
	case nil:
		return nil
	case *types.AttributeValueMemberS:
		switch into := into.(type) {
		case *string:
			*into = v.Value
			return nil
		case *store.State:
			*into = store.State(v.Value)
			return nil
		}
	case *types.AttributeValueMemberN:
		return decodeNumber(v.Value, into)
	case *types.AttributeValueMemberBOOL:
		if into, ok := into.(*bool); ok {
			*into = v.Value
			return nil
		}
	case *types.AttributeValueMemberB:
		if into, ok := into.(*[]byte); ok {
			*into = v.Value
			return nil
		}
	}
	return store.ErrUnreadable
}

func decodeNumber(digits string, into any) error {
	n, err := strconv.ParseInt(digits, 10, 64)
	if err != nil {
		return store.ErrUnreadable // strconv's error quotes the value
	}
	switch into := into.(type) {
	case *int:
		*into = int(n)
	case *int64:
		*into = n
	case *time.Time:
		*into = time.UnixMilli(n).UTC()
	default:
		return store.ErrUnreadable
	}
	return nil
}

func keyOf(key token.Key) item {
	return item{PartitionKey: text(key.Partition()), SortKey: text(key.Sort())}
}

func readKey(it item) (token.Key, error) {
	var partition, sort, long string
	for name, into := range map[string]*string{PartitionKey: &partition, SortKey: &sort, attrVariantFull: &long} {
		if err := decodeValue(it[name], into); err != nil {
			return token.Key{}, err
		}
	}
	key, err := token.ParseKey(partition, sort, long)
	if err != nil {
		return token.Key{}, fmt.Errorf("%w: %w", store.ErrUnreadable, err)
	}
	return key, nil
}

// variantFull returns the text whose hash is the sort key, or "" if the sort
// key is no hash.
func variantFull(key token.Key) string {
	if long := key.Variant.Long(); !key.IsRecord() && long != key.Sort() {
		return long
	}
	return ""
}

// shard spreads the index over partitions. Otherwise all that is due in one
// minute would be in one.
func shard(key token.Key) uint32 {
	h := fnv.New32a()
	_, _ = h.Write([]byte(key.String())) // never fails
	return h.Sum32() % Shards
}

func text(s string) types.AttributeValue { return &types.AttributeValueMemberS{Value: s} }

func textOrNone(s string) types.AttributeValue {
	if s == "" {
		return nil
	}
	return text(s)
}

func number(n int64) types.AttributeValue {
	return &types.AttributeValueMemberN{Value: strconv.FormatInt(n, 10)}
}

func numberOrNone(n int64) types.AttributeValue {
	if n == 0 {
		return nil
	}
	return number(n)
}

func millis(t time.Time) types.AttributeValue { return number(t.UnixMilli()) }

// seconds rounds up, so that nothing is deleted before its time.
func seconds(t time.Time) types.AttributeValue {
	return number(t.Add(time.Second - time.Millisecond).Unix())
}

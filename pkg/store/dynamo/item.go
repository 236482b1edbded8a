package dynamo

import (
	"fmt"
	"hash/fnv"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/tokenvend/tokenvend/pkg/store"
	"github.com/tokenvend/tokenvend/pkg/store/dynamo/attributevalue"
	"github.com/tokenvend/tokenvend/pkg/token"
)

// firstFormat and format are the oldest and the newest format of an item. A new
// format gets golden items in testdata, and the old ones are still read.
const (
	firstFormat = 1
	format      = 3
)

// abandoned is how long a key that was leased and never written is kept. The
// next holder needs its count of holders that did not commit.
const abandoned = 24 * time.Hour

// item is a DynamoDB item. Attributes with zero values are omitted.
type item = map[string]types.AttributeValue

// attribute is an attribute of an item and a pointer to its value in a row.
type attribute struct {
	name  string
	value any // see [attributevalue.Encode]
}

// attributes returns all attributes of a row except its key. Names are short,
// because reading an item of up to 4 KB costs half.
func attributes(r *store.Row) []attribute {
	e, f := &r.Entry, &r.Entry.Failure
	return []attribute{
		{attrRevision, &e.Revision}, {"generation", &e.Generation}, {"state", (*string)(&e.State)},
		{"sealed", &e.Sealed}, {"made", &e.RequestDigest},
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
	it[attrFormat] = attributevalue.Number(int64(max(firstFormat, r.Entry.Format)))
	for _, a := range attributes(&r) {
		if v := attributevalue.Encode(a.value); v != nil {
			it[a.name] = v
		}
	}
	if long := variantFull(key); long != "" {
		it[attrVariantFull] = attributevalue.Text(long)
	}
	if since := r.Entry.DueSince(); !since.IsZero() {
		it[IndexPartitionKey] = attributevalue.Number(int64(shard(key)))
		it[QueueSortKey] = attributevalue.Millis(since)
	}
	if r.Entry.Due() != (store.Due{Key: key, ExpiresAt: r.Entry.ExpiresAt}) {
		it[attrQueued] = attributevalue.Number(r.Entry.Revision)
	}
	if !r.Entry.ForgetAt.IsZero() {
		it[TimeToLive] = attributevalue.Seconds(r.Entry.ForgetAt)
	}
	return it
}

// decode decodes one item. Its errors are of type [*store.RowError], name the
// key and quote nothing of the item.
func decode(it item) (store.Row, error) {
	row, err := decodeRow(it)
	if err != nil {
		var sort string
		_ = attributevalue.Decode(it[SortKey], &sort) // DynamoDB has no item without one
		err = &store.RowError{Sort: sort, Err: err}
	}
	return row, err
}

func decodeRow(it item) (store.Row, error) {
	var r store.Row
	var err error
	if r.Entry.Key, err = readKey(it); err != nil {
		return r, err
	}
	var written int64
	if err := attributevalue.Decode(it[attrFormat], &written); err != nil || written < 1 {
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
		if err := attributevalue.Decode(it[a.name], a.value); err != nil {
			return store.Row{}, fmt.Errorf("%w: %v: %s", store.ErrUnreadable, r.Entry.Key, a.name)
		}
	}
	var queued int64
	if err := attributevalue.Decode(it[attrQueued], &queued); err != nil || queued != r.Entry.Revision {
		r.Entry.AlarmAt, r.Entry.ProviderHost, r.Entry.ProviderLimit = time.Time{}, "", 0
	}
	return r, nil
}

func keyOf(key token.Key) item {
	return item{PartitionKey: attributevalue.Text(key.PartitionKey()), SortKey: attributevalue.Text(key.SortKey())}
}

func readKey(it item) (token.Key, error) {
	var partition, sort, long string
	for name, into := range map[string]*string{PartitionKey: &partition, SortKey: &sort, attrVariantFull: &long} {
		if err := attributevalue.Decode(it[name], into); err != nil {
			return token.Key{}, fmt.Errorf("%w: %s: %w", store.ErrUnreadable, name, err)
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
	if long := key.Variant.Long(); !key.IsRecord() && long != key.SortKey() {
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

package dynamo

import "github.com/tokenvend/tokenvend/pkg/store/dynamo/places"

// The table's schema, which template.yaml must match. Each of the two sparse
// indexes has its own keys and includes [IndexedBesides] or [QueuedBesides].
//
// [Index] is that of older programs, which do not write the other one. It is
// read and written until no such program can work on the table any more.
const (
	PartitionKey      = places.PartitionKey // S
	SortKey           = places.SortKey      // S
	Index             = "due"
	IndexPartitionKey = "due_shard" // N, from 0 to Shards-1
	IndexSortKey      = "next_at"   // N, milliseconds since 1970
	TimeToLive        = "forget_at" // N, seconds since 1970
	Shards            = 16
	Queue             = "queue"     // its partition key is IndexPartitionKey
	QueueSortKey      = "due_since" // N, milliseconds since 1970
)

// IndexedBesides returns the attributes in the index in addition to the keys of
// table and index: all that [Store.Due] reads.
func IndexedBesides() []string { return []string{attrExpiresAt, attrVariantFull} }

// QueuedBesides is [IndexedBesides] of the index [Queue].
func QueuedBesides() []string {
	return []string{
		IndexSortKey, attrExpiresAt, attrVariantFull, attrAlarmAt, attrHost, attrLimit, attrQueued, attrRevision,
	}
}

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

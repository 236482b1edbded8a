//go:build testall

package bench_test

import (
	"fmt"
	"maps"
	"net/http"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"go.etcd.io/bbolt"

	"github.com/tokenvend/tokenvend/pkg/credential"
	"github.com/tokenvend/tokenvend/pkg/mint"
	"github.com/tokenvend/tokenvend/pkg/seal"
	"github.com/tokenvend/tokenvend/pkg/store"
	"github.com/tokenvend/tokenvend/pkg/store/bolt"
	"github.com/tokenvend/tokenvend/pkg/store/dynamo"
	"github.com/tokenvend/tokenvend/pkg/store/memory"
	"github.com/tokenvend/tokenvend/pkg/token"
)

type item = map[string]types.AttributeValue

// each calls do for the numbers from first to end, with atOnce concurrent
// calls.
func each(first, end, atOnce int, do func(n int)) {
	next := make(chan int)
	var all sync.WaitGroup
	for range atOnce {
		all.Go(func() {
			for n := range next {
				do(n)
			}
		})
	}
	for n := first; n < end; n++ {
		next <- n
	}
	close(next)
	all.Wait()
}

// minted returns the rows of a credential with so many tokens, each for another
// choice of words, and its credential record, as rotate and vend would have
// written them.
func (s *stage) minted(source credential.Source, sealer seal.Sealer, tokens int) []store.Entry {
	s.b.Helper()
	rows := memory.New()
	m := mint.New(mint.Config{Store: rows, Source: source, Sealer: sealer, HTTP: &http.Client{Transport: s.sim}})
	terms, err := m.Registry.Terms(s.b.Context(), name)
	if err != nil {
		s.b.Fatal(err)
	}
	keys := []token.Key{token.RecordKey(name)}
	for n := range tokens {
		keys = append(keys, terms.Key("", "", choice(n)))
		if _, err := m.Token(s.b.Context(), keys[n+1], mint.Want{Proactive: true}); err != nil {
			s.b.Fatal(err)
		}
	}
	entries, err := rows.Get(s.b.Context(), store.Strong, keys...)
	if err != nil {
		s.b.Fatal(err)
	}
	// no caller requested the variants that are renewed, so their number is not
	// bounded
	for i := range entries[1:] {
		entries[1+i].AskedAt = time.Now()
	}
	return entries
}

// due makes the tokens in rows due.
func due(rows []store.Entry) []store.Entry {
	for i := range rows[1:] {
		rows[1+i].NextAt = time.Now().Add(-time.Minute)
	}
	return rows
}

// put writes rows into an empty store.
func put(b *testing.B, into store.Store, rows []store.Entry, atOnce int) {
	b.Helper()
	each(0, len(rows), atOnce, func(n int) {
		if _, err := into.Replace(b.Context(), store.Entry{Key: rows[n].Key}, rows[n]); err != nil {
			b.Error(err)
		}
	})
}

// makeDue makes renewed tokens due again.
func (s *stage) makeDue(rows []store.Entry) {
	s.b.Helper()
	past := number(time.Now().Add(-time.Minute).UnixMilli())
	each(1, len(rows), writers, func(n int) {
		_, err := s.items.UpdateItem(s.b.Context(), &dynamodb.UpdateItemInput{
			TableName: &s.table, Key: itemKey(rows[n].Key.PartitionKey(), rows[n].Key.SortKey()),
			UpdateExpression:          aws.String("SET " + dynamo.IndexSortKey + " = :past"),
			ExpressionAttributeValues: item{":past": past},
		})
		if err != nil {
			s.b.Error(err)
		}
	})
}

const writers = 4 // concurrent

// batch is DynamoDB's maximum of items per request.
const batch = 25

// standIns stores entries that are not due: copies of one, each with its own
// key. They are never opened.
func (s *stage) standIns(like token.Key, first, end int) {
	s.b.Helper()
	s.copies(like, first, end, func(name string) token.Key {
		return token.Key{Credential: "other", Variant: token.NewVariant("", name, "")}
	})
}

// copies stores copies of a row that are not due, under the keys of the names
// of the credentials from first to end.
func (s *stage) copies(like token.Key, first, end int, key func(name string) token.Key) {
	s.b.Helper()
	got, err := s.items.GetItem(s.b.Context(), &dynamodb.GetItemInput{
		TableName: &s.table, Key: itemKey(like.PartitionKey(), like.SortKey()),
	})
	if err != nil || len(got.Item) == 0 {
		s.b.Fatalf("%v: %v, %v", like, got, err)
	}
	later := number(time.Now().Add(24 * time.Hour).UnixMilli())
	each(0, (end-first+batch-1)/batch, writers, func(n int) {
		var puts []types.WriteRequest
		for i := first + n*batch; i < min(first+(n+1)*batch, end); i++ {
			k := key(credentialName(i))
			it := maps.Clone(got.Item)
			maps.Copy(it, itemKey(k.PartitionKey(), k.SortKey()))
			if it[dynamo.IndexPartitionKey] != nil {
				it[dynamo.IndexPartitionKey] = number(int64(i % dynamo.Shards))
				it[dynamo.IndexSortKey], it[dynamo.QueueSortKey] = later, later
			}
			puts = append(puts, types.WriteRequest{PutRequest: &types.PutRequest{Item: it}})
		}
		if _, err := s.items.BatchWriteItem(s.b.Context(), &dynamodb.BatchWriteItemInput{
			RequestItems: map[string][]types.WriteRequest{s.table: puts},
		}); err != nil {
			s.b.Error(err)
		}
	})
}

func itemKey(partition, sort string) item {
	return item{
		dynamo.PartitionKey: &types.AttributeValueMemberS{Value: partition},
		dynamo.SortKey:      &types.AttributeValueMemberS{Value: sort},
	}
}

func number(n int64) types.AttributeValue {
	return &types.AttributeValueMemberN{Value: fmt.Sprint(n)}
}

// fileOf creates a bbolt file with those rows and so many more that are not
// due. The latter are written directly, because the store would take an hour:
// copies of one row, and their times in the index.
func fileOf(b *testing.B, data string, rows []store.Entry, more int) {
	b.Helper()
	path := filepath.Join(data, "entries.db")
	file, err := bolt.Open(path)
	if err != nil {
		b.Fatal(err)
	}
	put(b, file, rows, 1)
	if err := file.Close(); err != nil {
		b.Fatal(err)
	}
	db, err := bbolt.Open(path, 0o600, &bbolt.Options{NoSync: true, FreelistType: bbolt.FreelistMapType})
	if err != nil {
		b.Fatal(err)
	}
	defer db.Close()
	like := rows[1].Key
	const piece = 50_000
	for first := 0; first < more; first += piece {
		err := db.Update(func(tx *bbolt.Tx) error {
			entries, due := tx.Bucket([]byte("entries")), tx.Bucket([]byte("due"))
			record := entries.Get([]byte(like.PartitionKey() + "\x00" + like.SortKey()))
			for n := first; n < min(first+piece, more); n++ {
				key := fmt.Appendf(nil, "other\x00audience=%07d", n)
				if err := entries.Put(key, record); err != nil {
					return err
				}
				at := fmt.Appendf(nil, "\x7f%07d", n) // eight bytes, far in the future
				if err := due.Put(append(at, key...), at); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			b.Fatal(err)
		}
	}
	if err := db.Sync(); err != nil {
		b.Fatal(err)
	}
}

package places

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"golang.org/x/sync/errgroup"

	"github.com/tokenvend/tokenvend/pkg/store/dynamo/attributevalue"
)

func (t *Table) fetchPair(ctx context.Context, s spot) (pair, error) {
	found, err := t.fetch(ctx, true, []spot{s.at(shared), s.at(own)})
	return pair{found[s.at(shared)], found[s.at(own)]}, err
}

// complete returns what is stored of a record. again: the record was on its
// way from one place to the other, and is further on it now.
func (t *Table) complete(ctx context.Context, s spot) (it item, again bool, err error) {
	at, err := t.fetchPair(ctx, s)
	if err != nil {
		return nil, false, err
	}
	it, marked := choose(at[shared], at[own])
	if marked {
		again, err = t.advance(ctx, s, at)
	}
	return it, again, err
}

// Move moves a record to the place of new ones, in three conditional writes: it
// marks the item that stands, copies its content to the other place, and
// removes it from the first one, which keeps the marker. Every process can
// continue from where another one stopped. It reports whether the record has
// come from the other place.
//
// Revision, generation and lease stay. The moves of a record are numbered, so
// that no late write of one that is over brings an older content back.
func (t *Table) Move(ctx context.Context, name string) (moved bool, err error) {
	s := spot{Shared, name}
	for range tries {
		at, err := t.fetchPair(ctx, s)
		if err != nil {
			return moved, err
		}
		if advanced, err := t.advance(ctx, s, at); err != nil || advanced {
			if moved = true; err != nil {
				return moved, err
			}
			continue
		}
		here, there := t.home(), t.home().other()
		switch {
		case isCurrent(at[here]) && isCurrent(at[there]):
			err = t.discardOlder(ctx, s, at)
		case isCurrent(at[there]):
			moved = true
			err = t.begin(ctx, s.at(there), at[there], nextMove(at[there]))
		case here == shared && isMarked(at[shared]) && isEmpty(at[own]):
			err = t.unmark(ctx, s, at[shared]) // an older program may create the record again
		default:
			return moved, nil
		}
		if err != nil {
			return moved, err
		}
	}
	return moved, errMoving
}

// advance does the next step of a move that has begun. It reports whether there
// was one.
func (t *Table) advance(ctx context.Context, s spot, at pair) (bool, error) {
	inShared, inOwn := at[shared], at[own]
	switch {
	case isToBeMoved(inShared) && isToBeMoved(inOwn):
		older := laterMove(inShared, inOwn).other()
		return true, t.strip(ctx, s, older, at[older])
	case isToBeMoved(inShared) && isCurrent(inOwn):
		return true, t.strip(ctx, s, shared, inShared)
	case isToBeMoved(inOwn) && isCurrent(inShared):
		return true, t.strip(ctx, s, own, inOwn)
	case isToBeMoved(inShared):
		return true, t.copy(ctx, s, own, at)
	case isToBeMoved(inOwn):
		return true, t.copy(ctx, s, shared, at)
	case isMarked(inShared) && isMarked(inOwn): // the record is gone, and may be created again
		return true, t.unmark(ctx, s.at(own), inOwn)
	}
	return false, nil
}

// nextMove returns the number of a record's next move. A number that no program
// reaches was forged, and counts as none.
func nextMove(it item) int64 {
	const most = 1 << 40
	if n := number(it, attrMoves); n >= 0 && n < most {
		return n + 1
	}
	return 1
}

// discardOlder marks the older one of two items that count. One at the place of
// new records is removed too, and can be replaced by the other then.
func (t *Table) discardOlder(ctx context.Context, s spot, at pair) error {
	here, there := t.home(), t.home().other()
	older := shared
	if compare(at[shared], at[own]) > 0 {
		older = own
	}
	if older == there {
		return t.begin(ctx, s.at(there), at[there], nextMove(at[there]))
	}
	return t.begin(ctx, s.at(here), at[here], nextMove(at[there])-1)
}

// begin marks an item that counts. From then on no program writes it.
func (t *Table) begin(ctx context.Context, s spot, it item, nth int64) error {
	if f := number(it, attrFormat); f < 1 || f >= movedFormat {
		return fmt.Errorf("the record %s has a format that this program does not know", spotOf(it).sort)
	}
	_, _, err := t.change(ctx, s, change{
		update:    "SET #moved = :nth, #moved_format = :format, #format = :marked",
		condition: "#revision = :seen AND attribute_not_exists(#moved)",
		values: item{
			":nth": attributevalue.Number(nth), ":format": it[attrFormat], ":seen": it[attrRevision],
			":marked": attributevalue.Number(movedFormat),
		},
	})
	return err
}

// copy writes the content of an item that is to be moved over what stands at
// the place p, unless another process has moved it on meanwhile. A marker there
// that is of a later move was not written by this program, and is removed.
func (t *Table) copy(ctx context.Context, s spot, p place, at pair) error {
	it, over := at[p.other()], at[p]
	if isMarked(over) && number(over, attrMoved) >= number(it, attrMoved) {
		return t.unmark(ctx, s.at(p), over)
	}
	content := unmarked(it)
	content[attrMoves] = it[attrMoved]
	c := change{
		condition: "attribute_not_exists(#revision) AND (attribute_not_exists(#moved) OR #moved < :moves)",
		values:    item{},
	}
	var set, remove []string
	for _, name := range besidesKeys(content) {
		set = append(set, "#"+name+" = :"+name)
		c.values[":"+name] = content[name]
	}
	for _, name := range append(besidesKeys(over), attrMoved) {
		if _, stays := content[name]; !stays && !slices.Contains(remove, "#"+name) {
			remove = append(remove, "#"+name)
		}
	}
	c.update = "SET " + strings.Join(set, ", ") + " REMOVE " + strings.Join(remove, ", ")
	_, _, err := t.change(ctx, s.at(p), c)
	return err
}

// markerLifetime is how long the marker of a record that was moved back stays.
// It outlives all processes of the layout that looks there.
const markerLifetime = 24 * time.Hour

// strip removes the content of an item whose record stands at the other place.
func (t *Table) strip(ctx context.Context, s spot, p place, it item) error {
	c := change{
		condition: "#moved = :nth AND attribute_exists(#revision)",
		values:    item{":nth": it[attrMoved]},
	}
	var remove []string
	for _, name := range besidesKeys(it) {
		if name != attrMoved && name != attrFormat && (p == shared || name != attrForget) {
			remove = append(remove, "#"+name)
		}
	}
	c.update = "REMOVE " + strings.Join(remove, ", ")
	if p == own {
		c.update += " SET #forget_at = :forget"
		c.values[":forget"] = attributevalue.Seconds(time.Now().Add(markerLifetime))
	}
	_, _, err := t.change(ctx, s.at(p), c)
	return err
}

// unmark makes a marker without content an item with which nothing is stored.
func (t *Table) unmark(ctx context.Context, s spot, it item) error {
	_, _, err := t.change(ctx, s, change{
		update:    "REMOVE #moved SET #format = :one, #forget_at = :forget",
		condition: "#moved = :nth AND attribute_not_exists(#revision)",
		values: item{
			":nth": it[attrMoved], ":one": attributevalue.Number(1),
			":forget": attributevalue.Seconds(time.Now().Add(markerLifetime)),
		},
	})
	return err
}

// besidesKeys returns the names of an item's attributes, sorted, except those
// of its key and any that no program writes.
func besidesKeys(it item) []string {
	return slices.DeleteFunc(slices.Sorted(maps.Keys(it)), func(name string) bool {
		return name == PartitionKey || name == SortKey || strings.Trim(name, nameLetters) != ""
	})
}

// movesAtOnce is how many records are moved at once.
const movesAtOnce = 16

// MoveAll moves all records that do not stand at the place of new ones, and
// returns how many it moved. It reports those that it could not. An error ends
// it: that of ctx, or of a list.
func (t *Table) MoveAll(ctx context.Context, report func(name string, err error)) (moved int, err error) {
	query := t.partition("")
	query.FilterExpression = aws.String("attribute_exists(#stands)")
	query.ProjectionExpression = aws.String("#credential, #variant")
	query.ExpressionAttributeNames["#variant"] = SortKey
	query.ExpressionAttributeNames["#stands"] = attrRevision
	if t.home() == shared {
		query.ExpressionAttributeNames["#stands"] = attrMoved
	}
	for {
		page, err := t.Client.Query(ctx, query)
		if err != nil {
			return moved, err
		}
		some, err := t.moveSome(ctx, page.Items, report)
		moved += some
		if err != nil || len(page.LastEvaluatedKey) == 0 {
			return moved, err
		}
		query.ExclusiveStartKey = page.LastEvaluatedKey
	}
}

func (t *Table) moveSome(ctx context.Context, items []item, report func(name string, err error)) (int, error) {
	var all errgroup.Group
	all.SetLimit(movesAtOnce)
	var mu sync.Mutex
	moved := 0
	for _, it := range items {
		all.Go(func() error {
			name := spotOf(it).sort
			here, err := t.Move(ctx, name)
			mu.Lock()
			defer mu.Unlock()
			if ctx.Err() != nil {
				return ctx.Err()
			}
			if err != nil {
				report(name, err)
			} else if here {
				moved++
			}
			return nil
		})
	}
	err := all.Wait()
	return moved, err
}

package dynamodb

import (
	"maps"
	"slices"

	"github.com/google/btree"
)

// keys are the attributes that identify an item in a table, or order it in an
// index.
type keys struct{ hash, sort string }

// index is a global secondary index.
type index struct {
	keys
	projected []string // besides the keys; nil with all
	all       bool
	rows      *sortedItems // those that have all keys
}

// table is one table. Its server's mutex guards it. An item that is stored is
// not changed but replaced.
type table struct {
	keys
	types   map[string]kind // of the attributes that are keys of the table or an index
	indexes map[string]index
	created createTable
	items   map[string]item // by id
	rows    *sortedItems    // all of them
}

// sortedItems holds items by hash key, by sort key and then by the table's own
// key: the order in which DynamoDB returns them.
type sortedItems = btree.BTreeG[item]

// degree is the number of children of a node.
const degree = 32

// newSortedItems returns an empty set of items in the order of those
// attributes. An item without an attribute comes before all that have it.
func newSortedItems(attributes []string) *sortedItems {
	return btree.NewG(degree, func(a, b item) bool { return order(attributes, a, b) < 0 })
}

// store replaces an item by another one with the same key; nil for none.
func (t *table) store(id string, becomes item) {
	was := t.items[id]
	if was != nil {
		t.rows.Delete(was)
		delete(t.items, id)
	}
	if becomes != nil {
		t.rows.ReplaceOrInsert(becomes)
		t.items[id] = becomes
	}
	for _, x := range t.indexes {
		if was != nil {
			x.rows.Delete(was)
		}
		if becomes != nil && x.holds(becomes) {
			x.rows.ReplaceOrInsert(becomes)
		}
	}
}

// names lists the attributes that the keys are.
func (k keys) names() []string {
	if k.sort == "" {
		return []string{k.hash}
	}
	return []string{k.hash, k.sort}
}

// id spells the key of an item as one text.
func (k keys) id(it item) string {
	id := ""
	for _, name := range k.names() {
		v := it[name]
		id += string(v.kind) + "\x00" + v.text + "\x00"
	}
	return id
}

// of returns the attributes of an item that are its key.
func (k keys) of(it item) item {
	key := item{}
	for _, name := range k.names() {
		key[name] = it[name]
	}
	return key
}

// checkKey checks the key of a request: all of it, and nothing else.
func (t *table) checkKey(key item) error {
	if len(key) != len(t.names()) {
		return invalid("The provided key element does not match the schema")
	}
	for _, name := range t.names() {
		v, there := key[name]
		if !there || v.kind != t.types[name] {
			return invalid("The provided key element does not match the schema")
		}
		if v.text == "" {
			return invalid("One or more parameter values are not valid. "+
				"The AttributeValue for a key attribute cannot contain an empty string value. Key: %s", name)
		}
	}
	return nil
}

const mostBytes = 400 << 10 // of an item

// check checks an item that is about to be stored.
func (t *table) check(it item) error {
	if err := t.checkKey(t.of(it)); err != nil {
		return err
	}
	for name, x := range t.indexes {
		for _, attribute := range x.names() {
			v, there := it[attribute]
			if there && v.kind != t.types[attribute] {
				return invalid("One or more parameter values were invalid: Type mismatch for Index Key %s Expected: "+
					"%s "+
					"Actual: %s IndexName: %s", attribute, t.types[attribute], v.kind, name)
			}
			if there && v.text == "" {
				return invalid("One or more parameter values are not valid. A value specified for a secondary index "+
					"key "+
					"is not supported. The AttributeValue for a key attribute cannot contain an empty string value. "+
					"IndexName: %s, IndexKey: %s", name, attribute)
			}
		}
	}
	if it.size() > mostBytes {
		return invalid("Item size has exceeded the maximum allowed size")
	}
	return nil
}

// holds reports whether the index has the item: it must have all keys.
func (x index) holds(it item) bool {
	return !slices.ContainsFunc(x.names(), func(name string) bool { _, there := it[name]; return !there })
}

// order orders two items by those attributes.
func order(attributes []string, a, b item) int {
	for _, name := range attributes {
		if order := before(a[name], b[name]); order != 0 {
			return order
		}
	}
	return 0
}

// project returns what an index holds of an item.
func (t *table) project(x *index, it item) item {
	if x == nil || x.all {
		return it
	}
	seen := item{}
	for _, name := range slices.Concat(t.names(), x.names(), x.projected) {
		if v, there := it[name]; there {
			seen[name] = v
		}
	}
	return seen
}

// pick returns the named attributes of an item; nil names all.
func pick(it item, names []string) item {
	if names == nil {
		return maps.Clone(it)
	}
	picked := item{}
	for _, name := range names {
		if v, there := it[name]; there {
			picked[name] = v
		}
	}
	return picked
}

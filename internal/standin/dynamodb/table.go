package dynamodb

import (
	"maps"
	"slices"
)

// keys are the attributes that identify an item in a table, or order it in an
// index.
type keys struct{ hash, sort string }

// index is a global secondary index.
type index struct {
	keys
	projected []string // besides the keys; nil with all
	all       bool
}

// table is one table. Its server's mutex guards it.
type table struct {
	keys
	types   map[string]kind // of the attributes that are keys of the table or an index
	indexes map[string]index
	created createTable
	items   map[string]item // by id
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

// rows returns the selected items of the table, or of one of its indexes, in
// the order of a scan: by hash key, sort key and then the table's own key.
func (t *table) rows(x *index, selected condition) []item {
	by := t.keys
	if x != nil {
		by = x.keys
	}
	var rows []item
	for _, it := range t.items {
		if x != nil && !x.holds(it) || !selected(it) {
			continue
		}
		rows = append(rows, it)
	}
	slices.SortFunc(rows, func(a, b item) int { return t.order(by, a, b) })
	return rows
}

// holds reports whether the index has the item: it must have all keys.
func (x index) holds(it item) bool {
	return !slices.ContainsFunc(x.names(), func(name string) bool { _, there := it[name]; return !there })
}

// order orders two items by those keys, and by the table's own where these are
// the same.
func (t *table) order(by keys, a, b item) int {
	for _, name := range append(by.names(), t.names()...) {
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

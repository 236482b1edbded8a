package dynamodb

import (
	"iter"
	"slices"
	"strings"
)

// search is what Query and Scan share.
type search struct {
	expressions
	TableName            string
	IndexName            string
	FilterExpression     *string
	ProjectionExpression *string
	ExclusiveStartKey    item
	Limit                *int
	ConsistentRead       bool
}

type query struct {
	search
	KeyConditionExpression *string
	ScanIndexForward       *bool
}

func (s *Server) query(in *query) (any, error) {
	return s.run(&in.search, func(t *table, by keys, p *placeholders) (keyRange, error) {
		if in.KeyConditionExpression == nil {
			return keyRange{}, invalid(
				"Either the KeyConditions or KeyConditionExpression parameter must be specified in the request.",
			)
		}
		if in.ScanIndexForward != nil && !*in.ScanIndexForward {
			return keyRange{}, invalid("the stand-in implements no backward queries")
		}
		return p.parseKeyCondition(t, by, *in.KeyConditionExpression)
	})
}

func (s *Server) scan(in *search) (any, error) {
	return s.run(in, func(*table, keys, *placeholders) (keyRange, error) {
		return keyRange{holds: func(item) bool { return true }}, nil
	})
}

// keyRange is what a key condition selects: of the items in the order of the
// keys those that follow one another from the first that it holds of.
type keyRange struct {
	holds condition
	from  item // the keys from which on such items can be
	above bool // not at these keys themselves
}

// mostPage is how much one page of an answer may hold.
const mostPage = 1 << 20

// run performs a search for the items that a key condition selects.
func (s *Server) run(in *search, keyCondition func(*table, keys, *placeholders) (keyRange, error)) (any, error) {
	t, err := s.table(in.TableName)
	if err != nil {
		return nil, err
	}
	by, x := t.keys, (*index)(nil)
	if in.IndexName != "" {
		found, there := t.indexes[in.IndexName]
		if !there {
			return nil, invalid("The table does not have the specified index: %s", in.IndexName)
		}
		if in.ConsistentRead {
			return nil, invalid("Consistent reads are not supported on global secondary indexes")
		}
		by, x = found.keys, &found
	}
	if in.Limit != nil && *in.Limit < 1 {
		return nil, invalid("1 validation error detected: Value '%d' at 'limit' failed to satisfy constraint: "+
			"Member must have value greater than or equal to 1", *in.Limit)
	}
	p := newPlaceholders(in.ExpressionAttributeNames, in.ExpressionAttributeValues)
	selected, err := keyCondition(t, by, p)
	if err != nil {
		return nil, err
	}
	filter, err := p.parseCondition("FilterExpression", in.FilterExpression)
	if err != nil {
		return nil, err
	}
	names, err := p.parseProjection(in.ProjectionExpression)
	if err == nil {
		err = p.unused()
	}
	if err != nil {
		return nil, err
	}
	return t.page(in, x, selected, filter, names), nil
}

// page returns the next page of the items that are selected. Limit counts items
// before the filter, as in DynamoDB.
func (t *table) page(in *search, x *index, selected keyRange, filter condition, names []string) any {
	by, rows := t.keys, t.rows
	if x != nil {
		by, rows = x.keys, x.rows
	}
	attributes := slices.Concat(t.names(), by.names())
	items, examined, bytes := []item{}, 0, 0
	var last, previous item
	for it := range selected.items(rows, slices.Concat(by.names(), t.names()), in.ExclusiveStartKey) {
		if bytes > mostPage {
			last = previous
			break
		}
		seen := t.project(x, it)
		examined, bytes, previous = examined+1, bytes+seen.size(), it
		if filter(seen) {
			items = append(items, pick(seen, names))
		}
		if in.Limit != nil && examined == *in.Limit {
			last = it
			break
		}
	}
	answer := map[string]any{"Items": items, "Count": len(items), "ScannedCount": examined}
	if last != nil {
		answer["LastEvaluatedKey"] = pick(last, attributes)
	}
	return answer
}

// items yields the items of the range after a key, nil for all, in the order of
// those attributes.
func (r keyRange) items(rows *sortedItems, attributes []string, after item) iter.Seq[item] {
	from := r.from
	if after != nil && order(attributes, after, from) > 0 {
		from = after
	}
	return func(yield func(item) bool) {
		rows.AscendGreaterOrEqual(from, func(it item) bool {
			switch {
			case after != nil && order(attributes, it, after) <= 0:
				return true
			case !r.holds(it):
				return r.above && r.isAtStart(it)
			}
			return yield(it)
		})
	}
}

// isAtStart reports whether an item has the keys from which on the range is.
func (r keyRange) isAtStart(it item) bool {
	for name, v := range r.from {
		if !equal(it[name], v) {
			return false
		}
	}
	return true
}

// parseKeyCondition reads a KeyConditionExpression: the hash key equals a
// value, and the sort key meets one comparison.
func (p *placeholders) parseKeyCondition(t *table, by keys, text string) (r keyRange, err error) {
	x := p.parser("KeyConditionExpression", text)
	clauses := map[string]condition{}
	r.from = item{}
	for {
		name, op, c, value := x.keyClause()
		if x.err != nil {
			return r, x.err
		}
		if name != by.hash && name != by.sort || clauses[name] != nil || name == by.hash && op != "=" {
			return r, invalid("Query key condition not supported")
		}
		clauses[name] = c
		if op != "<" && op != "<=" {
			r.from[name] = value
		}
		r.above = r.above || op == ">"
		if !x.word("AND") {
			break
		}
	}
	if err := x.end(); err != nil {
		return r, err
	}
	if clauses[by.hash] == nil {
		return r, invalid("Query condition missed key schema element: %s", by.hash)
	}
	r.holds, err = x.keyTypes(t, clauses, by)
	return r, err
}

// keyClause reads one comparison of a key with a value: the lower one of
// BETWEEN.
func (x *parser) keyClause() (name, op string, c condition, v value) {
	begin := slices.Clone(x.rest)
	if x.peek() == "begins_with" {
		x.rest = x.rest[min(2, len(x.rest)):]
		name, op = x.name(), "begins_with"
	} else {
		name, op = x.name(), x.peek()
	}
	if op == "<>" || strings.EqualFold(op, "IN") {
		x.fail("Invalid operator used in KeyConditionExpression: %s", op)
	}
	if len(x.rest) > 1 { // after the operator, or the comma of begins_with
		v = x.values[x.rest[1]]
	}
	x.rest = begin
	if op == "begins_with" {
		return name, op, x.not(), v
	}
	return name, op, x.comparison(), v
}

// keyTypes checks that the values have the type of the keys. It looks at what
// the clauses make of an item that holds the wrong kind: none may match it.
func (x *parser) keyTypes(t *table, clauses map[string]condition, by keys) (condition, error) {
	for placeholder := range x.used {
		v, is := x.values[placeholder]
		if is && v.kind != t.types[by.hash] && (clauses[by.sort] == nil || v.kind != t.types[by.sort]) {
			return nil, invalid(
				"One or more parameter values were invalid: Condition parameter type does not match schema type",
			)
		}
	}
	return func(it item) bool {
		return clauses[by.hash](it) && (clauses[by.sort] == nil || clauses[by.sort](it))
	}, nil
}

package dynamodb

import (
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
	return s.run(&in.search, func(t *table, by keys, p *placeholders) (condition, error) {
		if in.KeyConditionExpression == nil {
			return nil, invalid(
				"Either the KeyConditions or KeyConditionExpression parameter must be specified in the request.",
			)
		}
		if in.ScanIndexForward != nil && !*in.ScanIndexForward {
			return nil, invalid("the stand-in implements no backward queries")
		}
		return p.parseKeyCondition(t, by, *in.KeyConditionExpression)
	})
}

func (s *Server) scan(in *search) (any, error) {
	return s.run(in, func(*table, keys, *placeholders) (condition, error) {
		return func(item) bool { return true }, nil
	})
}

// mostPage is how much one page of an answer may hold.
const mostPage = 1 << 20

// run performs a search for the items that a key condition selects.
func (s *Server) run(in *search, keyCondition func(*table, keys, *placeholders) (condition, error)) (any, error) {
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

// page returns the next page of the rows that are selected. Limit counts rows
// before the filter, as in DynamoDB.
func (t *table) page(in *search, x *index, selected, filter condition, names []string) any {
	by := t.keys
	if x != nil {
		by = x.keys
	}
	items, examined, bytes := []item{}, 0, 0
	var last item
	rows := t.rows(x, func(it item) bool {
		return selected(it) && (in.ExclusiveStartKey == nil || t.order(by, it, in.ExclusiveStartKey) > 0)
	})
	for i, it := range rows {
		seen := t.project(x, it)
		examined, bytes = examined+1, bytes+seen.size()
		if filter(seen) {
			items = append(items, pick(seen, names))
		}
		full := in.Limit != nil && examined == *in.Limit || bytes > mostPage
		if full && (i < len(rows)-1 || in.Limit != nil && examined == *in.Limit) {
			last = pick(it, slices.Concat(t.names(), by.names()))
			break
		}
	}
	answer := map[string]any{"Items": items, "Count": len(items), "ScannedCount": examined}
	if last != nil {
		answer["LastEvaluatedKey"] = last
	}
	return answer
}

// parseKeyCondition reads a KeyConditionExpression: the hash key equals a
// value, and the sort key meets one comparison.
func (p *placeholders) parseKeyCondition(t *table, by keys, text string) (condition, error) {
	x := p.parser("KeyConditionExpression", text)
	clauses := map[string]condition{}
	for {
		name, op, c := x.keyClause()
		if x.err != nil {
			return nil, x.err
		}
		if name != by.hash && name != by.sort || clauses[name] != nil || name == by.hash && op != "=" {
			return nil, invalid("Query key condition not supported")
		}
		clauses[name] = c
		if !x.word("AND") {
			break
		}
	}
	if err := x.end(); err != nil {
		return nil, err
	}
	if clauses[by.hash] == nil {
		return nil, invalid("Query condition missed key schema element: %s", by.hash)
	}
	return x.keyTypes(t, clauses, by)
}

// keyClause reads one comparison of a key with a value.
func (x *parser) keyClause() (name, op string, c condition) {
	begin := slices.Clone(x.rest)
	if x.peek() == "begins_with" {
		x.rest = x.rest[min(2, len(x.rest)):]
		name, op = x.name(), "begins_with"
		x.rest = begin
		return name, op, x.not()
	}
	name = x.name()
	op = x.peek()
	if op == "<>" || strings.EqualFold(op, "IN") {
		x.fail("Invalid operator used in KeyConditionExpression: %s", op)
	}
	x.rest = begin
	return name, op, x.comparison()
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

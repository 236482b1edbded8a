package dynamodb

import (
	"maps"
	"math/big"
	"slices"
	"strings"
)

// change is one action of an UpdateExpression: it reads what the item was, and
// writes what it becomes.
type change func(was, becomes item) error

// update is a parsed UpdateExpression.
type update struct {
	changes []change
	names   []string // the attributes that it writes
}

// parseUpdate reads an UpdateExpression. None changes nothing.
func (p *placeholders) parseUpdate(text *string) (update, error) {
	var u update
	if text == nil {
		return u, nil
	}
	x := p.parser("UpdateExpression", *text)
	sections := map[string]func(name string) change{"SET": x.set, "REMOVE": remove, "ADD": x.add, "DELETE": x.delete}
	for x.peek() != "" {
		section := strings.ToUpper(x.next())
		read := sections[section]
		if read == nil {
			x.fail("Syntax error, or a section that comes twice; token: %q", section)
			break
		}
		delete(sections, section)
		for {
			name := x.name()
			if slices.Contains(u.names, name) {
				x.fail("Two document paths overlap with each other; must remove or rewrite one of these paths; "+
					"path one: [%s], path two: [%s]", name, name)
			}
			u.names, u.changes = append(u.names, name), append(u.changes, read(name))
			if x.peek() != "," {
				break
			}
			x.next()
		}
	}
	return u, x.end()
}

// apply returns the item after the update, and leaves was alone.
func (u update) apply(was item) (item, error) {
	becomes := item{}
	maps.Copy(becomes, was)
	for _, c := range u.changes {
		if err := c(was, becomes); err != nil {
			return nil, err
		}
	}
	return becomes, nil
}

func (x *parser) set(name string) change {
	x.want("=")
	left := x.source()
	op := x.peek()
	if op != "+" && op != "-" {
		return assign(name, left)
	}
	x.next()
	right := x.source()
	return assign(name, func(it item) (value, error) {
		a, err := left(it)
		if err != nil {
			return a, err
		}
		b, err := right(it)
		if err != nil {
			return b, err
		}
		return sum(a, b, op == "-")
	})
}

// source returns what an attribute is set to.
type source func(item) (value, error)

func assign(name string, from source) change {
	return func(was, becomes item) (err error) {
		becomes[name], err = from(was)
		return err
	}
}

func (x *parser) source() source {
	token := x.peek()
	call := len(x.rest) > 1 && x.rest[1] == "("
	switch {
	case call && token == "if_not_exists":
		x.rest = x.rest[2:]
		name := x.name()
		x.want(",")
		otherwise := x.source()
		x.want(")")
		return func(it item) (value, error) {
			if v, there := it[name]; there {
				return v, nil
			}
			return otherwise(it)
		}
	case call && token == "list_append":
		x.rest = x.rest[2:]
		left := x.source()
		x.want(",")
		right := x.source()
		x.want(")")
		return concat(left, right)
	case call:
		x.fail("Invalid function name; function: %s", token)
	}
	from := x.operand()
	return func(it item) (value, error) {
		v, there := from(it)
		if !there {
			return v, invalid("The provided expression refers to an attribute that does not exist in the item")
		}
		return v, nil
	}
}

func concat(left, right source) source {
	return func(it item) (value, error) {
		a, err := left(it)
		if err != nil {
			return a, err
		}
		b, err := right(it)
		if err == nil && (a.kind != kindList || b.kind != kindList) {
			err = invalid("An operand in the update expression has an incorrect data type")
		}
		return value{kind: kindList, list: slices.Concat(a.list, b.list)}, err
	}
}

func sum(a, b value, minus bool) (value, error) {
	if a.kind != kindNumber || b.kind != kindNumber {
		return value{}, invalid("An operand in the update expression has an incorrect data type")
	}
	if minus {
		return numberOf(new(big.Rat).Sub(a.number, b.number)), nil
	}
	return numberOf(new(big.Rat).Add(a.number, b.number)), nil
}

func remove(name string) change {
	return func(_, becomes item) error {
		delete(becomes, name)
		return nil
	}
}

func (x *parser) add(name string) change {
	v := x.value()
	if v.kind != kindNumber && !v.isSet() {
		x.fail("Incorrect operand type for operator or function; operator: ADD, operand type: %s", v.kind)
	}
	return func(was, becomes item) (err error) {
		old, there := was[name]
		switch {
		case !there:
			becomes[name] = v
		case v.kind == kindNumber:
			becomes[name], err = sum(old, v, false)
		case old.kind != v.kind:
			err = invalid("An operand in the update expression has an incorrect data type")
		default:
			more := slices.DeleteFunc(slices.Clone(v.list), func(e value) bool { return contains(old.list, e) })
			becomes[name] = value{kind: v.kind, list: slices.Concat(old.list, more)}
		}
		return err
	}
}

func (x *parser) delete(name string) change {
	v := x.value()
	if !v.isSet() {
		x.fail("Incorrect operand type for operator or function; operator: DELETE, operand type: %s", v.kind)
	}
	return func(was, becomes item) error {
		old, there := was[name]
		if !there {
			return nil
		}
		if old.kind != v.kind {
			return invalid("An operand in the update expression has an incorrect data type")
		}
		left := slices.DeleteFunc(slices.Clone(old.list), func(e value) bool { return contains(v.list, e) })
		if becomes[name] = (value{kind: v.kind, list: left}); len(left) == 0 {
			delete(becomes, name)
		}
		return nil
	}
}

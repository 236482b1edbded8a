package dynamodb

import (
	"math/big"
	"slices"
	"strings"
)

// condition reports whether an item meets an expression.
type condition func(item) bool

// operand returns the value of a part of an expression; ok is false where the
// item lacks it.
type operand func(item) (v value, ok bool)

// parseCondition reads a ConditionExpression or a FilterExpression.
func (p *placeholders) parseCondition(parameter string, text *string) (condition, error) {
	if text == nil {
		return func(item) bool { return true }, nil
	}
	x := p.parser(parameter, *text)
	c := x.or()
	return c, x.end()
}

func (x *parser) or() condition {
	left := x.and()
	for x.word("OR") {
		a, b := left, x.and()
		left = func(it item) bool { return a(it) || b(it) }
	}
	return left
}

func (x *parser) and() condition {
	left := x.not()
	for x.word("AND") {
		a, b := left, x.not()
		left = func(it item) bool { return a(it) && b(it) }
	}
	return left
}

func (x *parser) not() condition {
	if x.word("NOT") {
		c := x.not()
		return func(it item) bool { return !c(it) }
	}
	if x.peek() == "(" {
		x.next()
		if x.wrapsAll() {
			x.fail("The expression has redundant parentheses;")
		}
		c := x.or()
		x.want(")")
		return c
	}
	if f, known := functions[x.peek()]; known && len(x.rest) > 1 && x.rest[1] == "(" {
		x.next()
		x.next()
		c := f(x)
		x.want(")")
		return c
	}
	return x.comparison()
}

// wrapsAll reports whether the group that has just been opened holds nothing
// but another group.
func (x *parser) wrapsAll() bool {
	if x.peek() != "(" {
		return false
	}
	depth := 0
	for i, token := range x.rest {
		switch token {
		case "(":
			depth++
		case ")":
			depth--
		}
		if depth == 0 {
			return i+1 < len(x.rest) && x.rest[i+1] == ")"
		}
	}
	return false
}

// functions are those that are conditions, after their opening parenthesis.
var functions = map[string]func(*parser) condition{
	"attribute_exists":     func(x *parser) condition { return has(x.name(), true) },
	"attribute_not_exists": func(x *parser) condition { return has(x.name(), false) },
	"attribute_type": func(x *parser) condition {
		return x.two(func(v, of value) bool { return string(v.kind) == of.text })
	},
	"begins_with": func(x *parser) condition {
		return x.two(func(v, with value) bool { return v.kind == with.kind && strings.HasPrefix(v.text, with.text) })
	},
	"contains": func(x *parser) condition {
		return x.two(func(v, part value) bool {
			if v.kind == kindText && part.kind == kindText {
				return strings.Contains(v.text, part.text)
			}
			return contains(v.list, part)
		})
	},
}

func has(name string, want bool) condition {
	return func(it item) bool {
		_, there := it[name]
		return there == want
	}
}

// two reads the two operands of a function.
func (x *parser) two(holds func(a, b value) bool) condition {
	a := x.operand()
	x.want(",")
	return both(a, x.operand(), holds)
}

// both is false where one of the two operands is missing.
func both(a, b operand, holds func(a, b value) bool) condition {
	return func(it item) bool {
		left, hasLeft := a(it)
		right, hasRight := b(it)
		return hasLeft && hasRight && holds(left, right)
	}
}

// operand reads a name, a placeholder or size(name).
func (x *parser) operand() operand {
	switch token := x.peek(); {
	case strings.HasPrefix(token, ":"):
		v := x.value()
		return func(item) (value, bool) { return v, true }
	case token == "size" && len(x.rest) > 1 && x.rest[1] == "(":
		x.next()
		x.next()
		name := x.name()
		x.want(")")
		return sizeOf(name)
	}
	name := x.name()
	return func(it item) (value, bool) {
		v, ok := it[name]
		return v, ok
	}
}

func sizeOf(name string) operand {
	return func(it item) (value, bool) {
		v, ok := it[name]
		n := len(v.text)
		switch v.kind {
		case kindNumber, kindBool, kindNull:
			return value{}, false
		case kindList, kindTexts, kindNumbers, kindBins:
			n = len(v.list)
		case kindMap:
			n = len(v.fields)
		}
		return numberOf(new(big.Rat).SetInt64(int64(n))), ok
	}
}

// comparators say what each makes of the order of its operands.
var comparators = map[string]func(order int) bool{
	"<":  func(order int) bool { return order < 0 },
	"<=": func(order int) bool { return order <= 0 },
	">":  func(order int) bool { return order > 0 },
	">=": func(order int) bool { return order >= 0 },
}

// distinct refuses a comparison of an operand with itself.
func (x *parser) distinct(left, right string) {
	if left == right && !strings.HasPrefix(left, ":") {
		x.fail("The first operand must be distinct from the remaining operands for this operator or function;")
	}
}

func (x *parser) comparison() condition {
	first := x.peek()
	left := x.operand()
	switch {
	case x.word("BETWEEN"):
		low := x.values[x.peek()]
		from := x.operand()
		if !x.word("AND") {
			x.fail("Syntax error; token: %q, want AND", x.peek())
		}
		high := x.values[x.peek()]
		to := x.operand()
		if order, ok := compare(low, high); ok && order > 0 {
			x.fail("The BETWEEN operator requires upper bound to be greater than or equal to lower bound;")
		}
		above, below := both(left, from, ordered(">=")), both(left, to, ordered("<="))
		return func(it item) bool { return above(it) && below(it) }
	case x.word("IN"):
		return x.in(left)
	}
	switch op := x.next(); op {
	case "=":
		x.distinct(first, x.peek())
		return both(left, x.operand(), equal)
	case "<>":
		x.distinct(first, x.peek())
		same := both(left, x.operand(), equal)
		return func(it item) bool { return !same(it) }
	case "<", "<=", ">", ">=":
		x.distinct(first, x.peek())
		x.orderable(op)
		return both(left, x.operand(), ordered(op))
	default:
		x.fail("Syntax error; token: %q, want a comparator", op)
		return nil
	}
}

// orderable refuses a value of a kind that has no order.
func (x *parser) orderable(op string) {
	v, is := x.values[x.peek()]
	if is && v.kind != kindNumber && v.kind != kindText && v.kind != kindBinary {
		x.fail("Incorrect operand type for operator or function; operator: %s, operand type: %s", op, v.kind)
	}
}

func ordered(comparator string) func(a, b value) bool {
	return func(a, b value) bool {
		order, ok := compare(a, b)
		return ok && comparators[comparator](order)
	}
}

func (x *parser) in(left operand) condition {
	x.want("(")
	any := []condition{both(left, x.operand(), equal)}
	for x.peek() == "," {
		x.next()
		any = append(any, both(left, x.operand(), equal))
	}
	x.want(")")
	return func(it item) bool { return slices.ContainsFunc(any, func(c condition) bool { return c(it) }) }
}

package dynamodb

import (
	"bytes"
	"cmp"
	"encoding/json"
	"math/big"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/tokenvend/tokenvend/internal/standin/wire"
)

// kind is the type of an attribute's value, as the wire spells it.
type kind string

const (
	kindText    kind = "S"
	kindNumber  kind = "N"
	kindBinary  kind = "B"
	kindBool    kind = "BOOL"
	kindNull    kind = "NULL"
	kindList    kind = "L"
	kindMap     kind = "M"
	kindTexts   kind = "SS"
	kindNumbers kind = "NS"
	kindBins    kind = "BS"
)

// element is the kind of a set's elements; "" for what is no set.
var element = map[kind]kind{kindTexts: kindText, kindNumbers: kindNumber, kindBins: kindBinary}

// value is an attribute's value. The field that counts depends on kind.
type value struct {
	kind   kind
	text   string   // S; B: the bytes; N: the number in its shortest spelling
	number *big.Rat // N
	flag   bool     // BOOL, NULL
	list   []value  // L and sets
	fields item     // M
}

// item maps the names of attributes to their values.
type item map[string]value

func (v value) isSet() bool { return element[v.kind] != "" }

// UnmarshalJSON reads {"S": "text"} and its like.
func (v *value) UnmarshalJSON(data []byte) error {
	var members map[kind]json.RawMessage
	if err := json.Unmarshal(data, &members); err != nil {
		return err
	}
	if len(members) != 1 {
		return invalid("Supplied AttributeValue is empty, must contain exactly one of the supported datatypes")
	}
	for k, raw := range members {
		v.kind = k
		return v.read(raw)
	}
	return nil
}

func (v *value) read(raw json.RawMessage) error {
	switch v.kind {
	case kindText:
		return json.Unmarshal(raw, &v.text)
	case kindBinary:
		var b []byte
		err := json.Unmarshal(raw, &b)
		v.text = string(b)
		return err
	case kindNumber:
		if err := json.Unmarshal(raw, &v.text); err != nil {
			return err
		}
		return v.parseNumber()
	case kindBool, kindNull:
		return json.Unmarshal(raw, &v.flag)
	case kindList:
		return json.Unmarshal(raw, &v.list)
	case kindMap:
		return json.Unmarshal(raw, &v.fields)
	case kindTexts, kindNumbers, kindBins:
		return v.readSet(raw)
	}
	return invalid("Supplied AttributeValue is empty, must contain exactly one of the supported datatypes")
}

func (v *value) readSet(raw json.RawMessage) error {
	var elements []json.RawMessage
	if err := json.Unmarshal(raw, &elements); err != nil {
		return err
	}
	if len(elements) == 0 {
		return invalid("One or more parameter values were invalid: An string set  may not be empty")
	}
	for _, raw := range elements {
		e := value{kind: element[v.kind]}
		if err := e.read(raw); err != nil {
			return err
		}
		if contains(v.list, e) {
			return invalid("One or more parameter values were invalid: Input collection contains duplicates.")
		}
		v.list = append(v.list, e)
	}
	return nil
}

var decimal = regexp.MustCompile(`^-?\d+(\.\d*)?([eE][+-]?\d{1,3})?$|^-?\.\d+([eE][+-]?\d{1,3})?$`)

// largest and smallest are the ends of a number's magnitude.
var (
	largest  = sync.OnceValue(func() *big.Rat { return rational("9.9999999999999999999999999999999999999E+125") })
	smallest = sync.OnceValue(func() *big.Rat { return rational("1E-130") })
)

func rational(text string) *big.Rat {
	r, ok := new(big.Rat).SetString(text)
	if !ok {
		panic("dynamodb: " + text)
	}
	return r
}

// mostDigits is the precision of a number.
const mostDigits = 38

func (v *value) parseNumber() error {
	r, ok := new(big.Rat), decimal.MatchString(v.text)
	if ok {
		r, ok = r.SetString(v.text)
	}
	if !ok {
		return invalid("The parameter cannot be converted to a numeric value: %s", v.text)
	}
	*v = numberOf(r)
	magnitude := new(big.Rat).Abs(r)
	if r.Sign() != 0 && (magnitude.Cmp(largest()) > 0 || magnitude.Cmp(smallest()) < 0) {
		return invalid("Number overflow or underflow. Attempting to store a number with magnitude outside of the " +
			"supported range")
	}
	digits := strings.Trim(strings.NewReplacer("-", "", ".", "").Replace(v.text), "0")
	if len(digits) > mostDigits {
		return invalid("Attempting to store more than 38 significant digits in a Number")
	}
	return nil
}

func numberOf(r *big.Rat) value {
	text := r.Num().String()
	if !r.IsInt() {
		text = strings.TrimRight(r.FloatString(130), "0")
	}
	return value{kind: kindNumber, text: text, number: r}
}

// MarshalJSON is the reverse of UnmarshalJSON.
func (v value) MarshalJSON() ([]byte, error) { return json.Marshal(map[kind]any{v.kind: v.plain()}) }

func (v value) plain() any {
	switch v.kind {
	case kindBinary:
		return []byte(v.text)
	case kindBool, kindNull:
		return v.flag
	case kindList:
		return append([]value{}, v.list...)
	case kindMap:
		return v.fields
	case kindTexts, kindNumbers, kindBins:
		var elements []any
		for _, e := range v.list {
			elements = append(elements, e.plain())
		}
		return elements
	}
	return v.text
}

func equal(a, b value) bool {
	if a.kind != b.kind || a.text != b.text || a.flag != b.flag || len(a.list) != len(b.list) ||
		len(a.fields) != len(b.fields) {
		return false
	}
	for name, member := range a.fields {
		if other, has := b.fields[name]; !has || !equal(member, other) {
			return false
		}
	}
	if a.isSet() {
		return !slices.ContainsFunc(a.list, func(e value) bool { return !contains(b.list, e) })
	}
	return slices.EqualFunc(a.list, b.list, equal)
}

func contains(list []value, v value) bool {
	return slices.ContainsFunc(list, func(e value) bool { return equal(e, v) })
}

// compare orders two values; ok is false where they cannot be ordered.
func compare(a, b value) (order int, ok bool) {
	switch {
	case a.kind != b.kind:
		return 0, false
	case a.kind == kindNumber && a.text == b.text: // spelled in one way
		return 0, true
	case a.kind == kindNumber:
		return a.number.Cmp(b.number), true
	case a.kind == kindText || a.kind == kindBinary:
		return bytes.Compare([]byte(a.text), []byte(b.text)), true
	}
	return 0, false
}

// before orders values of one kind, such as sort keys.
func before(a, b value) int {
	order, _ := compare(a, b)
	return cmp.Or(order, cmp.Compare(a.kind, b.kind))
}

// size is what DynamoDB bills for a value, about.
func (v value) size() int {
	n := len(v.text)
	if v.kind == kindNumber {
		n = len(v.text)/2 + 2
	}
	for _, e := range v.list {
		n += e.size() + 1
	}
	return n + v.fields.size() + 1
}

func (it item) size() int {
	n := 0
	for name, v := range it {
		n += len(name) + v.size()
	}
	return n
}

// invalid returns a ValidationException.
func invalid(format string, args ...any) *wire.Error {
	return wire.Errorf("ValidationException", format, args...)
}

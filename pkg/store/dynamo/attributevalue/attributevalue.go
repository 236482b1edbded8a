// Package attributevalue converts between Go values and DynamoDB's attribute
// values. Times are milliseconds since 1970.
package attributevalue

import (
	"errors"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// ErrType means that an attribute value is of another type than was expected.
// Its message quotes nothing of the value.
var ErrType = errors.New("an attribute of another type")

// Encode returns the attribute value of what a *string, *int, *int64, *bool,
// *[]byte or *time.Time points to; nil for a zero value.
func Encode(value any) types.AttributeValue {
	switch v := value.(type) {
	case *string:
		return textOrNone(*v)
	case *int:
		return numberOrNone(int64(*v))
	case *int64:
		return numberOrNone(*v)
	case *bool:
		if *v {
			return &types.AttributeValueMemberBOOL{Value: true}
		}
	case *[]byte:
		if len(*v) > 0 {
			return &types.AttributeValueMemberB{Value: *v}
		}
	case *time.Time:
		if !v.IsZero() {
			return Millis(*v)
		}
	}
	return nil
}

// Decode sets *into, a pointer as [Encode] takes it. It leaves it unchanged if
// value is nil: the item lacks the attribute.
func Decode(value types.AttributeValue, into any) error {
	switch v := value.(type) {
	case nil:
		return nil
	case *types.AttributeValueMemberS:
		if into, ok := into.(*string); ok {
			*into = v.Value
			return nil
		}
	case *types.AttributeValueMemberN:
		return decodeNumber(v.Value, into)
	case *types.AttributeValueMemberBOOL:
		if into, ok := into.(*bool); ok {
			*into = v.Value
			return nil
		}
	case *types.AttributeValueMemberB:
		if into, ok := into.(*[]byte); ok {
			*into = v.Value
			return nil
		}
	}
	return ErrType
}

func decodeNumber(digits string, into any) error {
	n, err := strconv.ParseInt(digits, 10, 64)
	if err != nil {
		return ErrType // strconv's error quotes the value
	}
	switch into := into.(type) {
	case *int:
		*into = int(n)
	case *int64:
		*into = n
	case *time.Time:
		*into = time.UnixMilli(n).UTC()
	default:
		return ErrType
	}
	return nil
}

// Text returns the attribute value of a string.
func Text(s string) types.AttributeValue { return &types.AttributeValueMemberS{Value: s} }

func textOrNone(s string) types.AttributeValue {
	if s == "" {
		return nil
	}
	return Text(s)
}

// Number returns the attribute value of a number.
func Number(n int64) types.AttributeValue {
	return &types.AttributeValueMemberN{Value: strconv.FormatInt(n, 10)}
}

func numberOrNone(n int64) types.AttributeValue {
	if n == 0 {
		return nil
	}
	return Number(n)
}

// Millis returns a time in milliseconds since 1970.
func Millis(t time.Time) types.AttributeValue { return Number(t.UnixMilli()) }

// Seconds returns a time in seconds since 1970, rounded up, so that nothing is
// deleted before its time.
func Seconds(t time.Time) types.AttributeValue {
	return Number(t.Add(time.Second - time.Millisecond).Unix())
}

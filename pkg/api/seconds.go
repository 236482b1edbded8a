package api

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strconv"
	"time"
)

// Seconds is a duration that is a whole number of seconds in JSON.
type Seconds time.Duration

// MarshalJSON writes whole seconds, rounded down.
func (s Seconds) MarshalJSON() ([]byte, error) {
	return strconv.AppendInt(nil, int64(time.Duration(s)/time.Second), 10), nil
}

// UnmarshalJSON reads a whole number of seconds between 0 and [MaxSeconds].
func (s *Seconds) UnmarshalJSON(data []byte) error {
	n, err := ParseSeconds(string(data))
	if err != nil {
		return &json.UnmarshalTypeError{Value: "this", Type: secondsType}
	}
	*s = n
	return nil
}

// MaxSeconds is the largest number of seconds that a request may name: a year.
const MaxSeconds = 365 * 24 * 60 * 60

var secondsType = reflect.TypeFor[Seconds]()

// ParseSeconds reads a whole number of seconds between 0 and [MaxSeconds], in
// plain digits.
func ParseSeconds(s string) (Seconds, error) {
	n, err := strconv.ParseUint(s, 10, 32)
	if err != nil || n > MaxSeconds {
		return 0, fmt.Errorf("expected a whole number of seconds from 0 to %d", MaxSeconds)
	}
	return Seconds(time.Duration(n) * time.Second), nil
}

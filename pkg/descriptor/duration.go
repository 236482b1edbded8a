package descriptor

import (
	"encoding/json"
	"time"
)

// Duration is a time.Duration that JSON spells as Go does: "24h", "90m".
type Duration time.Duration

// MarshalJSON writes the duration as [time.Duration.String] does.
func (d Duration) MarshalJSON() ([]byte, error) { return json.Marshal(time.Duration(d).String()) }

// UnmarshalJSON reads what [time.ParseDuration] reads.
func (d *Duration) UnmarshalJSON(data []byte) error {
	var text string
	if err := json.Unmarshal(data, &text); err != nil {
		return err
	}
	parsed, err := time.ParseDuration(text)
	*d = Duration(parsed)
	return err
}

// CheckJSON implements [strictjson.Checker].
func (Duration) CheckJSON(token json.Token) (expected string, ok bool) {
	text, isText := token.(string)
	d, err := time.ParseDuration(text)
	return `a duration above zero, such as "90m"`, isText && err == nil && d > 0
}

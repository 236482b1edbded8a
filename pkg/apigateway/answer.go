package apigateway

import (
	"fmt"
	"slices"
	"strconv"
)

// AppendAnswer appends a reply as API Gateway expects it, in both payload
// formats.
func AppendAnswer(to []byte, status int, header map[string]string, body []byte) []byte {
	to = slices.Grow(to, len(body)+len(body)/4+300) // a quarter for the quotation marks of the body
	to = append(to, `{"statusCode":`...)
	to = strconv.AppendInt(to, int64(status), 10)
	to = append(to, `,"headers":{`...)
	comma := false
	for name, value := range header {
		if comma {
			to = append(to, ',')
		}
		comma = true
		to = append(appendQuoted(to, name), ':')
		to = appendQuoted(to, value)
	}
	to = append(to, `},"body":`...)
	return append(appendQuoted(to, body), '}')
}

// appendQuoted appends s as a JSON string. s is UTF-8.
func appendQuoted[T string | []byte](to []byte, s T) []byte {
	to = append(to, '"')
	rest := 0 // from where on nothing has been appended yet
	for i := range len(s) {
		if c := s[i]; c == '"' || c == '\\' {
			to = append(append(to, s[rest:i]...), '\\', c)
			rest = i + 1
		} else if c < ' ' {
			to = fmt.Appendf(append(to, s[rest:i]...), `\u%04x`, c)
			rest = i + 1
		}
	}
	return append(append(to, s[rest:]...), '"')
}

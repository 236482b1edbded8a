package apigateway

import (
	"fmt"
	"slices"
	"strconv"
)

// AppendAnswer appends a reply as API Gateway expects it, in both payload
// formats.
func AppendAnswer(to []byte, status int, header map[string]string, body []byte) []byte {
	to = slices.Grow(to, 2*len(body)+300)
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
	for _, c := range []byte(s) {
		switch {
		case c == '"', c == '\\':
			to = append(to, '\\', c)
		case c < ' ':
			to = fmt.Appendf(to, `\u%04x`, c)
		default:
			to = append(to, c)
		}
	}
	return append(to, '"')
}

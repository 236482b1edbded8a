package provider

import (
	"bufio"
	"compress/flate"
	"compress/gzip"
	"compress/zlib"
	"errors"
	"io"
	"net/http"
	"strings"
)

// errCoding is a Content-Encoding that is not read.
var errCoding = errors.New("unknown content coding")

// decompress returns a reader of what a body holds. Some servers, and caches before
// them, compress answers though the request asks for identity.
func decompress(body io.Reader, coding string) (io.Reader, error) {
	if coding == "" {
		return body, nil
	}
	buffered := bufio.NewReader(body)
	begin, _ := buffered.Peek(2)
	if len(begin) < 2 || begin[0] == '{' {
		return buffered, nil // it is not compressed, whatever the header says
	}
	switch coding {
	case "gzip", "x-gzip":
		return gzip.NewReader(buffered)
	case "deflate":
		// RFC 9110 §8.4.1.2: in the zlib format, which some servers leave out.
		if begin[0]&0x0f == 8 && (int(begin[0])<<8|int(begin[1]))%31 == 0 {
			return zlib.NewReader(buffered)
		}
		return flate.NewReader(buffered), nil
	}
	return nil, errCoding
}

// contentCoding returns what an answer is compressed by; "" where it is not.
func contentCoding(h http.Header) string {
	var codings []string
	for _, header := range h.Values("Content-Encoding") {
		for coding := range strings.SplitSeq(strings.ToLower(header), ",") {
			if coding = strings.TrimSpace(coding); coding != "" && coding != "identity" {
				codings = append(codings, coding)
			}
		}
	}
	return strings.Join(codings, ", ")
}

// isCorrupt reports whether compressed data is damaged.
func isCorrupt(err error) bool {
	var corrupt flate.CorruptInputError
	return errors.As(err, &corrupt) || errors.Is(err, gzip.ErrHeader) || errors.Is(err, gzip.ErrChecksum) ||
		errors.Is(err, zlib.ErrHeader) || errors.Is(err, zlib.ErrChecksum) || errors.Is(err, zlib.ErrDictionary)
}

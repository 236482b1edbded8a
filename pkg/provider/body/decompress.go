package body

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

// errCoding is the error of a Content-Encoding that is not supported.
var errCoding = errors.New("unknown content coding")

// decompress returns a reader of the plain body. Some servers, and caches
// before them, compress a response though the request asks for identity.
// Proxies remove the header field (modelcontextprotocol/typescript-sdk#2408),
// so the first bytes count more: neither JSON nor a form begins like gzip.
func decompress(body io.Reader, coding string) (plain io.Reader, packed bool, err error) {
	buffered := bufio.NewReader(body)
	begin, _ := buffered.Peek(2)
	if len(begin) < 2 || begin[0] == '{' {
		return buffered, false, nil // whatever the header says
	}
	switch coding {
	case "", "gzip", "x-gzip":
		if string(begin) != "\x1f\x8b" {
			return buffered, false, nil
		}
		plain, err = gzip.NewReader(buffered)
		return plain, true, err
	case "deflate":
		// RFC 9110 §8.4.1.2: in the zlib format, which some servers leave out.
		if begin[0]&0x0f == 8 && (int(begin[0])<<8|int(begin[1]))%31 == 0 {
			plain, err = zlib.NewReader(buffered)
			return plain, true, err
		}
		return flate.NewReader(buffered), true, nil
	}
	return nil, true, errCoding
}

// contentCoding returns the content codings of a response, without identity.
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

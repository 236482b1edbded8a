package jsonscan

import "bytes"

// Scanner reads one document. Each method reads the next value. After a value
// that is malformed, or of another type than the method reads, all methods
// return zero values and [Scanner.End] reports false.
type Scanner struct {
	data   []byte
	at     int
	depth  int
	failed bool
}

// next skips white space and returns the byte after it; 0: the end.
func (s *Scanner) next() byte {
	for ; s.at < len(s.data); s.at++ {
		switch c := s.data[s.at]; c {
		case ' ', '\t', '\r', '\n':
		default:
			return c
		}
	}
	return 0
}

// accept reads c if it is the next byte, and reports whether it is.
func (s *Scanner) accept(c byte) bool {
	if s.failed || s.next() != c {
		return false
	}
	s.at++
	return true
}

// expect reads c, and fails if it is not the next byte.
func (s *Scanner) expect(c byte) {
	if !s.accept(c) {
		s.failed = true
	}
}

// word reads true, false or null.
func (s *Scanner) word(word string) {
	if !bytes.HasPrefix(s.data[s.at:], []byte(word)) {
		s.failed = true
		return
	}
	s.at += len(word)
}

// rawString reads a string and returns it as it is written, with its quotation
// marks and escapes.
func (s *Scanner) rawString() []byte {
	s.expect('"')
	from := s.at - 1
	for !s.failed && s.at < len(s.data) {
		switch c := s.data[s.at]; {
		case c == '"':
			s.at++
			return s.data[from:s.at]
		case c < ' ':
			s.failed = true
		case c == '\\':
			s.escape()
		default:
			s.at++
		}
	}
	s.failed = true
	return nil
}

// escape reads one escape sequence of a string.
func (s *Scanner) escape() {
	rest := s.data[s.at+1:]
	switch {
	case len(rest) > 0 && bytes.IndexByte([]byte(`"\/bfnrt`), rest[0]) >= 0:
		s.at += 2
	case len(rest) > 4 && rest[0] == 'u' && isHex(rest[1:5]):
		s.at += 6
	default:
		s.failed = true
	}
}

func isHex(digits []byte) bool {
	for _, c := range digits {
		if (c < '0' || c > '9') && (c < 'a' || c > 'f') && (c < 'A' || c > 'F') {
			return false
		}
	}
	return true
}

// number reads a number (RFC 8259 §6).
func (s *Scanner) number() {
	s.sign("-")
	if s.follows('0') {
		s.at++
	} else {
		s.digits()
	}
	if s.follows('.') {
		s.at++
		s.digits()
	}
	if s.follows('e') || s.follows('E') {
		s.at++
		s.sign("+-")
		s.digits()
	}
}

// sign reads one of the given signs if it is the next byte.
func (s *Scanner) sign(signs string) {
	if s.at < len(s.data) && bytes.IndexByte([]byte(signs), s.data[s.at]) >= 0 {
		s.at++
	}
}

// follows reports whether c is the next byte, without white space before it.
func (s *Scanner) follows(c byte) bool { return s.at < len(s.data) && s.data[s.at] == c }

// digits reads one digit or more.
func (s *Scanner) digits() {
	from := s.at
	for s.at < len(s.data) && s.data[s.at] >= '0' && s.data[s.at] <= '9' {
		s.at++
	}
	if s.at == from {
		s.failed = true
	}
}

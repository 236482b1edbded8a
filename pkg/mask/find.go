package mask

import (
	"bytes"
	"slices"
)

// find reports for each byte of a text whether it has to be hidden.
//
// The pieces of the text, in all its readings, are put in a table; then the
// secrets are passed by it. So the memory needed depends on the text alone.
func (s *Set) find(text string) []bool {
	hidden := make([]bool, len(text))
	if len(s.secrets)+len(s.values) == 0 {
		return hidden
	}
	all := readings(text)
	t := newTable(all)
	for _, secret := range s.secrets {
		t.pass(secret, true)
	}
	for _, value := range s.values {
		t.pass(value, false)
	}
	for _, r := range all {
		r.hidePieces(hidden, t)
		for _, secret := range s.secrets {
			if len(secret) < piece {
				r.hideWhole(hidden, secret)
			}
		}
		for _, value := range s.values {
			r.hideWhole(hidden, value)
		}
	}
	return hidden
}

// hidePieces hides the pieces that the table has found to be a secret's.
func (r reading) hidePieces(hidden []bool, t *table) {
	var window uint64
	for i, c := range r.data {
		window = window<<8 | uint64(c)
		if i < piece-1 || !t.found[t.slot(t.hash(window), window)] {
			continue
		}
		r.cover(hidden, i-piece+1, i+1)
		if r.decoded {
			return // each byte stands for the whole
		}
	}
}

// hideWhole hides each place where the whole of value stands; where value is
// shorter than a piece, only as a word.
func (r reading) hideWhole(hidden []bool, value string) {
	if len(value) > len(r.data) || len(value) < piece && r.decoded {
		return
	}
	wanted := fold([]byte(value))
	for begin := 0; ; begin++ {
		i := bytes.Index(r.data[begin:], wanted)
		if i < 0 {
			return
		}
		begin += i
		end := begin + len(wanted)
		if len(wanted) >= piece || !r.wordAt(begin-1) && !r.wordAt(end) {
			r.cover(hidden, begin, end)
		}
	}
}

func (r reading) cover(hidden []bool, begin, end int) {
	for i := r.from[begin]; i < r.to[end-1]; i++ {
		hidden[i] = true
	}
}

// wordAt reports whether a letter, a digit or an underscore stands at i.
func (r reading) wordAt(i int) bool {
	return i >= 0 && i < len(r.data) && (isAlphanumeric(r.data[i]) || r.data[i] == '_' || r.data[i] >= 0x80)
}

// readings returns every reading of a text, in lower case.
func readings(text string) []reading {
	asIs := newReading(len(text))
	for i := range len(text) {
		asIs.append(text[i], uint16(i), uint16(i+1))
	}
	once := asIs.unescape(anyEscape)
	all := []reading{asIs}
	for _, r := range []reading{
		// One kind alone, since a secret may hold what looks like another.
		asIs.unescape(percent), asIs.unescape(entity), asIs.unescape(backslash),
		once, once.unescape(anyEscape), asIs.unescape(entity).unescape(backslash),
	} {
		if !slices.ContainsFunc(all, func(other reading) bool { return bytes.Equal(other.data, r.data) }) {
			all = append(all, r)
		}
	}
	for _, r := range all {
		all = r.decode(all, isHex, 2*piece, hexadecimal)
		all = r.decode(all, isBase64, (4*piece+2)/3, base64)
	}
	for _, r := range all {
		fold(r.data)
	}
	return all
}

package mask

// decoder decodes a run of digits that begins anywhere in a value.
type decoder struct {
	digit func(c byte) byte
	bits  int // in each digit
	step  int // the first whole byte begins at one of 0, step, 2*step, … bits
}

var (
	hexadecimal = decoder{digit: hexDigit, bits: 4, step: 4}
	base64      = decoder{digit: base64Digit, bits: 6, step: 2}
)

// decode adds what each run of digits means, from each of its first bits on.
// Runs shorter than shortest hold no piece of a secret.
func (r reading) decode(all []reading, isDigit func(byte) bool, shortest int, d decoder) []reading {
	for begin := 0; begin < len(r.data); begin++ {
		end := begin
		for end < len(r.data) && isDigit(r.data[end]) {
			end++
		}
		if end-begin >= shortest {
			for skip := 0; skip < 8; skip += d.step {
				all = append(all, d.run(r, begin, end, skip))
			}
		}
		begin = end
	}
	return all
}

// run decodes one run. Each byte is said to come from the whole run, padding
// included: the digits at its ends belong to the secret too.
func (d decoder) run(r reading, begin, end, skip int) reading {
	last := end
	for last < len(r.data) && r.data[last] == '=' {
		last++
	}
	out := newReading(end - begin)
	out.decoded = true
	value, bits := uint(0), -skip
	for _, c := range r.data[begin:end] {
		value, bits = value<<d.bits|uint(d.digit(c)), bits+d.bits
		if bits >= 8 {
			bits -= 8
			out.append(byte(value>>bits), r.from[begin], r.to[last-1]) // #nosec G115 -- the low byte is what is meant
		}
	}
	return out
}

func isHex(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c|0x20 && c|0x20 <= 'f'
}

func hexDigit(c byte) byte {
	if c <= '9' {
		return c - '0'
	}
	return c | 0x20 - 'a' + 10
}

// isBase64 reports whether c is a digit of RFC 4648 §4 or §5.
func isBase64(c byte) bool {
	return isAlphanumeric(c) || c == '+' || c == '/' || c == '-' || c == '_'
}

func isAlphanumeric(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c|0x20 && c|0x20 <= 'z'
}

func base64Digit(c byte) byte {
	switch {
	case 'A' <= c && c <= 'Z':
		return c - 'A'
	case 'a' <= c && c <= 'z':
		return c - 'a' + 26
	case '0' <= c && c <= '9':
		return c - '0' + 52
	case c == '+' || c == '-':
		return 62
	}
	return 63
}

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

package seal

import "context"

// offFormat begins what [Off] hands over. No other format begins like it.
const offFormat = 0

// Off is a [Sealer] that seals nothing, for a stack whose operator turned sealing off: the table's own encryption is then all there is. What was sealed by another does not open, so turning sealing off (or on) has every token minted anew.
type Off struct{}

// Seal returns plain, marked as not sealed.
func (Off) Seal(_ context.Context, _ string, plain, _ []byte) ([]byte, error) {
	return append([]byte{offFormat}, plain...), nil
}

// Open returns what [Off.Seal] was given.
func (Off) Open(_ context.Context, _ string, sealed, _ []byte) ([]byte, error) {
	if len(sealed) == 0 || sealed[0] != offFormat {
		return nil, ErrIntegrity
	}
	return sealed[1:], nil
}

package doctor

import (
	"fmt"
	"time"

	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/smithy-go/middleware"
)

// Skews of this machine's clock. AWS refuses requests whose date is more than
// five minutes off.
const (
	noticedSkew = 30 * time.Second
	refusedSkew = 5 * time.Minute
)

func (f *findings) clock(answer middleware.Metadata) {
	there, ok := awsmiddleware.GetServerTime(answer)
	here, _ := awsmiddleware.GetResponseAt(answer)
	if !ok {
		return
	}
	switch skew := here.Sub(there).Abs().Truncate(time.Second); {
	case skew >= refusedSkew:
		f.fail("clock", fmt.Sprintf("this machine's is %v off AWS's", skew), "set it: signatures are refused")
	case skew >= noticedSkew:
		f.warn("clock", fmt.Sprintf("this machine's is %v off AWS's", skew), "set it before signatures are refused")
	default:
		f.ok("clock", "this machine's agrees with AWS's")
	}
}

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

func (s *setup) clock(answer middleware.Metadata) {
	there, ok := awsmiddleware.GetServerTime(answer)
	here, _ := awsmiddleware.GetResponseAt(answer)
	if !ok {
		return
	}
	switch skew := here.Sub(there).Abs().Truncate(time.Second); {
	case skew >= refusedSkew:
		s.Fail("clock", fmt.Sprintf("this machine's is %v off AWS's", skew), "set it: signatures are refused")
	case skew >= noticedSkew:
		s.Warn("clock", fmt.Sprintf("this machine's is %v off AWS's", skew), "set it before signatures are refused")
	default:
		s.OK("clock", "this machine's agrees with AWS's")
	}
}

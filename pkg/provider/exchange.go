package provider

import (
	"context"
	"net/http"
)

// Exchange asks the token endpoint once, for any [Grant]. hc's Transport carries the request (outbound.NewClient makes a careful one) and hc's Timeout, where it has one, bounds it besides ctx; its cookies and its redirect policy are not used. Redirects are never followed, and nothing but https is spoken.
//
// Every error is an [*Error]. Once an answer has arrived, SentAt, Date and Limit of the [Answer] are set beside an error too; and where a usable refresh token came with something else wrong, so are Refresh and RefreshExpiry: the old refresh token may be dead, so keep the new one before judging.
//
// A client_credentials request that meets a dead idle connection is sent once more, over a new one; a refresh token, a code and a signed assertion go out once.
func (d *Descriptor) Exchange(ctx context.Context, hc *http.Client, c Client, ask Ask) (Answer, error) {
	q, err := d.prepare(c, ask)
	if err != nil {
		return Answer{}, err
	}
	r, err := q.send(ctx, hc)
	if err != nil {
		return Answer{}, err
	}
	answer, err := d.judge(q, r)
	if err != nil {
		return answer, err
	}
	return answer, nil
}

// judge makes an answer, or an error, or both, of what came back.
func (d *Descriptor) judge(q *call, r reply) (Answer, *Error) {
	var answer Answer
	var failure *Error
	if r.status/100 == 2 {
		answer, failure = d.read(q, r)
	} else {
		failure = d.refused(q, r)
	}
	answer.SentAt, answer.Date, answer.Limit = r.sentAt, r.date(), d.limit(r)
	if failure != nil {
		failure.Limit = answer.Limit
		failure.Client = failure.Client || failure.Kind == Unavailable && !answer.Limit.RetryAt.IsZero()
	}
	return answer, failure
}

package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"syscall"
	"time"

	"github.com/tokenvend/tokenvend/pkg/api"
	"github.com/tokenvend/tokenvend/pkg/client"
	"github.com/tokenvend/tokenvend/pkg/credential/folder"
)

// try has the server get a first token by a secret that was written after began. A secret that is refused for good is removed again.
func (a *add) try(ctx context.Context, c console, source *folder.Source, name string, began time.Time) error {
	at, err := localClient(a.data)
	if errors.Is(err, fs.ErrNotExist) {
		c.say("%s is written, and was not tried: no server runs here. tokenvend serve starts one.", name)
		return nil
	}
	if err != nil {
		return err
	}
	t, err := firstToken(ctx, c, at, name, began)
	switch {
	case err == nil:
		c.say("%s works: a token with the fingerprint %s, for another %v.", name, t.Fingerprint, time.Duration(t.ExpiresIn))
	case errors.Is(err, errNotSeen):
		c.say("%s is written, but could not be tried: the server goes on answering by what it knew before. tokenvend status %[1]s tells later.", name)
	case errors.Is(err, syscall.ECONNREFUSED):
		c.say("%s is written, and was not tried: the server that ran here is gone. tokenvend serve starts one.", name)
	case forGood(err):
		if removed := source.Remove(name); removed != nil {
			return errors.Join(err, removed)
		}
		return fmt.Errorf("%s was not added, and its file is removed again: %w", name, err)
	default:
		text, _ := explain(err)
		c.say("%s is written, but could not be tried: %s", name, text)
	}
	return nil
}

const howToCall = `
One caller on AWS may have it by this policy:
  {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "execute-api:Invoke", "Resource": [
    "arn:aws:execute-api:REGION:ACCOUNT:API/*/GET/tokens/%[1]s",
    "arn:aws:execute-api:REGION:ACCOUNT:API/*/POST/tokens/%[1]s"]}]}
and asks for it with
  curl --aws-sigv4 "aws:amz:REGION:execute-api" --user "$AWS_ACCESS_KEY_ID:$AWS_SECRET_ACCESS_KEY" -H "x-amz-security-token: $AWS_SESSION_TOKEN" https://API.execute-api.REGION.amazonaws.com/tokens/%[1]s
On this machine:
  tokenvend get %[1]s`

// How long a server may go on answering by what it knew of a name before: that there was none, and how an earlier secret failed.
const (
	absenceLasts = 8 * time.Second
	failureLasts = 75 * time.Second
	glance       = time.Second
)

// errNotSeen: the server has not looked at the secret yet.
var errNotSeen = errors.New("the server has not seen the secret yet")

// firstToken asks for a token until the answer is about the secret that was written after began.
func firstToken(ctx context.Context, c console, at *client.Client, name string, began time.Time) (api.Token, error) {
	for told := false; ; told = true {
		t, err := at.Token(ctx, name)
		lasts := outdated(ctx, at, name, began, err)
		if lasts == 0 {
			return t, err
		}
		if time.Since(began) > lasts {
			return t, errNotSeen
		}
		if !told {
			c.say("The server still answers by what it knew of %s before; waiting for it to look again.", name)
		}
		select {
		case <-time.After(glance):
		case <-ctx.Done():
			return t, ctx.Err()
		}
	}
}

// outdated says how long an error that is about an earlier secret may go on; 0: it is about this one.
func outdated(ctx context.Context, at *client.Client, name string, began time.Time, err error) time.Duration {
	e, ok := errors.AsType[*api.Error](err)
	switch {
	case !ok:
		return 0
	case e.Code == api.UnknownCredential:
		return absenceLasts
	}
	report, err := at.Status(ctx, name)
	if err == nil && report.Failure != nil && report.Failure.Since.Before(began) {
		return failureLasts
	}
	return 0
}

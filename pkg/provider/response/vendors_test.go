package response

import (
	"testing"

	"github.com/tokenvend/tokenvend/pkg/descriptor"
)

// These are refusals of a refresh in the words of vendors' documentation and of
// their users' reports, or close to them.
func TestVendorsRefusalsOfARefresh(t *testing.T) {
	const over, later, unknown = descriptor.GrantOver, descriptor.TryLater, descriptor.Meaning("")
	for name, c := range map[string]struct {
		status int
		want   descriptor.Meaning
		body   string
	}{
		"OpenAI, reused": {401, over,
			`{"error":{"message":"Your refresh token has already been used to generate a new access token. ` +
				`Please try signing in again.","type":"invalid_request_error","code":"refresh_token_reused"}}`},
		"OpenAI, invalidated": {401, over,
			`{"error":{"message":"Your session has ended. Please log in ` +
				`again.","code":"refresh_token_invalidated"}}`},
		"TD Bank": {400, over,
			`{"error":"invalid_request","error_description":"Refresh token is invalid or has already been ` +
				`claimed by another client."}`},
		"Intuit": {400, over, `{"error":"invalid_grant","error_description":"Refresh token not found: AB115"}`},
		"EVE Online": {400, over,
			`{"error":"invalid_grant: Token is expired or invalid.","error_description":"Token is expired or ` +
				`invalid."}`},
		"Authlib": {400, over,
			`{"error":"invalid_request","error_description":"Invalid \"refresh_token\" in request."}`},
		"Twitch":  {400, over, `{"error":"Bad Request","status":400,"message":"Invalid refresh token"}`},
		"Spotify": {400, over, `{"error":"invalid_grant","error_description":"Refresh token revoked"}`},
		"Fitbit": {400, over,
			`{"errors":[{"errorType":"invalid_grant","message":"Refresh token invalid: 1f2e. Visit ` +
				`https://dev.fitbit.com/docs/oauth2"}],"success":false}`},
		"Withings": {200, over, `{"status":503,"body":{},"error":"Invalid Params: invalid refresh_token"}`},
		"Auth0":    {403, over, `{"error":"invalid_grant","error_description":"Unknown or invalid refresh token."}`},
		"Yahoo":    {400, over, `{"error":"INVALID_REFRESH_TOKEN","error_description":"invalid refresh token"}`},
		"Supabase, used": {400, over,
			`{"error":"invalid_grant","error_description":"Invalid Refresh Token: Already Used"}`},
		"Supabase, gone": {400, over,
			`{"code":400,"error_code":"refresh_token_not_found","msg":"Invalid Refresh Token: Refresh Token ` +
				`Not Found"}`},
		"Supabase, used again": {400, over,
			`{"code":400,"error_code":"refresh_token_already_used","msg":"Invalid Refresh Token: Already Used"}`},
		"Firebase": {400, over,
			`{"error":{"code":400,"message":"INVALID_REFRESH_TOKEN","status":"INVALID_ARGUMENT"}}`},
		"ForgeRock": {400, over,
			`{"error":"invalid_grant","error_description":"The provided access grant is invalid, expired, or ` +
				`revoked."}`},
		"PingFederate": {400, over,
			`{"error":"invalid_grant","error_description":"unknown, invalid, or expired refresh token"}`},
		"WSO2": {400, over,
			`{"error":"invalid_grant","error_description":"Persisted access token data not found"}`},
		"ZITADEL": {400, over,
			`{"error":"invalid_grant","error_description":"Errors.OIDCSession.RefreshTokenInvalid"}`},
		"Apple": {400, over,
			`{"error":"invalid_grant","error_description":"The token has expired or has been revoked."}`},
		"Asana": {400, over,
			`{"error":"invalid_grant","error_description":"The refresh_token provided is invalid."}`},
		"Ping, idle": {400, over,
			`{"error":"invalid_grant","error_description":"The refresh token's idle timeout has passed"}`},

		"Salesforce, again": {400, later, `{"error":"unknown_error","error_description":"retry your request"}`},
		"Cognito, trigger's time": {400, later,
			`{"error":"invalid_grant","error_description":"PreTokenGeneration invocation failed due to error ` +
				`Socket timeout while invoking Lambda function."}`},
		"Cognito, trigger": {400, later,
			`{"error":"invalid_grant","error_description":"PreTokenGeneration failed with error connection ` +
				`refused."}`},
		"Entra ID, locked": {400, later,
			`{"error":"invalid_grant","error_description":"AADSTS50053: The account is locked, you've tried ` +
				`to sign in too many times with an incorrect user ID or password."}`},
		"Entra ID, address": {400, later,
			`{"error":"invalid_grant","error_description":"AADSTS50053: Sign-in was blocked because it came ` +
				`from an IP address with malicious activity."}`},
		"Entra ID, gateway": {400, later,
			`{"error":"invalid_request","error_description":"AADSTS90025: Request processing has exceeded ` +
				`gateway allowance."}`},
		"Supabase, a race": {409, later,
			`{"code":409,"error_code":"conflict","msg":"Too many concurrent token refresh requests on the ` +
				`same session or refresh token"}`},
		"Firebase, attempts": {400, later, `{"error":{"code":400,"message":"TOO_MANY_ATTEMPTS_TRY_LATER"}}`},
		"Zoho": {400, later,
			`{"error":"Access Denied","error_description":"You have made too many requests continuously. ` +
				`Please try again after some time."}`},
		"WSO2, a fault": {400, later,
			`{"error":"invalid_grant","error_description":"Error occurred while retrieving the refresh token ` +
				`from the database"}`},
		"an internal error": {400, later,
			`{"error":"invalid_grant","error_description":"Internal error while validating grant"}`},

		"Okta, the client": {401, unknown,
			`{"error":"invalid_client","error_description":"The client secret supplied for a confidential ` +
				`client is invalid."}`},
		"NetSuite": {401, unknown, `{"error":"invalid_client"}`},
		"Reddit":   {400, unknown, `{"message":"Bad Request","error":400}`},
		"Zoom":     {400, unknown, `{"reason":"Bad request","error":"invalid_request"}`},
	} {
		t.Run(name, func(t *testing.T) {
			if e := meaningOf(t, confidential, again, c.status, c.body); e.Meaning != c.want {
				t.Errorf("Exchange() of %d %s = meaning %q (%v), want %q", c.status, c.body, e.Meaning, e, c.want)
			}
		})
	}
}

#!/bin/sh
# Checks, on a stack in your own account, what only AWS can settle. docs/guide/aws-smoke.md explains each line.
#
#   internal/smoke/aws-smoke.sh STACK NAME
#
# STACK is a stack of tokenvend for trials, NAME a credential of it that can be vended. It needs the AWS CLI, version
# 2, and curl 7.75 or newer, with credentials of an administrator. It makes a role, an alias and an item, and removes
# them but for the item, by which a later run checks that DynamoDB deletes it.
set -u
[ $# = 2 ] || { echo "usage: $0 STACK NAME" >&2; exit 2; }
stack=$1 name=$2 failed=0
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

pass() { echo "pass  $1"; }
fail() { echo "FAIL  $1: $2, expected $3"; failed=1; }

# want CLAIM GOT WANTED: passes if GOT is WANTED.
want() { if [ "$2" = "$3" ]; then pass "$1"; else fail "$1" "$2" "$3"; fi; }

output() {
	aws cloudformation describe-stacks --stack-name "$stack" --output text \
		--query "Stacks[0].Outputs[?OutputKey=='$1'].OutputValue"
}

resource() {
	aws cloudformation describe-stack-resource --stack-name "$stack" --logical-resource-id "$1" --output text \
		--query StackResourceDetail.PhysicalResourceId
}

url=$(output ApiUrl) && function=$(output VendFunctionName) && table=$(output TableName) || exit 2
account=$(aws sts get-caller-identity --query Account --output text) || exit 2
host=${url#https://} && api=${host%%.*}
region=${host#*.execute-api.} && region=${region%%.*}

# keys exports the credentials of the AWS CLI for curl.
keys() { eval "$(aws configure export-credentials --format env)"; }

# status METHOD PATH prints the status of a signed request. --path-as-is keeps curl from changing the path.
status() {
	curl -s -o "$work/body" -w '%{http_code}' --path-as-is -X "$1" --aws-sigv4 "aws:amz:$region:execute-api" \
		--user "$AWS_ACCESS_KEY_ID:$AWS_SECRET_ACCESS_KEY" -H "x-amz-security-token: ${AWS_SESSION_TOKEN:-}" "$url$2"
}

# code QUALIFIER prints the error code of a direct invocation, or none.
code() {
	aws lambda invoke --function-name "$function" --qualifier "$1" --cli-binary-format raw-in-base64-out \
		--payload "{\"credential\":\"$name\"}" "$work/body" --query FunctionError --output text >"$work/error" 2>&1 ||
		{ echo not-invoked; return; }
	case $(cat "$work/error") in
	None) echo none ;;
	*) # what stands between "errorType":" and the next quote
		body=$(cat "$work/body") && rest=${body#*\"errorType\":\"} && echo "${rest%%\"*}"
		;;
	esac
}

# encoded prints a name with its first character percent-encoded.
encoded() { printf '%%%x%s' "'$1" "${1#?}"; }

echo "Paths"
keys
want "a credential is vended over the API" "$(status GET "/tokens/$name")" 200
want "an HTTP API hands over decoded paths" "$(status GET "/tokens/$(encoded "$name")")" 200
want "an encoded slash reaches no other operation" "$(status GET "/tokens/$name%2Fstatus")" 404
want "an encoded slash reaches no other credential" "$(status GET "/tokens/x%2Ftokens%2F$name")" 404

echo "IAM's judgement"
role=tokenvend-smoke-$$
aws iam create-role --role-name "$role" --assume-role-policy-document '{"Version":"2012-10-17","Statement":[{"Effect":
	"Allow","Action":"sts:AssumeRole","Principal":{"AWS":"arn:aws:iam::'"$account"':root"}}]}' >"$work/role" || failed=1
arn=arn:aws:execute-api:$region:$account:$api
aws iam put-role-policy --role-name "$role" --policy-name smoke --policy-document '{"Version":"2012-10-17","Statement":[
	{"Effect":"Allow","Action":"execute-api:Invoke","Resource":"'"$arn/*/GET/tokens/$name"'"}]}' || failed=1
sleep "${SMOKE_WAIT:-20}" # until IAM's changes are everywhere
if aws sts assume-role --role-arn "arn:aws:iam::$account:role/$role" --role-session-name smoke --output text \
	--query 'Credentials.[AccessKeyId,SecretAccessKey,SessionToken]' >"$work/keys"; then
	(
		read -r AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AWS_SESSION_TOKEN <"$work/keys"
		want "a policy for one path allows it" "$(status GET "/tokens/$name")" 200
		want "and no other method" "$(status DELETE "/tokens/$name")" 403
		want "and no status" "$(status GET "/tokens/$name/status")" 403
		want "and no other credential" "$(status GET "/tokens/${name}x")" 403
		exit $failed
	) || failed=1
else
	fail "a role for the trial" "not assumed" "a session of $role"
fi
aws iam delete-role-policy --role-name "$role" --policy-name smoke && aws iam delete-role --role-name "$role" || failed=1

echo "Aliases and versions"
want "the alias admin has every credential" "$(code admin)" none
want "\$LATEST has nothing" "$(code '$LATEST')" access_denied
want "a direct caller has nothing by the alias api" "$(code api)" access_denied
version=$(aws lambda publish-version --function-name "$function" --query Version --output text)
before=$(aws lambda get-alias --function-name "$function" --name api --query FunctionVersion --output text)
want "a version has nothing" "$(code "$version")" access_denied
aws lambda update-alias --function-name "$function" --name api --function-version "$version" >"$work/alias" || failed=1
want "the alias api answers from a published version" "$(status GET "/tokens/$name")" 200
aws lambda update-alias --function-name "$function" --name api --function-version "$before" >"$work/alias" || failed=1
want "the alias api is rolled back" "$(status GET "/tokens/$name")" 200
[ "$version" = "$before" ] || aws lambda delete-function --function-name "$function" --qualifier "$version" || failed=1
for alias in api admin; do
	want "asynchronous invocations of $alias are not repeated" "$(aws lambda get-function-event-invoke-config \
		--function-name "$function" --qualifier $alias --query MaximumRetryAttempts --output text)" 0
done

echo "Table"
want "the table is protected" "$(aws dynamodb describe-table --table-name "$table" --output text \
	--query Table.DeletionProtectionEnabled)" True
want "the table can be restored" "$(aws dynamodb describe-continuous-backups --table-name "$table" --output text --query \
	ContinuousBackupsDescription.PointInTimeRecoveryDescription.PointInTimeRecoveryStatus)" ENABLED
key='{"credential":{"S":"%smoke"},"variant":{"S":"-"}}'
made=$(aws dynamodb get-item --table-name "$table" --key "$key" --query 'Item.forget_at.N' --output text)
case $made in
None)
	aws dynamodb put-item --table-name "$table" --item '{"credential":{"S":"%smoke"},"variant":{"S":"-"},
		"forget_at":{"N":"'"$(date +%s)"'"}}' && echo "later DynamoDB deletes items by forget_at: run this again in two days"
	;;
*) if [ $(($(date +%s) - made)) -gt 172800 ]; then
	fail "DynamoDB deletes items by forget_at" "an item that is two days late" "none"
else
	echo "later DynamoDB deletes items by forget_at: the item of the last run is not two days old"
fi ;;
esac

echo "Logs"
group=$(resource AccessLog)
found=None tries=0
while [ "$found" = None ] && [ $tries -lt 12 ]; do
	sleep "${SMOKE_WAIT:-10}"
	tries=$((tries + 1))
	found=$(aws logs filter-log-events --log-group-name "$group" --start-time "$(($(date +%s) - 600))000" --limit 1 \
		--query 'events[0].eventId' --output text)
done
if [ "$found" = None ]; then fail "the API's calls are in $group" none "an event"; else pass "the API's calls are in $group"; fi
exit $failed

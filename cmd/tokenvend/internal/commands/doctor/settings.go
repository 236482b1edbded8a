package doctor

import (
	"context"
	"maps"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	dynamotypes "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/clierror"
	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/iampolicy"
)

// The settings of a function that are looked at; see pkg/boot.
const (
	envTable  = "TOKENVEND_TABLE"
	envPrefix = "TOKENVEND_SECRET_PREFIX"
)

// settingsOf returns the environment of a function.
func settingsOf(e *types.EnvironmentResponse) map[string]string {
	if e == nil {
		return nil
	}
	return e.Variables
}

// maxFunctions bounds how many functions of the account are looked at.
const maxFunctions = 1000

// overlaps looks for functions of other stacks that read the same secrets:
// those with another table, where one prefix begins with the other.
func (s *setup) overlaps(ctx context.Context, reader *lambda.Client, own map[string]string) {
	if own[envPrefix] == "" {
		return
	}
	pages, looked := lambda.NewListFunctionsPaginator(reader, &lambda.ListFunctionsInput{}), 0
	for pages.HasMorePages() && looked < maxFunctions {
		page, err := pages.NextPage(ctx)
		if err != nil {
			s.Unread("prefix", clierror.AWS("lambda:ListFunctions", "the account", err))
			return
		}
		for _, other := range page.Functions {
			looked++
			settings := settingsOf(other.Environment)
			prefix := settings[envPrefix]
			if prefix == "" || settings[envTable] == own[envTable] ||
				!strings.HasPrefix(prefix, own[envPrefix]) && !strings.HasPrefix(own[envPrefix], prefix) {
				continue
			}
			s.Warn("prefix", "the function "+aws.ToString(other.FunctionName)+" of another stack reads the secrets of "+
				prefix+", which overlaps with "+own[envPrefix],
				"give one of the stacks another SecretPrefix, or both obtain the same tokens")
		}
	}
	s.OK("prefix", "%s; %d functions of the account were looked at", own[envPrefix], looked)
}

// table checks that the table is protected. A restored one is not.
func (s *setup) table(ctx context.Context, reader *dynamodb.Client, name string) {
	if name == "" {
		return
	}
	const subject = "table"
	table, err := reader.DescribeTable(ctx, &dynamodb.DescribeTableInput{TableName: &name})
	if err != nil {
		s.Unread(subject, clierror.AWS("dynamodb:DescribeTable", name, err))
		return
	}
	if table.Table == nil || !aws.ToBool(table.Table.DeletionProtectionEnabled) {
		s.Warn(subject, name+" has no deletion protection", "aws dynamodb update-table --table-name "+name+
			" --deletion-protection-enabled, or deploy with DeletionProtection=on")
	}
	backups, err := reader.DescribeContinuousBackups(ctx,
		&dynamodb.DescribeContinuousBackupsInput{TableName: &name})
	switch {
	case err != nil:
		s.Unread(subject, clierror.AWS("dynamodb:DescribeContinuousBackups", name, err))
	case !recoverable(backups.ContinuousBackupsDescription):
		s.Warn(subject, name+" has no point-in-time recovery", "aws dynamodb update-continuous-backups --table-name "+
			name+" --point-in-time-recovery-specification PointInTimeRecoveryEnabled=true")
	}
	ttl, err := reader.DescribeTimeToLive(ctx, &dynamodb.DescribeTimeToLiveInput{TableName: &name})
	switch {
	case err != nil:
		s.Unread(subject, clierror.AWS("dynamodb:DescribeTimeToLive", name, err))
	case !expires(ttl.TimeToLiveDescription):
		s.Warn(subject, name+" keeps rows that are no longer needed", "aws dynamodb update-time-to-live --table-name "+
			name+" --time-to-live-specification Enabled=true,AttributeName=forget_at")
	}
	s.OK(subject, "%s exists", name)
}

func recoverable(d *dynamotypes.ContinuousBackupsDescription) bool {
	return d != nil && d.PointInTimeRecoveryDescription != nil &&
		d.PointInTimeRecoveryDescription.PointInTimeRecoveryStatus == dynamotypes.PointInTimeRecoveryStatusEnabled
}

func expires(d *dynamotypes.TimeToLiveDescription) bool {
	return d != nil && aws.ToString(d.AttributeName) == "forget_at" &&
		(d.TimeToLiveStatus == dynamotypes.TimeToLiveStatusEnabled ||
			d.TimeToLiveStatus == dynamotypes.TimeToLiveStatusEnabling)
}

// release checks the published version that the alias api names. It is
// compared with $LATEST, to which a deployment brings code and settings.
func (s *setup) release(ctx context.Context, reader *lambda.Client, name, version string) {
	const subject = "alias " + iampolicy.APIAlias
	of := func(qualifier string) (*lambda.GetFunctionConfigurationOutput, error) {
		in := &lambda.GetFunctionConfigurationInput{FunctionName: &name, Qualifier: &qualifier}
		return reader.GetFunctionConfiguration(ctx, in)
	}
	published, err := of(version)
	latest, latestErr := of(iampolicy.Latest)
	switch {
	case err != nil:
		s.Unread(subject, clierror.AWS("lambda:GetFunctionConfiguration", name+":"+version, err))
	case latestErr != nil:
		s.Unread(subject, clierror.AWS("lambda:GetFunctionConfiguration", name, latestErr))
	case aws.ToString(published.CodeSha256) != aws.ToString(latest.CodeSha256) ||
		!maps.Equal(settingsOf(published.Environment), settingsOf(latest.Environment)):
		s.Warn(subject, "stands on version "+version+", whose code or settings are not those of the last deployment",
			"deploy with another Release, unless it was rolled back on purpose")
	default:
		s.OK(subject, "stands on version %s, the last deployment", version)
	}
}

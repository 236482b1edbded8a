package callers

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/spf13/cobra"

	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/clierror"
	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/command"
	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/connection"
	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/hint"
	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/iampolicy"
)

type grant struct {
	command.Program
	connection.Flags
	command.Output
	to string
}

func newGrant(p command.Program) *cobra.Command {
	g := &grant{Program: p}
	cmd := &cobra.Command{
		Use:   "grant NAME --to ARN",
		Short: "Lets an IAM principal invoke a stack's function for one credential",
		Long: `It makes the alias c-NAME, by which the function vends that credential and no other, and lets the
principal invoke it: a role, a user, or with arn:aws:iam::ACCOUNT:root whom the IAM of that account
allows. The account may be another one.
It prints the IAM policy that the principal needs too, and the command that takes the permission
away. What is there already stays as it is.
`,
		Example: "tokenvend grant minut --to arn:aws:iam::210987654321:role/billing " +
			"--function tokenvend-VendFunction-1A2B3C",
		Args:              command.OneName,
		ValidArgsFunction: command.CompleteNames(&g.Flags),
		RunE: func(cmd *cobra.Command, args []string) error {
			return g.run(cmd.Context(), p.Hints(cmd), args[0])
		},
	}
	g.Flags.Register(cmd.Flags())
	g.Output.Register(cmd)
	cmd.Flags().StringVar(&g.to, "to", "", "the `ARN` of an IAM role, a user or an account's root")
	return cmd
}

// permission is what grant prints.
type permission struct {
	Credential string `json:"credential"`
	Alias      string `json:"alias"` // its ARN
	Principal  string `json:"principal"`
	Statement  string `json:"statement"` // of the alias's policy
	NewAlias   bool   `json:"new_alias"`
	New        bool   `json:"new"` // the permission
	Policy     policy `json:"policy"`
}

// policy is the IAM policy that the principal needs.
type policy struct {
	Version   string
	Statement []allowed
}

type allowed struct{ Effect, Action, Resource string }

func (g *grant) run(ctx context.Context, commands hint.Commands, name string) error {
	if !principalARN.MatchString(g.to) {
		return clierror.Usage("--to: expected the ARN of an IAM role with its path, of a user, or of an account's " +
			"root, arn:aws:iam::ACCOUNT:root")
	}
	place, err := g.Place(ctx, commands)
	if err != nil {
		return err
	}
	f, err := openFunction(ctx, place)
	if err != nil {
		return err
	}
	caller, err := place.Client()
	if err != nil {
		return err
	}
	if _, err := caller.Status(ctx, name); err != nil { // an alias for a name that does not exist is of no use
		return err
	}
	made, err := f.grant(ctx, name, g.to)
	if err != nil {
		return err
	}
	return g.Print(g.Console, made, func() error { return g.explain(f, made) })
}

// principalARN matches principals that a Lambda permission can name. A session
// of a role is none, and neither is a pattern.
var principalARN = regexp.MustCompile(`^arn:aws[a-z-]*:iam::[0-9]{12}:(root|(role|user)/[A-Za-z0-9/+=,.@_-]{1,576})$`)

// grant makes the alias of a credential and lets a principal invoke it, where
// that is not so yet.
func (f *function) grant(ctx context.Context, name, principal string) (permission, error) {
	alias := iampolicy.CredentialAlias(name)
	made := permission{Credential: name, Alias: f.arn + ":" + alias, Principal: principal}
	made.Policy = policy{"2012-10-17", []allowed{{"Allow", iampolicy.InvokeAction, made.Alias}}}
	var err error
	if made.NewAlias, err = f.ensureAlias(ctx, alias); err != nil {
		return made, err
	}
	if err := f.withoutRetries(ctx, alias); err != nil {
		return made, err
	}
	present, err := f.permissions(ctx, alias)
	if err != nil {
		return made, err
	}
	for _, s := range present {
		if len(s.Condition) == 0 && s.NotPrincipal == nil && slices.Contains(s.Principal, principal) {
			made.Statement = s.Sid
			return made, nil
		}
	}
	made.New, made.Statement = true, statementID(principal)
	_, err = f.lambda.AddPermission(ctx, &lambda.AddPermissionInput{
		FunctionName: &f.name, Qualifier: &alias, StatementId: &made.Statement,
		Action: aws.String(iampolicy.InvokeAction), Principal: &principal,
	})
	if isCode(err, "InvalidParameterValueException") {
		return made, clierror.Usage("--to: Lambda refuses the principal: there is no such role, user or account")
	}
	return made, clierror.AWS("lambda:AddPermission", f.name+":"+alias, err)
}

// ensureAlias makes an alias of $LATEST, unless there is one.
func (f *function) ensureAlias(ctx context.Context, alias string) (made bool, err error) {
	_, err = f.lambda.CreateAlias(ctx, &lambda.CreateAliasInput{
		FunctionName: &f.name, Name: &alias, FunctionVersion: aws.String(iampolicy.Latest),
		Description: aws.String("Made by tokenvend grant"),
	})
	if err == nil || !isCode(err, "ResourceConflictException") {
		return err == nil, clierror.AWS("lambda:CreateAlias", f.name+":"+alias, err)
	}
	out, err := f.lambda.GetAlias(ctx, &lambda.GetAliasInput{FunctionName: &f.name, Name: &alias})
	if err != nil {
		return false, clierror.AWS("lambda:GetAlias", f.name+":"+alias, err)
	}
	if on := aws.ToString(out.FunctionVersion); on != iampolicy.Latest {
		return false, fmt.Errorf("the alias %s stands on version %s, which keeps the settings of its time; "+
			"first run\n  %s",
			alias, on, f.inRegion(iampolicy.UpdateAlias(f.name, alias)))
	}
	return false, nil
}

// inRegion returns a command of the AWS CLI in the function's region.
func (f *function) inRegion(command string) string { return hint.InRegion(f.region, command) }

// withoutRetries has Lambda repeat no asynchronous invocation by the alias:
// nobody would get the answer.
func (f *function) withoutRetries(ctx context.Context, alias string) error {
	_, err := f.lambda.PutFunctionEventInvokeConfig(ctx, &lambda.PutFunctionEventInvokeConfigInput{
		FunctionName: &f.name, Qualifier: &alias, MaximumRetryAttempts: aws.Int32(0),
	})
	return clierror.AWS("lambda:PutFunctionEventInvokeConfig", f.name+":"+alias, err)
}

// statementID returns the name of the statement for a principal, the same each
// time.
func statementID(principal string) string {
	sum := sha256.Sum256([]byte(principal))
	return "tokenvend-" + hex.EncodeToString(sum[:8])
}

// explain prints what was made, for reading.
func (g *grant) explain(f *function, p permission) error {
	did := "could already invoke"
	if p.New {
		did = "may now invoke"
	}
	alias := iampolicy.CredentialAlias(p.Credential)
	where := "Its account is this one, where the permission is enough; this policy of its own does as well:"
	if account := strings.Split(p.Principal, ":")[4]; account != strings.Split(f.arn, ":")[4] {
		where = "Its account, " + account + ", has to allow it too, by this policy on the principal:"
	}
	g.Say("%s %s %s.\n%s", p.Principal, did, p.Alias, where)
	if err := g.JSON(p.Policy); err != nil {
		return err
	}
	g.Say("It gets a token with\n  aws lambda invoke --function-name %s --region %s "+
		"--cli-binary-format raw-in-base64-out --payload '{\"credential\":\"%s\"}' /dev/stdout\n"+
		"This takes the permission away:\n  %s",
		p.Alias, f.region, p.Credential, f.inRegion(iampolicy.RemovePermission(f.name, alias, p.Statement)))
	return nil
}

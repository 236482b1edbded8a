"""What becomes of the stack's template, told as JSON.

stack.py TEMPLATE EXPANSION   writes the expansion, makes the stack of it at AWS_ENDPOINT_URL, and prints what was made.
stack.py TEMPLATE EXPANSION lint   writes the expansion, and prints what cfn-lint has to say of both files.
stack.py TEMPLATE EXPANSION expand   writes the expansion, and prints it.
stack.py TEMPLATE EXPANSION golden   prints what tests without Python need to know: the expansion, and the API's document.

No network but that endpoint is needed.
"""

import ast
import hashlib
import io
import json
import subprocess
import sys
import zipfile

from samtranslator.translator.transform import transform
from samtranslator.yaml_helper import yaml_parse

STACK = "tokenvend"
BUCKET = "tokenvend-code"
CODE = "code.zip"
WIDTH = 1000  # of a YAML line: none is folded

# Words that stand nowhere else, so that others can be put in their places.
PREFIX = "the-secret-prefix/"
SEAL_ID = "the-seal-id"

# What moto makes of a template. It knows no aliases, no HTTP API and no schedule with a retry policy.
MADE = {"AWS::DynamoDB::Table", "AWS::IAM::Role", "AWS::KMS::Key", "AWS::Lambda::Function", "AWS::Logs::LogGroup"}


class NoManagedPolicies:
    """The roles of the template stand in it: SAM needs no list of AWS's own policies."""

    def load(self):
        return {}


def expand(source):
    """The CloudFormation that AWS would make of the template. `sam package` puts the address of the code in place of its folder."""
    template = yaml_parse(source)
    template["Globals"]["Function"]["CodeUri"] = f"s3://{BUCKET}/{CODE}"
    return transform(template, {}, NoManagedPolicies())


def without_aws(node):
    """A copy of an OpenAPI document that no AWS extension stands in."""
    if isinstance(node, dict):
        return {k: without_aws(v) for k, v in node.items() if not k.startswith("x-amazon-")}
    if isinstance(node, list):
        return [without_aws(v) for v in node]
    return node


SERVERS = [
    {
        "url": "https://{api}.execute-api.{region}.amazonaws.com",
        "description": "The stack's output ApiUrl",
        "variables": {"api": {"default": "abc1234567"}, "region": {"default": "us-east-1"}},
    },
    {"url": "http://127.0.0.1:3000", "description": "tokenvend serve, on one machine"},
]

SIGV4 = {
    "type": "apiKey",
    "in": "header",
    "name": "Authorization",
    "description": "AWS Signature Version 4, for the service execute-api",
    "x-amazon-apigateway-authtype": "awsSigv4",
}


def document(source):
    """The API's document, as JSON and as YAML. What API Gateway sets by itself is added: servers, signatures, the classes of its refusals."""
    import yaml

    body = without_aws(yaml_parse(source)["Resources"]["Api"]["Properties"]["DefinitionBody"])
    info = {**body["info"], "license": {"name": "Apache-2.0", "url": "https://www.apache.org/licenses/LICENSE-2.0"}}
    for path in body["paths"].values():
        for operation in (o for o in path.values() if isinstance(o, dict)):
            refused = operation["responses"].pop("default")
            operation["responses"] |= {"4XX": dict(refused), "5XX": dict(refused)}
    body["components"]["securitySchemes"] = {"sigv4": SIGV4}
    body = {"openapi": body["openapi"], "info": info, "servers": SERVERS, "security": [{"sigv4": []}]} | body | {"info": info}
    return body, yaml.safe_dump(body, sort_keys=False, width=WIDTH, allow_unicode=True)


# The conditions of list entries that the stack of the tests does not have.
NOT_GIVEN = {"VpcGiven", "Traced", "ProofKeysGiven", "ProofAudiencesGiven"}


def without_optional(node):
    """A copy of an expansion whose lists lack what NOT_GIVEN leaves out. moto fails on AWS::NoValue in a list."""
    if isinstance(node, dict):
        return {k: without_optional(v) for k, v in node.items()}
    if isinstance(node, list):
        return [without_optional(v) for v in node if not (isinstance(v, dict) and v.get("Fn::If", [""])[0] in NOT_GIVEN)]
    return node


def create(expansion, secret_key):
    """Makes the stack, and returns the physical name of each of its resources."""
    import boto3

    empty = io.BytesIO()
    with zipfile.ZipFile(empty, "w") as z:
        z.writestr("bootstrap", "")
    resources = {k: without_optional(r) for k, r in expansion["Resources"].items() if r["Type"] in MADE}
    body = json.dumps({**expansion, "Resources": resources, "Outputs": {}})
    s3 = boto3.client("s3")
    s3.create_bucket(Bucket=BUCKET)
    s3.put_object(Bucket=BUCKET, Key=CODE, Body=empty.getvalue())
    formation = boto3.client("cloudformation")
    # With a key given, no other list of the template has AWS::NoValue.
    given = {"SecretPrefix": PREFIX, "SealId": SEAL_ID, "SecretKeyArn": secret_key}
    parameters = [{"ParameterKey": k, "ParameterValue": v} for k, v in given.items()]
    formation.create_stack(StackName=STACK, TemplateBody=body, Parameters=parameters, Capabilities=["CAPABILITY_IAM"])
    made = formation.describe_stack_resources(StackName=STACK)["StackResources"]
    return {r["LogicalResourceId"]: r["PhysicalResourceId"] for r in made}


def new_key():
    """The ARN of a key of the account's own."""
    import boto3

    return boto3.client("kms").create_key()["KeyMetadata"]["Arn"]


def function(logical, name):
    """A function as it was made, settings and policies resolved."""
    import boto3

    made = boto3.client("lambda").get_function_configuration(FunctionName=name)
    iam = boto3.client("iam")
    role = made["Role"].rsplit("/", 1)[1]
    policies = [iam.get_role_policy(RoleName=role, PolicyName=p)["PolicyDocument"] for p in iam.list_role_policies(RoleName=role)["PolicyNames"]]
    return {
        "name": logical,
        "arn": made["FunctionArn"],
        "role": made["Role"],
        "environment": made["Environment"]["Variables"],
        "timeout": made["Timeout"],
        "memory": made["MemorySize"],
        # moto keeps a stack's policies in Python's notation.
        "policy": [s for p in policies for s in ast.literal_eval(p)["Statement"]],
    }


def table(name):
    """A table as it was made, in the words of CreateTable."""
    import boto3

    made = boto3.client("dynamodb").describe_table(TableName=name)["Table"]
    indexes = [{k: i[k] for k in ("IndexName", "KeySchema", "Projection")} for i in made["GlobalSecondaryIndexes"]]
    return {"AttributeDefinitions": made["AttributeDefinitions"], "KeySchema": made["KeySchema"], "GlobalSecondaryIndexes": indexes, "BillingMode": "PAY_PER_REQUEST"}


def version(named):
    """The version that an alias names where the parameter Release is not given."""
    return named if isinstance(named, str) else named["Fn::If"][2]


def lint(path):
    """All that cfn-lint says of a file, informational rules included; nothing where it is clean."""
    run = [sys.executable, "-c", "from cfnlint.runner import main; main()", "--include-checks", "I", "--", path]
    said = subprocess.run(run, capture_output=True, text=True, check=False)
    return said.stdout + said.stderr


def integrations(template):
    """What API Gateway does with each operation."""
    paths = template["Resources"]["Api"]["Properties"]["DefinitionBody"]["paths"]
    operations = [o for path in paths.values() for o in path.values() if isinstance(o, dict)]
    return [o.get("x-amazon-apigateway-integration") for o in operations]


def described(source):
    """What the template says of the API."""
    api, text = document(source)
    return {
        "integrations": integrations(yaml_parse(source)),
        "api": api,
        "api_text": text,
        "api_sum": hashlib.sha256(text.encode()).hexdigest(),
    }


def main(template, expansion_path, *mode):
    with open(template, encoding="utf-8") as f:
        source = f.read()
    expansion = expand(source)
    with open(expansion_path, "w", encoding="utf-8") as f:
        json.dump(expansion, f, indent=1)
    if mode == ("lint",):
        told = {path: lint(path) for path in (template, expansion_path)}
    elif mode == ("expand",):
        told = expansion
    elif mode == ("golden",):
        told = {"expansion": expansion, **described(source)}
    else:
        resources = expansion["Resources"]
        secret_key = new_key()
        physical = create(expansion, secret_key)
        told = {
            "functions": {k: function(k, physical[k]) for k, r in resources.items() if r["Type"] == "AWS::Lambda::Function"},
            "parameters": {"table": physical["TokenTable"], "secret_prefix": PREFIX, "seal_id": SEAL_ID},
            "secret_key": secret_key,
            "aliases": {r["Properties"]["Name"]: version(r["Properties"]["FunctionVersion"]) for r in resources.values() if r["Type"] == "AWS::Lambda::Alias"},
            "table": table(physical["TokenTable"]),
            "ttl": resources["TokenTable"]["Properties"]["TimeToLiveSpecification"]["AttributeName"],
            **described(source),
        }
    json.dump(told, sys.stdout)


if __name__ == "__main__":
    main(*sys.argv[1:])

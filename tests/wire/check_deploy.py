"""What is deployed, looked at from outside the program: schemas by an independent validator, templates by their own text.

    check_deploy.py schema SCHEMA FILE…    each TOML file is valid by the schema; prints how many, fails with reasons
    check_deploy.py refused SCHEMA FILE…   each TOML file is refused by it
    check_deploy.py forms SCHEMA           each example in the schema is of its own form
    check_deploy.py statements TEMPLATE    prints the policy statements of a CloudFormation template
    check_deploy.py broken TEMPLATE        prints what the rules of the template say of its parameters
    check_deploy.py config TEMPLATE        prints the configuration that the template gives the task
    check_deploy.py task TEMPLATE          prints the task definition as ECS's API takes it
    check_deploy.py service TEMPLATE       prints the service as ECS's API takes it
    Those of a template take NAME=VALUE, parameters of it, behind it.
    check_deploy.py ecs OPERATION FILE     the file is what this operation of ECS takes, by the AWS service model
"""
import json, re, sys, tomllib

import jsonschema
import yaml

VALUES = {
    "AWS::AccountId": "111122223333", "AWS::Partition": "aws", "AWS::Region": "us-east-1",
    "Mode": "observe", "Regions": ["us-east-1", "eu-central-1"], "ExtraConfig": "",
    "Topic": "arn:aws:sns:us-east-1:111122223333:bedrock-ops-alert", "MemberRoleName": "bedrock-ops-alert-member",
    "Image": "REGISTRY/bedrock-ops-alert:TAG", "TaskRole.Arn": "arn:aws:iam::111122223333:role/TASK-ROLE",
    "ExecutionRole.Arn": "arn:aws:iam::111122223333:role/EXECUTION-ROLE", "Logs": "/bedrock-ops-alert",
    "Subnets": ["subnet-0a1b2c3d"], "SecurityGroup": "sg-0a1b2c3d", "PublicIp": "DISABLED",
    "Cluster": "CLUSTER", "Task": "bedrock-ops-alert",
    # One secret of three, as the task definition shows it.
    "SlackUrlArn": "arn:aws:ssm:us-east-1:111122223333:parameter/bedrock-ops-alert/slack-url",
    "PagerDutyKeyArn": "", "HeartbeatUrlArn": "", "SecretsKeyArn": "", "CloseGranted": "false",
    "SlackBotTokenArn": "", "SlackAppTokenArn": "", "SlackChannel": "", "SlackApprovers": "",
}
CONDITIONS = {}
NOTHING = object()


class Loader(yaml.SafeLoader):
    pass


def tagged(loader, suffix, node):
    kind = {"ScalarNode": "scalar", "SequenceNode": "sequence", "MappingNode": "mapping"}[type(node).__name__]
    value = {"scalar": lambda: loader.construct_scalar(node), "sequence": lambda: loader.construct_sequence(node, deep=True),
             "mapping": lambda: loader.construct_mapping(node, deep=True)}[kind]()
    return {"Ref" if suffix == "Ref" else "Fn::" + suffix: value}


Loader.add_multi_constructor("!", tagged)


def resolved(value, extra=None):
    if isinstance(value, list):
        return [it for it in (resolved(it, extra) for it in value) if it is not NOTHING]
    if not isinstance(value, dict):
        return value
    if len(value) == 1:
        (name, inner), = value.items()
        if name == "Ref":
            return NOTHING if inner == "AWS::NoValue" else VALUES[inner]
        if name == "Fn::If":
            return resolved(inner[1] if holds(inner[0]) else inner[2], extra)
        if name == "Fn::GetAtt":
            return VALUES[inner]
        if name == "Fn::Join":
            return inner[0].join(resolved(inner[1], extra))
        if name == "Fn::Split":
            return resolved(inner[1], extra).split(inner[0])
        if name == "Fn::Sub":
            text, more = (inner, {}) if isinstance(inner, str) else inner
            more = resolved(more, extra)
            return re.sub(r"\$\{([^}]+)\}", lambda it: str(more.get(it[1], VALUES.get(it[1]))), text)
        assert not name.startswith("Fn::"), name
    return {key: resolved(it, extra) for key, it in value.items()}


def holds(condition):
    """Whether a condition of the template does, by its name or as it stands."""
    if isinstance(condition, str):
        return holds(CONDITIONS[condition])
    (name, inner), = condition.items()
    return {"Fn::Equals": lambda: resolved(inner[0]) == resolved(inner[1]), "Fn::Not": lambda: not holds(inner[0]),
            "Fn::And": lambda: all(map(holds, inner)), "Fn::Or": lambda: any(map(holds, inner)),
            "Fn::Condition": lambda: holds(inner)}[name]()


def resources(path):
    with open(path) as file:
        template = yaml.load(file, Loader)
    CONDITIONS.update(template.get("Conditions", {}))
    return template["Resources"]


def broken(path):
    """What the template's own rules say of these parameters; empty where it takes them."""
    resources(path)
    with open(path) as file:
        rules = yaml.load(file, Loader)["Rules"].values()
    told = [it for rule in rules if holds(rule["RuleCondition"]) for it in rule["Assertions"]]
    return [it["AssertDescription"] for it in told if not holds(it["Assert"])]


def statements(path):
    found = []
    for resource in resources(path).values():
        properties = resource.get("Properties", {})
        inline = [it["PolicyDocument"] for it in resolved(properties.get("Policies", []))]
        own = [properties["PolicyDocument"]] if resource["Type"] == "AWS::IAM::Policy" else []
        for document in inline + own:
            found += resolved(document)["Statement"]
    return found


def camel(value):
    """Property names of CloudFormation as those of the API; keys that people chose stay."""
    if isinstance(value, list):
        return [camel(it) for it in value]
    if isinstance(value, dict):
        return {key if "-" in key else key[0].lower() + key[1:]: camel(it) for key, it in value.items()}
    return value


def of_type(path, kind):
    found = [it["Properties"] for it in resources(path).values() if it["Type"] == kind]
    assert len(found) == 1, kind
    return camel(resolved(found[0]))


def faults(schema, path):
    with open(path, "rb") as file:
        document = tomllib.load(file)
    return [f"{path}: {list(it.path)}: {it.message[:300]}" for it in jsonschema.Draft7Validator(schema).iter_errors(document)]


def examples(schema, path=""):
    if isinstance(schema, dict):
        if "pattern" in schema and "examples" in schema:
            yield path, schema["pattern"], schema["examples"]
        for key, value in schema.items():
            yield from examples(value, f"{path}/{key}")
    elif isinstance(schema, list):
        for value in schema:
            yield from examples(value, path)


def load(path):
    with open(path) as file:
        return json.load(file)


what, *rest = sys.argv[1:]
# Parameters of the template, as NAME=VALUE behind everything else.
while rest and re.fullmatch(r"[A-Za-z]+=.*", rest[-1]):
    name, _, value = rest.pop().partition("=")
    assert name in VALUES, name
    VALUES[name] = value
if what in ("schema", "refused"):
    schema = load(rest[0])
    jsonschema.Draft7Validator.check_schema(schema)
    told = {path: faults(schema, path) for path in rest[1:]}
    wrong = [it for path, found in told.items() for it in found] if what == "schema" else [path for path, found in told.items() if not found]
    print("\n".join(wrong) or f"{len(told)} files")
    sys.exit(1 if wrong else 0)
elif what == "forms":
    found = list(examples(load(rest[0])))
    wrong = [f"{path}: {example}" for path, pattern, all_of in found for example in all_of if not re.search(pattern, example)]
    print("\n".join(wrong) or f"{len(found)} forms")
    sys.exit(1 if wrong else 0)
elif what == "broken":
    print("\n".join(broken(rest[0])))
elif what == "statements":
    print(json.dumps(statements(rest[0])))
elif what == "config":
    environment = of_type(rest[0], "AWS::ECS::TaskDefinition")["containerDefinitions"][0]["environment"]
    print(next(it["value"] for it in environment if it["name"] == "BOA_CONFIG_TEXT"))
elif what == "task":
    print(json.dumps(of_type(rest[0], "AWS::ECS::TaskDefinition"), indent=2))
elif what == "service":
    print(json.dumps(of_type(rest[0], "AWS::ECS::Service"), indent=2))
elif what == "ecs":
    import botocore.session, botocore.validate
    operation = botocore.session.get_session().get_service_model("ecs").operation_model(rest[0])
    given = load(rest[1]) | ({"serviceName": "bedrock-ops-alert"} if rest[0] == "CreateService" else {})
    botocore.validate.validate_parameters(given, operation.input_shape)
    unknown = set(given) - set(operation.input_shape.members)
    sys.exit(f"unknown: {unknown}" if unknown else 0)
else:
    sys.exit(__doc__)

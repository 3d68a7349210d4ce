"""An unmodified third-party client against the simulated AWS: boto3, with its own service models and parsers.

Every answer is compared with the world file, with GET /_sim/state, or with another operation's answer. What this
script cannot know, the datapoints behind the metrics, it prints as JSON for the test that started it.
usage: python boto3_client.py WORLD_FILE      (the endpoint comes from AWS_ENDPOINT_URL)"""
import datetime
import json
import os
import sys
import tomllib
import urllib.request

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

URL = os.environ["AWS_ENDPOINT_URL"]
WORLD = tomllib.load(open(sys.argv[1], "rb"))
MAIN, PLANLESS = WORLD["account"][0]["id"], WORLD["account"][1]["id"]
assert WORLD["account"][0]["support_plan"] and not WORLD["account"][1]["support_plan"]
REGION, CODE = "us-east-1", "L-15B8E632"
DAY = datetime.timedelta(days=1)
CALLS = []


def client(service, account=None, keys=None):
    keys = keys or ({"aws_access_key_id": account, "aws_secret_access_key": "x"} if account else {})
    made = boto3.client(service, region_name=REGION, config=Config(retries={"total_max_attempts": 1}), **keys)
    made.meta.events.register("after-call", lambda model, **_: CALLS.append(f"{service}:{model.name}"))
    return made


def sim(path, body=None):
    request = urllib.request.Request(URL + path, data=json.dumps(body).encode() if body is not None else None)
    with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request) as answer:
        return json.load(answer)


def now():
    return datetime.datetime.fromisoformat(sim("/_sim/clock")["now"])


def sleep(**span):
    until = (now() + datetime.timedelta(**span)).isoformat().replace("+00:00", "Z")
    sim("/_sim/clock/wait", {"client": "boto3", "until": until})


def refused(code, call, **arguments):
    """The call is refused with this code; returns the message."""
    try:
        call(**arguments)
    except ClientError as error:
        assert error.response["Error"]["Code"] == code, (code, error.response)
        assert error.response["Error"]["Message"], error.response
        return error.response["Error"]["Message"]
    raise AssertionError(f"{call} was not refused with {code}")


def pages(call, key, token, **arguments):
    """All items over all pages, and the number of pages."""
    items, count = [], 0
    while True:
        answer = call(**arguments)
        items += answer[key]
        count += 1
        assert count < 1000, "the pages never end"
        if token not in answer:
            return items, count
        arguments[token[0].upper() + token[1:] if token[0].isupper() else token] = answer[token]


def identity():
    sts = client("sts")
    who = sts.get_caller_identity()
    assert who["Account"] == MAIN and who["Arn"].startswith("arn:aws:sts::" + MAIN), who
    there = sts.assume_role(
        RoleArn=f"arn:aws:iam::{PLANLESS}:role/bedrock-ops-alert", RoleSessionName="wire", DurationSeconds=900
    )
    keys = there["Credentials"]
    # By the clock that signs, which is ours and not the world's.
    lasts = keys["Expiration"] - datetime.datetime.now(datetime.timezone.utc)
    assert 0 <= 900 - lasts.total_seconds() < 120, keys
    assert f":{PLANLESS}:assumed-role/bedrock-ops-alert/wire" in there["AssumedRoleUser"]["Arn"]
    keys = {
        "aws_access_key_id": keys["AccessKeyId"],
        "aws_secret_access_key": keys["SecretAccessKey"],
        "aws_session_token": keys["SessionToken"],
    }
    assert client("sts", keys=keys).get_caller_identity()["Account"] == PLANLESS
    refused("AccessDenied", sts.assume_role, RoleArn="arn:aws:iam::999999999999:role/r", RoleSessionName="wire")
    return keys


def catalogue():
    bedrock = client("bedrock")
    listed, count = pages(bedrock.list_inference_profiles, "inferenceProfileSummaries", "nextToken", maxResults=2)
    here = {p["id"] for p in WORLD["profile"] if REGION in p.get("sources", [REGION])}
    assert {p["inferenceProfileId"] for p in listed} == here and count == (len(here) + 1) // 2, (listed, count)
    assert all(isinstance(p["createdAt"], datetime.datetime) and p["type"] == "SYSTEM_DEFINED" for p in listed)
    own, _ = pages(
        bedrock.list_inference_profiles, "inferenceProfileSummaries", "nextToken", typeEquals="APPLICATION"
    )
    wanted = {p["id"]: p for p in WORLD["application_profile"] if p["account"] == MAIN and p["region"] == REGION}
    assert {p["inferenceProfileId"] for p in own} == set(wanted) and wanted, own
    tagged = next(p for p in own if wanted[p["inferenceProfileId"]].get("tags"))
    arn, truth = tagged["inferenceProfileArn"], wanted[tagged["inferenceProfileId"]]
    assert arn == f"arn:aws:bedrock:{REGION}:{MAIN}:application-inference-profile/{truth['id']}"
    got = bedrock.get_inference_profile(inferenceProfileIdentifier=arn)
    got.pop("ResponseMetadata")
    assert got == tagged and got["inferenceProfileName"] == truth["name"], got
    tags = bedrock.list_tags_for_resource(resourceARN=arn)["tags"]
    assert {t["key"]: t["value"] for t in tags} == truth["tags"], tags
    geo = next(p for p in WORLD["profile"] if p["id"] == truth["copied_from"])
    system = bedrock.get_inference_profile(inferenceProfileIdentifier=geo["id"])
    assert [m["modelArn"].split(":")[3] for m in system["models"]] == geo["destinations"], system
    refused("ResourceNotFoundException", bedrock.get_inference_profile, inferenceProfileIdentifier="us.no.model")
    regions = client("account").list_regions(RegionOptStatusContains=["ENABLED", "ENABLED_BY_DEFAULT"], MaxResults=1)
    assert regions["Regions"][0]["RegionOptStatus"] in ("ENABLED", "ENABLED_BY_DEFAULT"), regions
    models = bedrock.list_foundation_models()["modelSummaries"]
    assert {m["modelId"] for m in models} == {m["id"] for m in WORLD["model"]}, models


def metrics(keys):
    """Metrics over pages, 15 days of datapoints over pages; returns the datapoints of one series."""
    cloudwatch = client("cloudwatch")
    listed, count = pages(cloudwatch.list_metrics, "Metrics", "NextToken", Namespace="AWS/Bedrock")
    assert count >= 2 and len({json.dumps(m, sort_keys=True) for m in listed}) == len(listed) > 500, (count, len(listed))
    models = {d["Value"] for m in listed for d in m["Dimensions"] if d["Name"] == "ModelId"}
    assert models == {t["id"] for t in WORLD["target"] if (t["account"], t["region"]) == (MAIN, REGION)}, models
    elsewhere = client("cloudwatch", keys=keys).list_metrics(Namespace="AWS/Bedrock", MetricName="Invocations")
    values = {d["Value"] for m in elsewhere["Metrics"] for d in m["Dimensions"] if d["Name"] == "ModelId"}
    assert values == {t["id"] for t in WORLD["target"] if t["account"] == PLANLESS}, values
    assert cloudwatch.list_metrics(Namespace="AWS/Nothing")["Metrics"] == []
    recent = cloudwatch.list_metrics(Namespace="AWS/Bedrock", RecentlyActive="PT3H", MetricName="Invocations")
    assert recent["Metrics"]

    target = WORLD["target"][0]["id"]
    dimensions = [{"Name": "ModelId", "Value": target}]
    wanted = [("Invocations", "Sum"), ("InputTokenCount", "Sum"), ("OutputTokenCount", "Sum"),
              ("EstimatedTPMQuotaUsage", "Sum"), ("InvocationLatency", "Average"), ("InvocationLatency", "SampleCount"),
              ("InvocationServerErrors", "Sum")]

    def query(name, stat="Sum", period=60):
        metric = {"Namespace": "AWS/Bedrock", "MetricName": name, "Dimensions": dimensions}
        return {"Id": (name + stat).lower(), "MetricStat": {"Metric": metric, "Period": period, "Stat": stat}}

    end = now().replace(second=0)
    window = {"StartTime": end - 15 * DAY, "EndTime": end}
    parts, count = pages(
        cloudwatch.get_metric_data, "MetricDataResults", "NextToken", ScanBy="TimestampAscending",
        MetricDataQueries=[query(*w) for w in wanted], **window
    )
    assert count >= 2, f"{len(wanted)} series of 15 days came on {count} page(s)"
    series = {(n + stat).lower(): {} for n, stat in wanted}
    for part in parts:
        name = part["Id"]
        assert part["StatusCode"] in ("Complete", "PartialData"), part["StatusCode"]
        points = list(zip(part["Timestamps"], part["Values"], strict=True))
        assert points == sorted(points), "oldest first was asked for"
        for at, value in points:
            assert at not in series[name], f"{name} at {at} came twice"
            series[name][at] = value
    minutes = series["invocationssum"]
    assert 21_000 <= len(minutes) <= 15 * 1440, len(minutes)
    assert sum(len(s) for s in series.values()) > 100_800

    # The same hour by another operation, by a longer period, and newest first.
    hour = {"StartTime": end - 8 * DAY, "EndTime": end - 8 * DAY + DAY / 24}
    told = [v for at, v in minutes.items() if hour["StartTime"] <= at < hour["EndTime"]]
    stats = cloudwatch.get_metric_statistics(
        Namespace="AWS/Bedrock", MetricName="Invocations", Dimensions=dimensions, Period=3600,
        Statistics=["Sum", "Maximum", "SampleCount"], **hour
    )["Datapoints"]
    assert len(stats) == 1 and abs(stats[0]["Sum"] - sum(told)) < 1e-6, (stats, sum(told))
    newest = cloudwatch.get_metric_data(MetricDataQueries=[query("Invocations")], **hour)["MetricDataResults"][0]
    assert newest["Values"] == told[::-1] and newest["StatusCode"] == "Complete", newest
    longer = cloudwatch.get_metric_data(MetricDataQueries=[query("Invocations", period=300)], **hour)
    assert abs(sum(longer["MetricDataResults"][0]["Values"]) - sum(told)) < 1e-6

    # A dimension set that nobody publishes is silence, not an error.
    alone = query("Invocations")
    alone["MetricStat"]["Metric"]["Dimensions"] = dimensions + [{"Name": "Team", "Value": "none"}]
    silence = cloudwatch.get_metric_data(MetricDataQueries=[alone], **hour)["MetricDataResults"][0]
    assert (silence["Values"], silence["StatusCode"]) == ([], "Complete"), silence
    too_many = [query("Invocations") | {"Id": f"q{n}"} for n in range(501)]
    message = refused_any(cloudwatch.get_metric_data, MetricDataQueries=too_many, **hour)
    assert "500" in message, message
    return target, int(end.timestamp()), {int(at.timestamp()): value for at, value in minutes.items()}


def linked(keys):
    """Cross-account observability: the main account is the monitoring account of the other one."""
    cloudwatch, there = client("cloudwatch"), client("cloudwatch", keys=keys)
    own = {t["id"] for t in WORLD["target"] if (t["account"], t["region"]) == (MAIN, REGION)}
    theirs = {t["id"] for t in WORLD["target"] if (t["account"], t["region"]) == (PLANLESS, REGION)}
    value = lambda metric: next((d["Value"] for d in metric["Dimensions"] if d["Name"] == "ModelId"), None)

    def listed(service, **arguments):
        metrics, owners, token = [], [], {}
        while True:
            answer = service.list_metrics(Namespace="AWS/Bedrock", MetricName="Invocations", **arguments, **token)
            metrics += answer["Metrics"]
            owners += answer.get("OwningAccounts") or []
            if "NextToken" not in answer:
                return metrics, owners
            token = {"NextToken": answer["NextToken"]}

    metrics, owners = listed(cloudwatch, IncludeLinkedAccounts=True)
    assert len(metrics) == len(owners), (len(metrics), len(owners))
    by_owner = {o: {value(m) for m, owner in zip(metrics, owners) if owner == o} - {None} for o in set(owners)}
    assert by_owner == {MAIN: own, PLANLESS: theirs}, by_owner
    metrics, owners = listed(cloudwatch, IncludeLinkedAccounts=True, OwningAccount=PLANLESS)
    assert set(owners) == {PLANLESS} and {value(m) for m in metrics} - {None} == theirs
    assert listed(cloudwatch, IncludeLinkedAccounts=True, OwningAccount="999999999999") == ([], [])
    metrics, owners = listed(cloudwatch)
    assert owners == [] and {value(m) for m in metrics} - {None} == own
    # An account that monitors none is told its own metrics, and no owners.
    metrics, owners = listed(there, IncludeLinkedAccounts=True)
    assert owners == [] and {value(m) for m in metrics} - {None} == theirs

    end = now().replace(second=0)
    window = {"StartTime": end - DAY / 4, "EndTime": end}

    def read(service, account=None):
        metric = {"Namespace": "AWS/Bedrock", "MetricName": "Invocations", "Dimensions": [{"Name": "ModelId", "Value": min(theirs)}]}
        query = {"Id": "q", "MetricStat": {"Metric": metric, "Period": 60, "Stat": "Sum"}}
        if account:
            query["AccountId"] = account
        result = service.get_metric_data(MetricDataQueries=[query], **window)["MetricDataResults"][0]
        return result["StatusCode"], list(zip(result["Timestamps"], result["Values"], strict=True))

    truth = read(there)
    assert truth[0] == "Complete" and 100 < len(truth[1]), truth
    assert read(cloudwatch, PLANLESS) == truth != read(cloudwatch)
    assert read(cloudwatch, "999999999999") == ("Forbidden", []) == read(there, MAIN)


def refused_any(call, **arguments):
    try:
        call(**arguments)
    except ClientError as error:
        assert error.response["ResponseMetadata"]["HTTPStatusCode"] == 400, error.response
        return error.response["Error"]["Message"]
    raise AssertionError(f"{call} was not refused")


def quotas():
    service = client("service-quotas")
    applied, count = pages(service.list_service_quotas, "Quotas", "NextToken", ServiceCode="bedrock", MaxResults=100)
    assert len(applied) >= 1000 and count >= 10 and len({q["QuotaCode"] for q in applied}) == len(applied), count
    defaults, _ = pages(service.list_aws_default_service_quotas, "Quotas", "NextToken", ServiceCode="bedrock")
    assert {q["QuotaCode"] for q in defaults} == {q["QuotaCode"] for q in applied}
    values = {"applied": {q["QuotaCode"]: q["Value"] for q in applied}, "default": {q["QuotaCode"]: q["Value"] for q in defaults}}
    given = [q for q in WORLD["quota"] if (q["account"], q["region"]) == (MAIN, REGION)]
    assert len(given) >= 3
    for quota in given:
        for kind in ("applied", "default"):
            assert values[kind][quota["code"]] == quota[kind], (quota, kind)
    for quota in sim("/_sim/state")["quotas"]:
        if (quota["account"], quota["region"]) == (MAIN, REGION):
            assert values["applied"][quota["quota_code"]] == quota["applied"], quota

    one = service.get_service_quota(ServiceCode="bedrock", QuotaCode=CODE)["Quota"]
    assert one == next(q for q in applied if q["QuotaCode"] == CODE) and one["Adjustable"], one
    default = service.get_aws_default_service_quota(ServiceCode="bedrock", QuotaCode=CODE)["Quota"]
    assert default["Value"] == values["default"][CODE]
    refused("NoSuchResourceException", service.get_service_quota, ServiceCode="bedrock", QuotaCode="L-00000000")
    ask = {"ServiceCode": "bedrock", "QuotaCode": CODE}
    refused("IllegalArgumentException", service.request_service_quota_increase, DesiredValue=one["Value"], **ask)
    wanted = one["Value"] * 2
    filed = service.request_service_quota_increase(DesiredValue=wanted, **ask)["RequestedQuota"]
    assert (filed["Status"], filed["DesiredValue"], filed["Created"]) == ("PENDING", wanted, now()), filed
    assert "CaseId" not in filed
    refused("ResourceAlreadyExistsException", service.request_service_quota_increase, DesiredValue=wanted + 1, **ask)
    state = sim("/_sim/state")["quota_requests"]
    assert [(r["id"], r["account"], r["region"], r["quota_code"], r["desired"], r["status"]) for r in state] == [
        (filed["Id"], MAIN, REGION, CODE, wanted, "PENDING")
    ], state

    sleep(minutes=3)
    opened = service.get_requested_service_quota_change(RequestId=filed["Id"])["RequestedQuota"]
    assert opened["Status"] == "CASE_OPENED" and opened["CaseId"].isdigit(), opened
    return service, values["applied"][CODE], filed, opened


def grant(service, before, filed):
    """The desk of the world gives 30 % of the raise after nine hours, and applies it three hours later."""
    sleep(hours=9, minutes=10)
    closed = service.get_requested_service_quota_change(RequestId=filed["Id"])["RequestedQuota"]
    assert closed["Status"] in ("CASE_CLOSED", "APPROVED"), closed
    value = lambda: service.get_service_quota(ServiceCode="bedrock", QuotaCode=CODE)["Quota"]["Value"]
    assert value() == before
    sleep(hours=3)
    assert value() == round(before + (filed["DesiredValue"] - before) * 0.3), value()
    told = next(q for q in sim("/_sim/state")["quotas"] if q["account"] == MAIN and q["quota_code"] == CODE)
    assert told["applied"] == value()
    history = service.list_requested_service_quota_change_history_by_quota(ServiceCode="bedrock", QuotaCode=CODE)
    assert [r["Id"] for r in history["RequestedQuotas"]] == [filed["Id"]]


def cases(opened):
    support = client("support")
    started = now()
    levels = support.describe_severity_levels(language="en")["severityLevels"]
    assert {"low", "normal", "high"} <= {level["code"] for level in levels}
    services = support.describe_services(serviceCodeList=["service-bedrock"])["services"]
    assert [s["code"] for s in services] == ["service-bedrock"] and services[0]["categories"]

    # The case that the quota request opened, by its number.
    found = support.describe_cases(displayId=opened["CaseId"], includeResolvedCases=True)["cases"]
    assert len(found) == 1 and "Quota Increase" in found[0]["subject"], found
    quota_case = found[0]["caseId"]
    assert support.add_communication_to_case(caseId=quota_case, communicationBody="14-day peak: 91 %")["result"] is True

    subject, body = "Bedrock: server errors — “quoted” & <tag>", "Zeile 1\nline 2 \U0001f514"
    made = support.create_case(
        subject=subject, communicationBody=body, serviceCode="service-bedrock", categoryCode="general-guidance",
        severityCode="normal", issueType="technical", language="en",
    )["caseId"]
    seen = support.describe_cases(caseIdList=[made])["cases"][0]
    assert (seen["subject"], seen["status"], seen["severityCode"]) == (subject, "opened", "normal"), seen
    after = support.describe_cases(afterTime=started.strftime("%Y-%m-%dT%H:%M:%SZ"), includeResolvedCases=True)["cases"]
    assert [c["caseId"] for c in after] == [made], after
    by_number = support.describe_cases(displayId=seen["displayId"])["cases"]
    assert [c["caseId"] for c in by_number] == [made]
    sleep(minutes=2)
    for n in range(12):
        assert support.add_communication_to_case(caseId=made, communicationBody=f"more {n}")["result"] is True
    said, count = pages(support.describe_communications, "communications", "nextToken", caseId=made, maxResults=10)
    assert count == 2 and [s["body"] for s in said[:2]] == ["more 11", "more 10"] and said[-1]["body"] == body, said
    assert any(s["submittedBy"] == "Amazon Web Services" for s in said), "the automated reply comes within minutes"
    # Files are laid aside first, and go with the words that name their set.
    files = [{"fileName": "hours.csv", "data": "hour,Ω\n1,2\n".encode()}, {"fileName": "b.bin", "data": bytes(range(256))}]
    laid = support.add_attachments_to_set(attachments=files[:1])
    assert laid["expiryTime"] == (now() + datetime.timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M:%S.000Z"), laid
    same = support.add_attachments_to_set(attachmentSetId=laid["attachmentSetId"], attachments=files[1:])
    assert same["attachmentSetId"] == laid["attachmentSetId"], same
    add = {"caseId": made, "communicationBody": "with files"}
    assert support.add_communication_to_case(attachmentSetId=laid["attachmentSetId"], **add)["result"] is True
    newest = support.describe_communications(caseId=made)["communications"][0]
    assert [f["fileName"] for f in newest["attachmentSet"]] == ["hours.csv", "b.bin"], newest
    refused("AttachmentSetSizeLimitExceeded", support.add_attachments_to_set, attachments=files * 2)
    refused("AttachmentSetIdNotFound", support.add_communication_to_case, attachmentSetId="none", **add)
    old = support.add_attachments_to_set(attachments=files)["attachmentSetId"]
    sleep(hours=1)
    refused("AttachmentSetExpired", support.add_communication_to_case, attachmentSetId=old, **add)
    said, _ = pages(support.describe_communications, "communications", "nextToken", caseId=made, maxResults=10)
    resolved = support.resolve_case(caseId=made)
    assert resolved["finalCaseStatus"] == "resolved", resolved
    assert made not in [c["caseId"] for c in support.describe_cases()["cases"]]
    whole = support.describe_cases(caseIdList=[made], includeResolvedCases=True)["cases"][0]
    assert whole["status"] == "resolved"
    refused("CaseIdNotFound", support.resolve_case, caseId=f"case-{MAIN}-muen-2026-0")
    refused("ValidationException", support.create_case, subject="s", communicationBody="x" * 8001)

    state = {c["case_id"]: c for c in sim("/_sim/state")["cases"]}
    assert set(state) == {quota_case, made}
    mine = state[made]
    assert (mine["subject"], mine["status"], mine["account"]) == (subject, "resolved", MAIN), mine
    assert [(c["submitted_by"], c["body"]) for c in mine["communications"]] == [
        (s["submittedBy"], s["body"]) for s in said[::-1]
    ]
    attached = {c["body"]: c["attachments"] for c in mine["communications"] if c["attachments"]}
    assert list(attached) == ["with files"] and attached["with files"][0] == {"file_name": "hours.csv", "text": "hour,Ω\n1,2\n"}
    assert "14-day peak: 91 %" in [c["body"] for c in state[quota_case]["communications"]]

    planless = client("support", PLANLESS)
    refused("SubscriptionRequiredException", planless.describe_severity_levels)
    refused("SubscriptionRequiredException", planless.create_case, subject="s", communicationBody="b")
    refused("SubscriptionRequiredException", planless.add_attachments_to_set, attachments=files)


def notices():
    sns = client("sns")
    topics = [t["TopicArn"] for t in sns.list_topics()["Topics"]]
    topic = f"arn:aws:sns:{REGION}:{MAIN}:{WORLD['account'][0]['topics'][0]}"
    assert topic in topics, topics
    message = "TPM at 91 % — \U0001f514\n<b>&amp;</b> a+b=c%"
    first = sns.publish(TopicArn=topic, Subject="quota is filling up", Message=message)["MessageId"]
    second = sns.publish(TopicArn=topic, Message="y" * 262_144)["MessageId"]
    assert first != second
    refused("InvalidParameter", sns.publish, TopicArn=topic, Message="y" * 262_145)
    refused("InvalidParameter", sns.publish, TopicArn=topic, Subject="zwölf", Message="m")
    refused("NotFound", sns.publish, TopicArn=topic + "-none", Message="m")
    attributes = {
        "severity": {"DataType": "String", "StringValue": "critical"},
        "model": {"DataType": "String.Array", "StringValue": json.dumps(["model-a", "model-b"])},
    }
    sns.publish(TopicArn=topic, Message="m", MessageAttributes=attributes)
    refused("ParameterValueInvalid", sns.publish, TopicArn=topic, Message="m",
            MessageAttributes={"AWS.a": {"DataType": "String", "StringValue": "v"}})
    took = sim("/_sim/state")["published"]
    assert took[2]["attributes"] == attributes, took[2]
    assert [(p["account"], p["topic_arn"], p["subject"], p["message"][:80]) for p in took] == [
        (MAIN, topic, "quota is filling up", message), (MAIN, topic, None, "y" * 80),
        (MAIN, topic, None, "m"),
    ], took


def policies():
    iam = client("iam")
    actions = ["bedrock:InvokeModel", "bedrock:InvokeModelWithResponseStream"]
    model = "arn:aws:bedrock:us-west-2::foundation-model/anthropic.claude-sonnet-4-6"
    profile = f"arn:aws:bedrock:us-east-1:{MAIN}:inference-profile/us.anthropic.claude-sonnet-4-6"

    def asked(caller, region, *resources, **more):
        context = {"ContextKeyName": "aws:RequestedRegion", "ContextKeyType": "string", "ContextKeyValues": [region]}
        return iam.simulate_principal_policy(PolicySourceArn=f"arn:aws:iam::{MAIN}:{caller}", ActionNames=actions,
                                             ResourceArns=resources, ContextEntries=[context], **more)

    answer = asked("role/app", "us-west-2", model)
    assert not answer["IsTruncated"] and "Marker" not in answer, answer
    assert [(r["EvalActionName"], r["EvalDecision"]) for r in answer["EvaluationResults"]] == [
        (a, "allowed") for a in actions
    ]
    for result in asked("role/batch", "us-west-2", model)["EvaluationResults"]:
        assert result["EvalDecision"] == "explicitDeny" and result["MatchedStatements"] == [], result
        assert result["OrganizationsDecisionDetail"] == {"AllowedByOrganizations": False}, result
    # One result an action, whatever the number of resources; each of them stands below it.
    call, stream = asked("role/batch", "us-east-1", profile, model)["EvaluationResults"]
    assert call["EvalDecision"] == "allowed", call
    assert stream["EvalDecision"] == "explicitDeny", stream
    assert [s["SourcePolicyId"] for s in stream["MatchedStatements"]] == ["no-streams"], stream
    below = {r["EvalResourceName"]: r["EvalResourceDecision"] for r in stream["ResourceSpecificResults"]}
    assert below == {profile: "allowed", model: "explicitDeny"}, below
    for result in asked("user/path/ci", "us-west-2", model)["EvaluationResults"]:
        assert result["EvalDecision"] == "implicitDeny", result
        assert result["PermissionsBoundaryDecisionDetail"] == {"AllowedByPermissionsBoundary": False}, result
    first = asked("role/app", "us-west-2", model, MaxItems=1)
    assert first["IsTruncated"] and len(first["EvaluationResults"]) == 1, first
    last = asked("role/app", "us-west-2", model, MaxItems=1, Marker=first["Marker"])
    assert not last["IsTruncated"], last
    assert [r["EvalActionName"] for r in first["EvaluationResults"] + last["EvaluationResults"]] == actions
    simulate = iam.simulate_principal_policy
    refused("NoSuchEntity", simulate, PolicySourceArn=f"arn:aws:iam::{PLANLESS}:role/app", ActionNames=actions)
    refused("ValidationError", simulate, PolicySourceArn="arn:aws:sts::1:role/application", ActionNames=actions)


def logs():
    service = client("logs")
    until = int(now().replace(minute=0, second=0, microsecond=0).timestamp())
    begin = until - 3600
    question = (
        f'filter schemaType = "ModelInvocationLog" and toMillis(@timestamp) >= {begin}000'
        f" and toMillis(@timestamp) < {until}000"
        " | stats count(*) as records, count(errorCode) as failed, sum(input.inputTokenCount) as tokensIn,"
        " sum(output.outputTokenCount) as tokensOut, sum(input.cacheReadInputTokenCount) as cacheRead,"
        " sum(input.cacheWriteInputTokenCount) as cacheWrite by modelId, inferenceRegion"
    )
    asked = {"logGroupName": "/bedrock/invocations", "startTime": begin, "endTime": until, "limit": 10000}
    refused("MalformedQueryException", service.start_query, queryString="stats count(*)", **asked)
    refused("ResourceNotFoundException", service.start_query, queryString=question, **{**asked, "logGroupName": "/none"})
    query = service.start_query(queryString=question, **asked)["queryId"]
    assert service.get_query_results(queryId=query)["status"] == "Running"
    sleep(seconds=6)
    answer = service.get_query_results(queryId=query)
    assert answer["status"] == "Complete", answer
    rows = [{f["field"]: f["value"] for f in row} for row in answer["results"]]
    records = sum(int(row["records"]) for row in rows)
    assert 0 < records == answer["statistics"]["recordsMatched"], answer["statistics"]
    assert answer["statistics"]["bytesScanned"] == 2048 * records, answer["statistics"]
    ran_in = {r.get("inferenceRegion") for r in rows if r["modelId"] == "us.anthropic.claude-sonnet-4-6"}
    assert {"us-east-1", "us-east-2", "us-west-2"} <= ran_in, ran_in
    assert any(r["modelId"].startswith("arn:aws:bedrock:") for r in rows), rows
    refused("ResourceNotFoundException", service.get_query_results, queryId="none")


def main():
    sim("/_sim/clock/wait", {"client": "boto3", "until": "1970-01-01T00:00:00Z"})
    keys = identity()
    catalogue()
    target, end, minutes = metrics(keys)
    linked(keys)
    notices()
    policies()
    logs()
    service, before, filed, opened = quotas()
    cases(opened)
    grant(service, before, filed)
    sim("/_sim/clock/leave", {"client": "boto3"})

    counted, prefix = sim("/_sim/state")["calls"], {"service-quotas": "servicequotas"}
    mine = {}
    for call in CALLS:
        service, operation = call.split(":")
        name = f"{prefix.get(service, service)}:{operation}"
        mine[name] = mine.get(name, 0) + 1
    assert counted == mine, {"sim": counted, "boto3": mine}
    assert len(CALLS) >= 40, len(CALLS)
    print(json.dumps({"calls": len(CALLS), "operations": len(mine), "target": target, "end": end,
                      "minutes": minutes}))


main()

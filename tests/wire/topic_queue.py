"""The far end of a topic: makes a topic with a queue that hears it, or receives from the queue.
usage: python topic_queue.py make | receive QUEUE_URL      (the endpoint comes from AWS_ENDPOINT_URL)"""
import json
import sys

import boto3

sqs = boto3.client("sqs")
if sys.argv[1] == "make":
    sns = boto3.client("sns")
    topic = sns.create_topic(Name="notices")["TopicArn"]
    queue = sqs.create_queue(QueueName="notices")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn, Attributes={
        "FilterPolicy": json.dumps({"severity": ["critical", "warning"], "model": ["model-b"]})})
    print(topic, queue)
else:
    got = sqs.receive_message(QueueUrl=sys.argv[2], WaitTimeSeconds=10, MaxNumberOfMessages=10)
    messages = got.get("Messages", [])
    assert len(messages) == 1, f"one message was published, {len(messages)} came"
    print(json.dumps(json.loads(messages[0]["Body"])))

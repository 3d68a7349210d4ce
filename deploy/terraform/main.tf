# Bedrock Ops Alert as one task on ECS Fargate, with what it may do and no more: the same as deploy/cloudformation/stack.yaml.
# The statements are those of deploy/iam, which `bedrock-ops-alert iam-policy` prints and a test compares.

terraform {
  required_version = ">= 1.5"
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.0"
    }
  }
}

data "aws_caller_identity" "current" {}
data "aws_partition" "current" {}
data "aws_region" "current" {}

locals {
  name       = "bedrock-ops-alert"
  file       = jsondecode(file("${path.module}/../iam/file.json")).Statement
  observe    = jsondecode(file("${path.module}/../iam/observe.json")).Statement
  statements = var.mode == "observe" ? local.observe : local.file

  config = templatefile("${path.module}/config.toml.tftpl", {
    mode    = var.mode
    account = data.aws_caller_identity.current.account_id
    regions = var.regions
    topic   = aws_sns_topic.told.arn
    extra   = var.extra_config
    # Its table is written here, so nothing more of it can stand in the rest.
    heartbeat = contains(keys(var.secrets), "HEARTBEAT_URL") ? "url = \"env:HEARTBEAT_URL\"" : ""
  })
}

resource "aws_sns_topic" "told" {
  name = local.name
}

resource "aws_sns_topic_subscription" "mail" {
  count     = var.email == "" ? 0 : 1
  topic_arn = aws_sns_topic.told.arn
  protocol  = "email"
  endpoint  = var.email
}

resource "aws_cloudwatch_log_group" "service" {
  name              = "/${local.name}"
  retention_in_days = 90
}

data "aws_iam_policy_document" "tasks" {
  statement {
    actions = ["sts:AssumeRole"]
    principals {
      type        = "Service"
      identifiers = ["ecs-tasks.amazonaws.com"]
    }
  }
}

resource "aws_iam_role" "task" {
  name               = "${local.name}-task"
  assume_role_policy = data.aws_iam_policy_document.tasks.json
}

resource "aws_iam_role_policy" "task" {
  name = "what-it-may-do"
  role = aws_iam_role.task.id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = concat(local.statements, [
      {
        Sid      = "Notify"
        Effect   = "Allow"
        Action   = ["sns:Publish"]
        Resource = [aws_sns_topic.told.arn]
      },
      {
        Sid      = "AssumeRoles"
        Effect   = "Allow"
        Action   = ["sts:AssumeRole"]
        Resource = ["arn:${data.aws_partition.current.partition}:iam::*:role/${var.member_role_name}"]
      },
      ], [for closes in [var.close_granted] : {
        Sid      = "CloseCases"
        Effect   = "Allow"
        Action   = ["support:ResolveCase"]
        Resource = ["*"]
    } if closes && var.mode != "observe"])
  })
}

resource "aws_iam_role" "execution" {
  name               = "${local.name}-execution"
  assume_role_policy = data.aws_iam_policy_document.tasks.json
}

resource "aws_iam_role_policy_attachment" "execution" {
  role       = aws_iam_role.execution.name
  policy_arn = "arn:${data.aws_partition.current.partition}:iam::aws:policy/service-role/AmazonECSTaskExecutionRolePolicy"
}

# The secrets that are named, and no others; not there where none is.
resource "aws_iam_role_policy" "secrets" {
  count = length(var.secrets) == 0 ? 0 : 1
  name  = "secrets"
  role  = aws_iam_role.execution.id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = concat(
      [{
        Sid      = "ReadSecrets"
        Effect   = "Allow"
        Action   = ["secretsmanager:GetSecretValue", "ssm:GetParameters"]
        Resource = values(var.secrets)
      }],
      [for key in compact([var.secrets_key]) : {
        Sid      = "DecryptSecrets"
        Effect   = "Allow"
        Action   = ["kms:Decrypt"]
        Resource = [key]
      }],
    )
  })
}

resource "aws_ecs_cluster" "this" {
  name = local.name
}

resource "aws_ecs_task_definition" "service" {
  family                   = local.name
  requires_compatibilities = ["FARGATE"]
  network_mode             = "awsvpc"
  cpu                      = 512
  memory                   = 1024
  task_role_arn            = aws_iam_role.task.arn
  execution_role_arn       = aws_iam_role.execution.arn

  # Nothing of the task is reachable from outside: what mode propose asks for is approved with Slack's buttons.
  lifecycle {
    precondition {
      condition     = var.mode != "propose" || length(regexall("app_token", var.extra_config)) > 0
      error_message = "Mode propose needs somebody who approves: a slack-bot receiver with app_token and approvers in extra_config, its tokens in secrets. See Buttons in docs/receivers.md."
    }
  }

  # Lost with the task: it starts empty then, rebuilds what AWS knows, and files nothing twice.
  volume {
    name = "store"
  }

  container_definitions = jsonencode([{
    name                   = local.name
    image                  = var.image
    essential              = true
    command                = ["run"]
    user                   = "65532:65532"
    readonlyRootFilesystem = true
    linuxParameters        = { capabilities = { drop = ["ALL"] } }
    stopTimeout            = 45
    healthCheck = {
      command     = ["CMD", "/bedrock-ops-alert", "health"]
      interval    = 10
      timeout     = 5
      retries     = 3
      startPeriod = 120
    }
    mountPoints = [{ sourceVolume = "store", containerPath = "/var/lib/bedrock-ops-alert" }]
    environment = [
      { name = "AWS_REGION", value = data.aws_region.current.name },
      { name = "BOA_STORE_PATH", value = "/var/lib/bedrock-ops-alert/store" },
      { name = "BOA_CONFIG_TEXT", value = local.config },
    ]
    secrets = [for name, arn in var.secrets : { name = name, valueFrom = arn }]
    logConfiguration = {
      logDriver = "awslogs"
      options = {
        awslogs-group         = aws_cloudwatch_log_group.service.name
        awslogs-region        = data.aws_region.current.name
        awslogs-stream-prefix = "service"
      }
    }
  }])
}

# One at a time, also while a new version is rolled out: two without a shared store could open two cases.
resource "aws_ecs_service" "service" {
  name                               = local.name
  cluster                            = aws_ecs_cluster.this.id
  task_definition                    = aws_ecs_task_definition.service.arn
  launch_type                        = "FARGATE"
  desired_count                      = 1
  deployment_minimum_healthy_percent = 0
  deployment_maximum_percent         = 100
  depends_on                         = [aws_iam_role_policy.secrets]

  network_configuration {
    subnets          = var.subnets
    security_groups  = [var.security_group]
    assign_public_ip = var.public_ip
  }
}

# The dead man's switch: it speaks where the service can't, by the heartbeat in its log.
resource "aws_cloudwatch_log_metric_filter" "heartbeats" {
  name           = "${local.name}-heartbeats"
  log_group_name = aws_cloudwatch_log_group.service.name
  pattern        = "{ $.event = \"heartbeat\" }"

  metric_transformation {
    namespace = "BedrockOpsAlert"
    name      = "HeartbeatLines"
    value     = "1"
  }
}

resource "aws_cloudwatch_metric_alarm" "silence" {
  alarm_name          = "${local.name}-silence"
  alarm_description   = "Bedrock Ops Alert has not finished a cycle for ten minutes: nobody is watching. See docs/runbooks.md, BoaSilent."
  namespace           = "BedrockOpsAlert"
  metric_name         = "HeartbeatLines"
  statistic           = "Sum"
  period              = 300
  evaluation_periods  = 2
  threshold           = 1
  comparison_operator = "LessThanThreshold"
  treat_missing_data  = "breaching"
  alarm_actions       = [aws_sns_topic.told.arn]
  ok_actions          = [aws_sns_topic.told.arn]
}

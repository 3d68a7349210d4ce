output "topic_arn" {
  description = "Subscribe here."
  value       = aws_sns_topic.told.arn
}

output "task_role_arn" {
  description = "The parameter MonitorRoleArn of deploy/cloudformation/member-role.yaml."
  value       = aws_iam_role.task.arn
}

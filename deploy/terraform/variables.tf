variable "image" {
  description = "The container image, built by deploy/container/Containerfile and pushed to a registry of yours."
  type        = string
}

variable "subnets" {
  description = "Subnets with a way to the AWS endpoints. Nothing is reachable from outside."
  type        = list(string)
}

variable "security_group" {
  description = "Needs HTTPS out, and nothing in."
  type        = string
}

variable "public_ip" {
  description = "True where the subnets have no NAT gateway and no VPC endpoints."
  type        = bool
  default     = false
}

variable "mode" {
  description = "How far it goes by itself. The right to file is given by this as well."
  type        = string
  default     = "observe"

  validation {
    condition     = contains(["observe", "propose", "file"], var.mode)
    error_message = "One of observe, propose and file."
  }
}

variable "regions" {
  description = "Regions to watch in this account."
  type        = list(string)
  default     = ["us-east-1"]
}

variable "email" {
  description = "Who is told by mail, after confirming the subscription. Empty for nobody."
  type        = string
  default     = ""
}

variable "member_role_name" {
  description = "The role that deploy/cloudformation/member-role.yaml makes in further accounts; this task may assume it."
  type        = string
  default     = "bedrock-ops-alert-member"
}

variable "extra_config" {
  description = "More of the configuration, such as further [[account]] tables."
  type        = string
  default     = ""
}

variable "close_granted" {
  description = "Whether cases of ours may be closed once their value is there; `[case] close_granted = true` in extra_config has it done."
  type        = bool
  default     = false
}

variable "secrets" {
  description = "Variables of the container by name, each with the ARN of a parameter of Systems Manager or a secret of Secrets Manager that is its value; the configuration says env: and the name. Secrets stay where they are kept, and are not in the state."
  type        = map(string)
  default     = {}

  validation {
    condition     = alltrue([for name, arn in var.secrets : can(regex("^[A-Za-z_][A-Za-z0-9_]*$", name)) && can(regex("^arn:[a-z-]+:(ssm:[a-z0-9-]+:[0-9]{12}:parameter/.+|secretsmanager:[a-z0-9-]+:[0-9]{12}:secret:[^:]+)$", arn))])
    error_message = "Names of variables, and whole ARNs."
  }
}

variable "secrets_key" {
  description = "The ARN of the KMS key that the secrets are encrypted with, where it is one of yours and not AWS's own."
  type        = string
  default     = ""
}

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

# The bootstrap identity with Terraform: the agent, a role with its policy, and an association for each of the two providers.
#
#   terraform -chdir=docs/bootstrap init
#   terraform -chdir=docs/bootstrap apply -var cluster_name=prod
#
# The region is that of the AWS provider (AWS_REGION). Copy the file into a configuration of yours, together with
# bootstrap-policy.json, if you keep the cluster there.

terraform {
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.29" # the first with aws_eks_pod_identity_association
    }
  }
}

variable "cluster_name" {
  type        = string
  description = "Name of the EKS cluster that Crossplane runs in."
}

variable "namespace" {
  type        = string
  default     = "crossplane-system"
  description = "Namespace that Crossplane runs in."
}

variable "agent" {
  type        = bool
  default     = true
  description = "Whether to install the agent. Set it to false on EKS Auto Mode, and where the add-on exists already."
}

variable "service_accounts" {
  type        = set(string)
  default     = ["provider-aws-iam", "provider-aws-eks"]
  description = "ServiceAccounts of provider-aws-iam and provider-aws-eks."
}

data "aws_eks_cluster" "this" {
  name = var.cluster_name
}

locals {
  # arn:PARTITION:eks:REGION:ACCOUNT_ID:cluster/CLUSTER_NAME
  arn       = split(":", data.aws_eks_cluster.this.arn)
  partition = local.arn[1]
  region    = local.arn[3]
  account   = local.arn[4]
}

resource "aws_eks_addon" "agent" {
  count = var.agent ? 1 : 0

  cluster_name = var.cluster_name
  addon_name   = "eks-pod-identity-agent"

  # Other workloads use it, too: terraform destroy leaves the agent running, though no longer as an add-on.
  preserve = true
}

resource "aws_iam_role" "bootstrap" {
  # Not crossplane-*: the policy would let the role change itself.
  name = "podidentity-bootstrap-${var.cluster_name}"

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = "pods.eks.amazonaws.com" }
      Action    = ["sts:AssumeRole", "sts:TagSession"]
      Condition = {
        StringEquals = {
          "aws:RequestTag/eks-cluster-name"           = var.cluster_name
          "aws:RequestTag/kubernetes-namespace"       = var.namespace
          "aws:RequestTag/kubernetes-service-account" = sort(var.service_accounts)
        }
      }
    }]
  })
}

resource "aws_iam_role_policy" "bootstrap" {
  name = "bootstrap"
  role = aws_iam_role.bootstrap.id

  policy = replace(replace(replace(replace(file("${path.module}/../bootstrap-policy.json"),
    "arn:aws:", "arn:${local.partition}:"),
    "ACCOUNT_ID", local.account),
    "REGION", local.region),
  "CLUSTER_NAME", var.cluster_name)
}

resource "aws_eks_pod_identity_association" "bootstrap" {
  for_each = var.service_accounts

  cluster_name    = var.cluster_name
  namespace       = var.namespace
  service_account = each.value
  role_arn        = aws_iam_role.bootstrap.arn

  # A provider that starts sooner would have its identity before the permissions.
  depends_on = [aws_iam_role_policy.bootstrap]
}

output "role_arn" {
  value       = aws_iam_role.bootstrap.arn
  description = "The role of provider-aws-iam and provider-aws-eks."
}

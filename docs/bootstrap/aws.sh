#!/usr/bin/env bash
# The bootstrap identity with the AWS CLI: the agent, a role with its policy, and an association for each of the two providers.
#
#   CLUSTER=prod REGION=eu-west-1 docs/bootstrap/aws.sh
#
# You can run it again: it creates what is missing, corrects the role's policies, and changes nothing else. It does not take an
# association away from another role.
set -euo pipefail

: "${CLUSTER:?set it to the name of the EKS cluster}" "${REGION:?set it to the region of the cluster}"
NAMESPACE=${NAMESPACE:-crossplane-system}      # the one that Crossplane runs in
ROLE=${ROLE:-podidentity-bootstrap-$CLUSTER}   # not crossplane-*: the policy would let the role change itself
AGENT=${AGENT:-yes}                            # no, on EKS Auto Mode: it has the agent built in
PROVIDERS=${PROVIDERS:-provider-aws-iam provider-aws-eks}   # their ServiceAccounts

# IAM and STS have other endpoints in China and GovCloud. Version 1 of the AWS CLI reads the second of the two.
export AWS_REGION=$REGION AWS_DEFAULT_REGION=$REGION

policy=$(dirname "${BASH_SOURCE[0]}")/../bootstrap-policy.json
identity=$(aws sts get-caller-identity --query Arn --output text)
IFS=: read -r _ partition _ _ account _ <<<"$identity"
arn=arn:$partition:iam::$account:role/$ROLE
cluster=(--cluster-name "$CLUSTER" --region "$REGION")

# IAM needs some seconds until EKS knows a new role.
again() {
  for _ in 1 2 3 4 5; do
    "$@" && return
    sleep "${PAUSE:-5}"
  done
  "$@"
}

if [ "$AGENT" = yes ]; then
  aws eks describe-addon "${cluster[@]}" --addon-name eks-pod-identity-agent >/dev/null 2>&1 ||
    aws eks create-addon "${cluster[@]}" --addon-name eks-pod-identity-agent >/dev/null
  aws eks wait addon-active "${cluster[@]}" --addon-name eks-pod-identity-agent
  echo "agent: active"
fi

accounts=$(printf ', "%s"' $PROVIDERS)
trust=$(cat <<JSON
{
  "Version": "2012-10-17",
  "Statement": [
    {
      "Effect": "Allow",
      "Principal": {"Service": "pods.eks.amazonaws.com"},
      "Action": ["sts:AssumeRole", "sts:TagSession"],
      "Condition": {
        "StringEquals": {
          "aws:RequestTag/eks-cluster-name": "$CLUSTER",
          "aws:RequestTag/kubernetes-namespace": "$NAMESPACE",
          "aws:RequestTag/kubernetes-service-account": [${accounts#, }]
        }
      }
    }
  ]
}
JSON
)
if aws iam get-role --role-name "$ROLE" >/dev/null 2>&1; then
  aws iam update-assume-role-policy --role-name "$ROLE" --policy-document "$trust"
else
  aws iam create-role --role-name "$ROLE" --assume-role-policy-document "$trust" >/dev/null
  aws iam wait role-exists --role-name "$ROLE"
fi
aws iam put-role-policy --role-name "$ROLE" --policy-name bootstrap --policy-document \
  "$(sed "s/arn:aws:/arn:$partition:/g; s/ACCOUNT_ID/$account/g; s/REGION/$REGION/g; s/CLUSTER_NAME/$CLUSTER/g" "$policy")"
echo "role: $arn"

created=
for sa in $PROVIDERS; do
  id=$(aws eks list-pod-identity-associations "${cluster[@]}" --namespace "$NAMESPACE" --service-account "$sa" \
    --query 'associations[0].associationId' --output text)
  if [ "$id" = None ]; then
    again aws eks create-pod-identity-association "${cluster[@]}" --namespace "$NAMESPACE" --service-account "$sa" \
      --role-arn "$arn" >/dev/null
    created=yes
    echo "association of $sa: created"
    continue
  fi
  has=$(aws eks describe-pod-identity-association "${cluster[@]}" --association-id "$id" --query association.roleArn --output text)
  if [ "$has" != "$arn" ]; then
    echo "association of $sa: $id has the role $has. Give that role the policy in docs/bootstrap-policy.json, or delete the association and run this again." >&2
    exit 1
  fi
  echo "association of $sa: is there"
done

# A pod that starts before EKS knows its association everywhere never gets credentials.
[ -z "$created" ] || sleep "${SETTLE:-15}"

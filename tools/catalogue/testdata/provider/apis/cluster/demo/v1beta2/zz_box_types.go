package v1beta1

type Box struct {
	KMSKeyID *string `json:"kmsKeyId,omitempty" tf:"kms_key_id,omitempty"`
	RoleArn  *string `json:"executionRoleArn,omitempty" tf:"execution_role_arn,omitempty"`
}

package v1beta1

type BoxObservation struct {
	ID         *string `json:"id,omitempty" tf:"id,omitempty"`
	OldRoleArn *string `json:"oldRoleArn,omitempty" tf:"old_role_arn,omitempty"`
	Lid        *string `json:"lid,omitempty" tf:"lid,omitempty"`
}

type BoxParameters_2 struct {
	ID   *string          `json:"id,omitempty" tf:"id,omitempty"`
	Lock []LockParameters `json:"lock,omitempty" tf:"lock,omitempty"`
}

type LockParameters struct {
	// ID of a KMS key.
	KeyID *string `json:"keyId,omitempty" tf:"key_id,omitempty"`
}

type BoxSpec struct {
	ForProvider BoxParameters_2 `json:"forProvider"`
}

type BoxStatus struct {
	AtProvider BoxObservation `json:"atProvider,omitempty"`
}

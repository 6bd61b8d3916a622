package v1beta1

// GetTerraformResourceType returns Terraform resource type for this Box
func (mg *Box) GetTerraformResourceType() string {
	return "aws_demo_box"
}

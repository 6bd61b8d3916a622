package names

const (
	AttrARN  = "arn"
	AttrID   = "id"
	AttrSize = "size"
)

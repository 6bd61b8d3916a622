package demo

import "github.com/crossplane/upjet/v2/pkg/config"

func Configure(p *config.Provider) {
	p.AddResourceConfigurator("aws_demo_box", func(r *config.Resource) {
		r.TerraformConfigurationInjector = func(_, params map[string]any) error {
			params["lid"] = "closed"
			return nil
		}
	})
	p.AddResourceConfigurator("aws_demo_thing", func(r *config.Resource) {
		r.TerraformConfigurationInjector = func(_, params map[string]any) error {
			params["old_role_arn"] = ""
			return nil
		}
	})
}

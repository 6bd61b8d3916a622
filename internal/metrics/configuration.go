package metrics

import "github.com/prometheus/client_golang/prometheus"

// Configuration holds the metrics of the function's own configuration.
type Configuration struct {
	info     *prometheus.GaugeVec
	right    prometheus.Gauge
	failures prometheus.Counter
}

// NewConfiguration returns registered metrics. Only a function that has a configuration has them.
func NewConfiguration(r prometheus.Registerer) *Configuration {
	c := &Configuration{
		info: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Namespace: Prefix, Name: "configuration_info", Help: "1, with the hash of the configuration (--config) in use.",
		}, []string{"hash"}),
		right: prometheus.NewGauge(prometheus.GaugeOpts{
			Namespace: Prefix, Name: "configuration_last_read_successful", Help: "1 if the configuration that was read last is in use; 0 if it is wrong, and the previous one is still in use.",
		}),
		failures: prometheus.NewCounter(prometheus.CounterOpts{
			Namespace: Prefix, Name: "configuration_read_failures_total", Help: "Configurations that were wrong or could not be read, so that the previous one stayed in use.",
		}),
	}
	r.MustRegister(c.info, c.right, c.failures)
	return c
}

// Read counts a configuration that is in use from now on.
func (c *Configuration) Read(hash string) {
	c.info.Reset()
	c.info.WithLabelValues(hash).Set(1)
	c.right.Set(1)
}

// Refused counts a configuration that is wrong.
func (c *Configuration) Refused() {
	c.right.Set(0)
	c.failures.Inc()
}

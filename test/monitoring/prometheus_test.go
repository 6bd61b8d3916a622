package monitoring

import (
	"io"
	"maps"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/histogram"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/value"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/promql/parser"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/tsdb/chunkenc"
	"github.com/prometheus/prometheus/tsdb/chunks"
	"github.com/prometheus/prometheus/util/annotations"
)

// interval is the time between two scrapes, as in podmonitor.yaml.
const interval = 30 * time.Second

// A database holds the samples that Prometheus scraped. Prometheus' own engine queries it.
type database struct {
	series map[string]*storedSeries
	engine *promql.Engine
}

type storedSeries struct {
	labels  labels.Labels
	samples []chunks.Sample
	// gone is true if the last scrape of its target no longer had the series.
	gone bool
}

func newDatabase() *database {
	return &database{series: map[string]*storedSeries{}, engine: promql.NewEngine(promql.EngineOpts{
		MaxSamples: math.MaxInt32, Timeout: time.Minute, LookbackDelta: 5 * time.Minute, Parser: parser.NewParser(parser.Options{}),
	})}
}

// scrape adds the metrics that a target exposes at a time. Series that it no longer exposes end there.
func (d *database) scrape(t *testing.T, exposition io.Reader, target map[string]string, at time.Time) {
	t.Helper()
	p := expfmt.NewTextParser(model.UTF8Validation)
	families, err := p.TextToMetricFamilies(exposition)
	if err != nil {
		t.Fatalf("%v exposes what Prometheus cannot read: %v", target, err)
	}
	samples, err := expfmt.ExtractSamples(&expfmt.DecodeOptions{Timestamp: model.TimeFromUnixNano(at.UnixNano())}, slices.Collect(maps.Values(families))...)
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for _, s := range samples {
		b := labels.NewBuilder(labels.EmptyLabels())
		for k, v := range s.Metric {
			b.Set(string(k), string(v))
		}
		for k, v := range target {
			if k = unused(b, k); v != "" {
				b.Set(k, v)
			}
		}
		l := b.Labels()
		seen[l.String()] = true
		d.add(l, at, float64(s.Value))
	}
	for name, s := range d.series {
		if s.labels.Get("instance") == target["instance"] && !seen[name] && !s.gone {
			d.add(s.labels, at, math.Float64frombits(value.StaleNaN))
			s.gone = true
		}
	}
}

// unused frees the name of a target's label: a metric's label with that name is renamed, as Prometheus does by default.
func unused(b *labels.Builder, name string) string {
	if had := b.Get(name); had != "" {
		b.Set("exported_"+name, had)
	}
	return name
}

func (d *database) add(l labels.Labels, at time.Time, v float64) {
	name := l.String()
	if d.series[name] == nil {
		d.series[name] = &storedSeries{labels: l}
	}
	d.series[name].samples = append(d.series[name].samples, sample{at.UnixMilli(), v})
	d.series[name].gone = false
}

// query evaluates an expression over a range of time, with a point for each interval.
func (d *database) query(t *testing.T, expr string, from, to time.Time) promql.Matrix {
	t.Helper()
	q, err := d.engine.NewRangeQuery(t.Context(), d, nil, strings.ReplaceAll(expr, "$__rate_interval", "2m"), from, to, interval)
	if err != nil {
		t.Fatalf("%s: %v", expr, err)
	}
	defer q.Close()
	m, err := q.Exec(t.Context()).Matrix()
	if err != nil {
		t.Fatalf("%s: %v", expr, err)
	}
	// The engine reuses this memory.
	out := make(promql.Matrix, len(m))
	for i, s := range m {
		out[i] = promql.Series{Metric: s.Metric, Floats: slices.Clone(s.Floats)}
	}
	slices.SortFunc(out, func(a, b promql.Series) int { return labels.Compare(a.Metric, b.Metric) })
	return out
}

// Querier returns a querier of the database, for the engine.
func (d *database) Querier(_, _ int64) (storage.Querier, error) {
	return &storage.MockQuerier{SelectMockFunction: func(_ bool, _ *storage.SelectHints, matchers ...*labels.Matcher) storage.SeriesSet {
		found := &found{}
		for _, name := range slices.Sorted(maps.Keys(d.series)) {
			s := d.series[name]
			if !slices.ContainsFunc(matchers, func(m *labels.Matcher) bool { return !m.Matches(s.labels.Get(m.Name)) }) {
				found.series = append(found.series, storage.NewListSeries(s.labels, s.samples))
			}
		}
		return found
	}}, nil
}

// found is the result of a select.
type found struct {
	series []storage.Series
	next   int
}

func (f *found) Next() bool                      { f.next++; return f.next <= len(f.series) }
func (f *found) At() storage.Series              { return f.series[f.next-1] }
func (*found) Err() error                        { return nil }
func (*found) Warnings() annotations.Annotations { return nil }

// A sample is a number at a time.
type sample struct {
	t int64
	f float64
}

func (s sample) T() int64                    { return s.t }
func (sample) ST() int64                     { return 0 }
func (s sample) F() float64                  { return s.f }
func (sample) H() *histogram.Histogram       { return nil }
func (sample) FH() *histogram.FloatHistogram { return nil }
func (sample) Type() chunkenc.ValueType      { return chunkenc.ValFloat }
func (s sample) Copy() chunks.Sample         { return s }

package monitoring

import (
	"cmp"
	"fmt"
	"html"
	"maps"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/prometheus/promql"
)

// A dashboard is the part of a Grafana dashboard that this test draws.
type dashboard struct {
	Title  string  `json:"title"`
	Panels []panel `json:"panels"`
}

type panel struct {
	ID      int    `json:"id"`
	Type    string `json:"type"`
	Title   string `json:"title"`
	GridPos struct {
		X float64 `json:"x"`
		Y float64 `json:"y"`
		W float64 `json:"w"`
		H float64 `json:"h"`
	} `json:"gridPos"`
	FieldConfig struct {
		Defaults struct {
			Unit       string `json:"unit"`
			Thresholds struct {
				Steps []struct {
					Color string   `json:"color"`
					Value *float64 `json:"value"`
				} `json:"steps"`
			} `json:"thresholds"`
		} `json:"defaults"`
	} `json:"fieldConfig"`
	Targets []struct {
		Expr         string `json:"expr"`
		LegendFormat string `json:"legendFormat"`
	} `json:"targets"`
	Transformations []struct {
		Options struct {
			ExcludeByName map[string]bool `json:"excludeByName"`
		} `json:"options"`
	} `json:"transformations"`
}

// A line of a panel, or a row of a table.
type line struct {
	legend string
	labels map[string]string
	points []promql.FPoint
}

var placeholder = regexp.MustCompile(`{{\s*(\w+)\s*}}`)

// lines returns the lines of a panel: the results of its expressions.
func lines(t *testing.T, db *database, p panel, from, to time.Time) []line {
	t.Helper()
	if p.Type == "table" || p.Type == "stat" {
		from = to
	}
	var out []line
	for _, target := range p.Targets {
		for _, s := range db.query(t, target.Expr, from, to) {
			points := slices.DeleteFunc(s.Floats, func(f promql.FPoint) bool { return math.IsNaN(f.F) })
			if len(points) == 0 {
				continue
			}
			legend := placeholder.ReplaceAllStringFunc(target.LegendFormat, func(m string) string {
				return s.Metric.Get(placeholder.FindStringSubmatch(m)[1])
			})
			out = append(out, line{legend, s.Metric.Map(), points})
		}
	}
	if p.Type == "timeseries" && len(out) > len(palette)/2 {
		// The biggest lines come first in the legend, because it has no room for all.
		slices.SortStableFunc(out, func(a, b line) int { return cmp.Compare(b.most(), a.most()) })
	}
	return out
}

func (l line) most() float64 {
	return slices.MaxFunc(l.points, func(a, b promql.FPoint) int { return cmp.Compare(a.F, b.F) }).F
}

// longest returns the longest time in which a line has points without a gap: how long an alert is pending.
func longest(points []promql.FPoint) time.Duration {
	var most, began int64
	for i, p := range points {
		if i == 0 || p.T-points[i-1].T > interval.Milliseconds() {
			began = p.T
		}
		most = max(most, p.T-began)
	}
	return time.Duration(most) * time.Millisecond
}

// Sizes in pixels. GitHub shows a page about 850 pixels wide.
const (
	width, column, row = 850.0, 850.0 / 24, 24.0
	gap, top           = 4.0, 34.0
)

var (
	palette = []string{"#56a64b", "#e0b400", "#3274d9", "#ff780a", "#e02f44", "#a352cc", "#8ab8ff", "#37872d", "#fa6400"}
	named   = map[string]string{"green": "#56a64b", "red": "#e02f44", "orange": "#ff780a", "yellow": "#e0b400"}
)

// draw draws a dashboard as SVG.
func draw(d dashboard, drawn map[int][]line, from, to time.Time) string {
	height := 0.0
	for _, p := range d.Panels {
		height = max(height, (p.GridPos.Y+p.GridPos.H)*row)
	}
	c := &canvas{}
	c.addf(`<svg xmlns="http://www.w3.org/2000/svg" width="%v" height="%v" viewBox="0 0 %v %v" font-family="Helvetica,Arial,sans-serif" font-size="11" fill="#24292e">`, width, height+top, width, height+top)
	c.addf(`<title>%s</title><rect width="100%%" height="100%%" fill="#f4f5f5"/>`, html.EscapeString(d.Title))
	c.text(8, 22, 15, "start", "#24292e", d.Title)
	for _, p := range d.Panels {
		b := box{p.GridPos.X*column + gap, p.GridPos.Y*row + top + gap/2, p.GridPos.W*column - 2*gap, p.GridPos.H*row - gap}
		c.addf(`<rect x="%.1f" y="%.1f" width="%.1f" height="%.1f" rx="2" fill="white" stroke="#dcdee1"/>`, b.x, b.y, b.w, b.h)
		c.text(b.x+8, b.y+16, 12, "start", "#24292e", p.Title)
		in := box{b.x + 8, b.y + 24, b.w - 16, b.h - 30}
		switch p.Type {
		case "stat":
			c.stat(in, p, drawn[p.ID])
		case "table":
			c.table(in, p, drawn[p.ID])
		default:
			c.chart(in, p, drawn[p.ID], from, to)
		}
	}
	return c.String() + "</svg>\n"
}

type box struct{ x, y, w, h float64 }

type canvas struct{ strings.Builder }

func (c *canvas) addf(format string, args ...any) { fmt.Fprintf(c, format+"\n", args...) }

func (c *canvas) text(x, y, size float64, anchor, color, s string) {
	c.addf(`<text x="%.1f" y="%.1f" font-size="%v" text-anchor="%s" fill="%s">%s</text>`, x, y, size, anchor, color, html.EscapeString(s))
}

func (c *canvas) stat(b box, p panel, ls []line) {
	if len(ls) == 0 {
		return
	}
	v := ls[0].points[len(ls[0].points)-1].F
	color := palette[0]
	for _, s := range p.FieldConfig.Defaults.Thresholds.Steps {
		if s.Value == nil || v >= *s.Value {
			color = cmp.Or(named[s.Color], color)
		}
	}
	c.text(b.x+b.w/2, b.y+b.h/2+12, 34, "middle", color, number(v, p.FieldConfig.Defaults.Unit))
}

func (c *canvas) table(b box, p panel, ls []line) {
	hidden := map[string]bool{}
	for _, t := range p.Transformations {
		maps.Copy(hidden, t.Options.ExcludeByName)
	}
	var columns []string
	for _, l := range ls {
		for k := range l.labels {
			if !hidden[k] && !slices.Contains(columns, k) {
				columns = append(columns, k)
			}
		}
	}
	slices.Sort(columns)
	for i, name := range columns {
		x := b.x + float64(i)*b.w/float64(len(columns))
		c.text(x, b.y+14, 11, "start", "#3274d9", name)
		for j, l := range ls {
			c.text(x, b.y+34+float64(j)*18, 11, "start", "#24292e", l.labels[name])
		}
	}
	c.addf(`<path d="M%.1f %.1fh%.1f" stroke="#dcdee1"/>`, b.x, b.y+20, b.w)
}

func (c *canvas) chart(b box, p panel, ls []line, from, to time.Time) {
	// Below the axis: its times, and the legend in as many rows as it takes.
	legend := c.legend(box{b.x, b.y + b.h, b.w, 0}, ls)
	plot := box{b.x + 46, b.y + 4, b.w - 52, b.h - 20 - legend}
	most := 0.0
	for _, l := range ls {
		for _, pt := range l.points {
			most = max(most, pt.F)
		}
	}
	unit := p.FieldConfig.Defaults.Unit
	step := nice(most/3/scale(unit)) * scale(unit)
	ceiling := max(step, math.Ceil(most/step)*step)
	for v := 0.0; v <= ceiling+step/2; v += step {
		y := plot.y + plot.h*(1-v/ceiling)
		c.addf(`<path d="M%.1f %.1fh%.1f" stroke="#e9edf2"/>`, plot.x, y, plot.w)
		c.text(plot.x-5, y+4, 10, "end", "#6e7680", number(v, unit))
	}
	span := float64(to.Sub(from).Milliseconds())
	x := func(at int64) float64 { return plot.x + plot.w*float64(at-from.UnixMilli())/span }
	for at := from; !at.After(to); at = at.Add(15 * time.Minute) {
		c.text(x(at.UnixMilli()), plot.y+plot.h+13, 10, "middle", "#6e7680", at.Format("15:04"))
	}
	for i, l := range ls {
		var d strings.Builder
		for j, pt := range l.points {
			verb := "L"
			if j == 0 || pt.T-l.points[j-1].T > interval.Milliseconds() {
				verb = "M"
			}
			fmt.Fprintf(&d, "%s%.1f %.1f", verb, x(pt.T), plot.y+plot.h*(1-pt.F/ceiling))
		}
		c.addf(`<path d="%s" fill="none" stroke="%s" stroke-width="1.4"/>`, d.String(), palette[i%len(palette)])
	}
}

// short shortens a legend that is too long to read, such as a hash.
func short(legend string) string {
	if len(legend) > 50 {
		return legend[:18] + "..."
	}
	return legend
}

// legend draws a legend above the lower edge of a box, and returns its height.
func (c *canvas) legend(b box, ls []line) float64 {
	const letter, height, most = 5.6, 14.0, 4
	rows, x := 1, 0.0
	type entry struct {
		x, row float64
		line   int
	}
	var entries []entry
	for i, l := range ls {
		w := float64(len(short(l.legend)))*letter + 22
		if x > 0 && x+w > b.w {
			if rows == most {
				break // Grafana scrolls here.
			}
			rows, x = rows+1, 0
		}
		entries = append(entries, entry{x, float64(rows), i})
		x += w
	}
	first := b.y - float64(rows)*height
	for _, e := range entries {
		y := first + e.row*height - 3
		c.addf(`<path d="M%.1f %.1fh10" stroke="%s" stroke-width="3"/>`, b.x+e.x, y-4, palette[e.line%len(palette)])
		c.text(b.x+e.x+14, y, 10, "start", "#24292e", short(ls[e.line].legend))
	}
	return float64(rows)*height + 4
}

// scale returns the factor for a unit's numbers.
func scale(unit string) float64 {
	if unit == "bytes" {
		return 1 << 20
	}
	return 1
}

// nice returns a step for an axis: 1, 2 or 5 times a power of ten.
func nice(v float64) float64 {
	if v <= 0 {
		return 1
	}
	power := math.Pow(10, math.Floor(math.Log10(v)))
	for _, m := range []float64{1, 2, 5} {
		if v <= m*power {
			return m * power
		}
	}
	return 10 * power
}

func number(v float64, unit string) string {
	digits := func(v float64) string { return strconv.FormatFloat(v, 'g', 3, 64) }
	switch {
	case unit == "s" && v > 0 && v < 1:
		return digits(v*1000) + " ms"
	case unit == "s":
		return digits(v) + " s"
	case unit == "bytes":
		return digits(v/scale(unit)) + " MiB"
	case unit == "reqps":
		return digits(v) + "/s"
	}
	return digits(v)
}

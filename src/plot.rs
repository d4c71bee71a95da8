//! Pictures: line charts and grids of them, as SVG, PNG and CSV.

use std::fmt::Write;
use std::sync::Arc;

use kuva::backend::png::PngBackend;
use kuva::backend::svg::SvgBackend;
use kuva::plot::{LegendEntry, LegendShape, LinePlot, ScatterPlot};
use kuva::render::figure::Figure;
use kuva::render::layout::{Layout, TickFormat};
use kuva::render::plots::Plot;

use crate::error::{Error, Result};

/// Colours of Okabe and Ito, told apart by colour-blind readers, without the pale yellow.
const COLORS: [&str; 7] = [
    "#0072b2", "#e69f00", "#009e73", "#d55e00", "#cc79a7", "#56b4e9", "#000000",
];

/// How a curve is drawn.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mark {
    /// A line through the points.
    #[default]
    Line,
    /// A line with a dot at every point.
    DottedLine,
    /// A grey line in the background, without an entry in the legend.
    Background,
}

/// A labelled sequence of points.
#[derive(Clone, Debug, Default)]
pub struct Curve {
    /// The entry in the legend.
    pub label: String,
    /// x and y; points that the axes can't show are left out: what is not finite, and on a logarithmic
    /// axis what is not positive.
    pub points: Vec<(f64, f64)>,
    /// How it is drawn.
    pub mark: Mark,
}

/// A chart of curves on two axes.
#[derive(Clone, Debug, Default)]
pub struct Chart {
    /// What stands above it.
    pub title: String,
    /// What the x axis shows, with its unit.
    pub x_label: String,
    /// What the y axis shows, with its unit.
    pub y_label: String,
    /// Whether the x axis is logarithmic.
    pub log_x: bool,
    /// Whether the y axis is logarithmic.
    pub log_y: bool,
    /// Ends of the y axis, if they are given.
    pub y_range: Option<(f64, f64)>,
    /// The curves.
    pub curves: Vec<Curve>,
}

/// Charts in rows of equal length with one legend.
#[derive(Clone, Debug)]
pub struct Picture {
    /// What stands above all.
    pub title: String,
    /// Labels in the order of the legend, which numbers the colours; others follow.
    pub legend: Vec<String>,
    /// Charts, from the left, from the top.
    pub charts: Vec<Chart>,
    /// Charts in a row.
    pub columns: usize,
    /// Width and height of a chart, pixels.
    pub cell: (f64, f64),
}

impl Picture {
    /// The curves as CSV: panel, curve, x, y.
    pub fn csv(&self) -> String {
        let mut text = String::from("panel,curve,x,y\n");
        for chart in &self.charts {
            for curve in chart
                .curves
                .iter()
                .filter(|curve| curve.mark != Mark::Background)
            {
                for (x, y) in &curve.points {
                    // Writing to a String cannot fail.
                    let _ = writeln!(text, "{},{},{x:e},{y:e}", chart.title, curve.label);
                }
            }
        }
        text
    }

    /// The picture as SVG.
    pub fn svg(&self) -> String {
        renumber(
            &SvgBackend::default().render_scene(&self.figure().render()),
            "kuva-clip-",
        )
    }

    /// The picture as PNG, with three pixels for two.
    ///
    /// # Errors
    /// [`Error::Internal`] when it cannot be rasterized.
    pub fn png(&self) -> Result<Vec<u8>> {
        let backend = PngBackend::new().with_scale(1.5);
        let failed = |error| Error::Internal(format!("cannot draw {}: {error}", self.title));
        backend
            .render_scene(&self.figure().render())
            .map_err(failed)
    }

    fn figure(&self) -> Figure {
        let labels = self.labels();
        let panels: Vec<Vec<Plot>> = self
            .charts
            .iter()
            .map(|chart| chart.plots(&labels))
            .collect();
        let layouts = panels
            .iter()
            .zip(&self.charts)
            .map(|(plots, chart)| chart.layout(plots))
            .collect();
        let entries = labels
            .iter()
            .enumerate()
            .map(|(i, label)| legend_entry(label, i));
        Figure::new(self.charts.len().div_ceil(self.columns), self.columns)
            .with_title(self.title.clone())
            .with_title_size(18)
            .with_plots(panels)
            .with_layouts(layouts)
            .with_cell_size(self.cell.0, self.cell.1)
            .with_shared_legend_entries(entries.collect())
            .with_shared_legend_right_top()
    }

    /// Labels of all curves: those of the legend, then others in the order they first appear.
    fn labels(&self) -> Vec<String> {
        let mut labels = self.legend.clone();
        for curve in self.charts.iter().flat_map(|chart| &chart.curves) {
            if curve.mark != Mark::Background && !labels.contains(&curve.label) {
                labels.push(curve.label.clone());
            }
        }
        labels
    }
}

impl Chart {
    fn layout(&self, plots: &[Plot]) -> Layout {
        let mut layout = Layout::auto_from_plots(plots)
            .with_title(self.title.clone())
            .with_x_label(self.x_label.clone())
            .with_y_label(self.y_label.clone())
            .with_title_size(14)
            .with_label_size(12)
            .with_tick_size(10);
        if self.curves.iter().all(|curve| self.shown(curve).is_empty()) {
            // The library takes the ends of an axis from its points: without any they are infinite, and
            // the decades in between can't be counted.
            let layout = layout.with_x_axis_min(0.0).with_x_axis_max(1.0);
            return layout.with_y_axis_min(0.0).with_y_axis_max(1.0);
        }
        if self.log_x {
            layout = layout.with_log_x().with_x_tick_format(plain_ticks());
        }
        if self.log_y {
            layout = layout.with_log_y().with_y_tick_format(plain_ticks());
        }
        if let Some((low, high)) = self.y_range {
            layout = layout.with_y_axis_min(low).with_y_axis_max(high);
        }
        layout
    }

    /// The points of `curve` that the axes can show.
    fn shown(&self, curve: &Curve) -> Vec<(f64, f64)> {
        let fits = |value: f64, is_log: bool| value.is_finite() && (!is_log || value > 0.0);
        let shown = |(x, y): &&(f64, f64)| fits(*x, self.log_x) && fits(*y, self.log_y);
        curve.points.iter().filter(shown).copied().collect()
    }

    fn plots(&self, labels: &[String]) -> Vec<Plot> {
        let mut plots = Vec::new();
        for curve in &self.curves {
            let points = self.shown(curve);
            let color = match labels.iter().position(|label| *label == curve.label) {
                Some(i) => color(i),
                None => "#cccccc".to_string(),
            };
            let width = if curve.mark == Mark::Background {
                1.0
            } else {
                2.0
            };
            let line = LinePlot::new()
                .with_data(points.clone())
                .with_color(color.clone());
            plots.push(Plot::Line(line.with_stroke_width(width)));
            if curve.mark == Mark::DottedLine {
                let dots = ScatterPlot::new().with_data(points).with_color(color);
                plots.push(Plot::Scatter(dots.with_size(3.0)));
            }
        }
        plots
    }
}

/// Numbers the identifiers that begin with `prefix` from 0 in every picture: the library counts
/// them through the life of the program.
fn renumber(svg: &str, prefix: &str) -> String {
    let mut parts = svg.split(prefix);
    let mut text = parts.next().unwrap_or_default().to_string();
    let mut seen: Vec<&str> = Vec::new();
    for part in parts {
        let digits = part
            .find(|c: char| !c.is_ascii_digit())
            .unwrap_or(part.len());
        let (number, rest) = part.split_at(digits);
        let place = seen
            .iter()
            .position(|known| *known == number)
            .unwrap_or_else(|| {
                seen.push(number);
                seen.len() - 1
            });
        let _ = write!(text, "{prefix}{place}{rest}");
    }
    text
}

/// Numbers on a logarithmic axis as they are: 0.01, 5, 1000.
fn plain_ticks() -> TickFormat {
    TickFormat::Custom(Arc::new(|v| format!("{}", (v * 1e6).round() / 1e6)))
}

/// The colour of curve number `i`.
fn color(i: usize) -> String {
    COLORS[i % COLORS.len()].to_string()
}

fn legend_entry(label: &str, i: usize) -> LegendEntry {
    LegendEntry {
        label: label.to_string(),
        color: color(i),
        shape: LegendShape::Line,
        dasharray: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn picture() -> Picture {
        let curve = |label: &str, mark| Curve {
            label: label.into(),
            points: vec![(1.0, 0.1), (2.0, 10.0), (3.0, f64::INFINITY)],
            mark,
        };
        let curves = vec![
            curve("a", Mark::DottedLine),
            curve("floor", Mark::Background),
        ];
        let chart = Chart {
            title: "panel".into(),
            log_y: true,
            curves,
            ..Chart::default()
        };
        Picture {
            title: "two".into(),
            legend: vec!["a".into()],
            charts: vec![chart.clone(), chart],
            columns: 2,
            cell: (300.0, 200.0),
        }
    }

    #[test]
    fn csv_lists_every_point_of_every_labelled_curve() {
        let csv = picture().csv();
        assert_eq!(csv.lines().count(), 1 + 2 * 3);
        assert!(csv.contains("panel,a,2e0,1e1") && !csv.contains("floor"));
    }

    #[test]
    fn both_formats_are_drawn_and_repeat_themselves() {
        let picture = picture();
        assert!(picture.svg().starts_with("<svg") || picture.svg().starts_with("<?xml"));
        assert_eq!(&picture.png().unwrap()[1..4], b"PNG");
        assert_eq!(picture.svg(), picture.svg());
    }

    #[test]
    fn identifiers_are_numbered_from_zero() {
        assert_eq!(renumber("<a-17 b=a-19/><a-17>", "a-"), "<a-0 b=a-1/><a-0>");
        assert_eq!(renumber("nothing", "a-"), "nothing");
    }
}

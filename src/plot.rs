//! Pictures: line charts and grids of them, as SVG, PNG and CSV.

use std::fmt::Write;

use kuva::backend::png::PngBackend;
use kuva::backend::svg::SvgBackend;
use kuva::plot::{LegendEntry, LegendShape, LinePlot, ScatterPlot};
use kuva::render::figure::Figure;
use kuva::render::layout::{Layout, TickFormat};
use kuva::render::palette::Palette;
use kuva::render::plots::Plot;

use crate::error::{Error, Result};

/// The smallest number drawn on a logarithmic axis; anything below is drawn there.
const LOG_FLOOR: f64 = 1e-16;

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
    /// The entry in the legend; equal labels have equal colours in all panels.
    pub label: String,
    /// x and y; points that are not finite are left out.
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
        with_stable_ids(&SvgBackend::default().render_scene(&self.figure().render()))
    }

    /// The picture as PNG, with two pixels for one.
    ///
    /// # Errors
    /// [`Error::Internal`] when it cannot be rasterized.
    pub fn png(&self) -> Result<Vec<u8>> {
        let backend = PngBackend::new().with_scale(2.0);
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
            .with_shared_legend_bottom()
    }

    /// Labels of all curves, in the order they first appear.
    fn labels(&self) -> Vec<String> {
        let mut labels: Vec<String> = Vec::new();
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
        if self.log_x {
            layout = layout.with_log_x().with_x_tick_format(TickFormat::Sci);
        }
        if self.log_y {
            layout = layout.with_log_y().with_y_tick_format(TickFormat::Sci);
        }
        if let Some((low, high)) = self.y_range {
            layout = layout.with_y_axis_min(low).with_y_axis_max(high);
        }
        layout
    }

    fn plots(&self, labels: &[String]) -> Vec<Plot> {
        let mut plots = Vec::new();
        for curve in &self.curves {
            let points = self.drawable(curve);
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

    /// The points of `curve` that can be drawn on these axes.
    fn drawable(&self, curve: &Curve) -> Vec<(f64, f64)> {
        let lift = |v: f64, is_log: bool| if is_log { v.max(LOG_FLOOR) } else { v };
        let finite = curve
            .points
            .iter()
            .filter(|(x, y)| x.is_finite() && y.is_finite());
        finite
            .map(|(x, y)| (lift(*x, self.log_x), lift(*y, self.log_y)))
            .collect()
    }
}

/// The colour of curve number `i`: Okabe and Ito's palette, told apart by colour-blind readers.
fn color(i: usize) -> String {
    let palette = Palette::okabe_ito();
    palette.colors()[i % palette.len()].clone()
}

fn legend_entry(label: &str, i: usize) -> LegendEntry {
    LegendEntry {
        label: label.to_string(),
        color: color(i),
        shape: LegendShape::Line,
        dasharray: None,
    }
}

/// The SVG with its clip paths numbered by appearance: kuva counts them over the whole process, and
/// the same curves should give the same bytes.
fn with_stable_ids(svg: &str) -> String {
    const PREFIX: &str = "kuva-clip-";
    let mut parts = svg.split(PREFIX);
    let mut stable = parts.next().unwrap_or_default().to_string();
    let mut seen: Vec<&str> = Vec::new();
    for part in parts {
        let digits = part
            .find(|c: char| !c.is_ascii_digit())
            .unwrap_or(part.len());
        let (id, rest) = part.split_at(digits);
        let number = seen
            .iter()
            .position(|other| *other == id)
            .unwrap_or_else(|| {
                seen.push(id);
                seen.len() - 1
            });
        // Writing to a String cannot fail.
        let _ = write!(stable, "{PREFIX}{number}{rest}");
    }
    stable
}

#[cfg(test)]
mod tests {
    use super::*;

    fn picture() -> Picture {
        let curve = |label: &str, mark| Curve {
            label: label.into(),
            points: vec![(1.0, 0.0), (2.0, 10.0), (3.0, f64::INFINITY)],
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
    fn ids_are_numbered_by_appearance() {
        let svg = r##"<clipPath id="kuva-clip-12"/><a id="kuva-clip-7"/><g x="#kuva-clip-12"/>"##;
        let stable = r##"<clipPath id="kuva-clip-0"/><a id="kuva-clip-1"/><g x="#kuva-clip-0"/>"##;
        assert_eq!(with_stable_ids(svg), stable);
    }
}

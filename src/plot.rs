//! Pictures of curves, as SVG and PNG.

use kuva::backend::raster::RasterBackend;
use kuva::backend::svg::SvgBackend;
use kuva::prelude::{Layout, LinePlot, Plot};
use kuva::render::render::render_multiple;

use crate::error::{Error, Result};

/// A picture in both formats.
#[derive(Clone, Debug, PartialEq)]
pub struct Picture {
    /// Scalable.
    pub svg: String,
    /// 2 pixels per SVG unit.
    pub png: Vec<u8>,
}

/// Loss by evaluation on a logarithmic axis, a line for every window; losses that are not positive
/// and finite are left out.
///
/// # Errors
/// [`Error::Internal`] when the picture cannot be drawn.
pub fn loss_curves(losses: &[Vec<f64>]) -> Result<Option<Picture>> {
    let plots: Vec<Plot> = losses
        .iter()
        .enumerate()
        .map(|(k, losses)| {
            let points = losses
                .iter()
                .enumerate()
                .map(|(i, loss)| ((i + 1) as f64, *loss));
            let points: Vec<(f64, f64)> = points
                .filter(|(_, loss)| *loss > 0.0 && loss.is_finite())
                .collect();
            (k, points)
        })
        .filter(|(_, points)| !points.is_empty())
        .map(|(k, points)| {
            // From blue (the first window) to orange (the last).
            let share = k as f64 / losses.len().max(2).saturating_sub(1) as f64;
            let mix = |from: f64, to: f64| (from + share * (to - from)).round() as u8;
            let (r, g, b) = (mix(51.0, 212.0), mix(117.0, 105.0), mix(184.0, 47.0));
            let color = format!("#{r:02x}{g:02x}{b:02x}");
            LinePlot::new()
                .with_data(points)
                .with_color(color)
                .with_stroke_width(1.5)
                .into()
        })
        .collect();
    if plots.is_empty() {
        return Ok(None);
    }
    let layout = Layout::auto_from_plots(&plots)
        .with_title("Loss by evaluation, first window blue, last orange")
        .with_x_label("evaluation in the window")
        .with_y_label("loss")
        .with_log_y();
    let scene = render_multiple(plots, layout);
    let png = RasterBackend::new()
        .with_scale(2.0)
        .render_scene(&scene)
        .map_err(|e| Error::Internal(format!("loss.png: {e}")))?;
    Ok(Some(Picture {
        svg: with_stable_ids(&SvgBackend.render_scene(&scene)),
        png,
    }))
}

/// The SVG with its clip paths numbered from 0: kuva counts them over the whole process, and the
/// same curves should give the same bytes.
pub fn with_stable_ids(svg: &str) -> String {
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
        stable.push_str(&format!("{PREFIX}{number}{rest}"));
    }
    stable
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn curves_become_pictures() {
        let losses = [
            vec![3.0, 1.0, f64::INFINITY, 0.2],
            vec![0.0],
            vec![2.0, 0.5, 0.1],
        ];
        let picture = loss_curves(&losses).unwrap().unwrap();
        assert!(picture.svg.starts_with("<svg") && picture.png.starts_with(b"\x89PNG"));
        assert!(loss_curves(&losses).unwrap().unwrap() == picture);
        assert_eq!(loss_curves(&[vec![f64::NAN]]).unwrap(), None);
    }

    #[test]
    fn ids_are_numbered_by_appearance() {
        let svg =
            r##"<clipPath id="kuva-clip-12"/><clipPath id="kuva-clip-7"/><g x="#kuva-clip-12"/>"##;
        let stable =
            r##"<clipPath id="kuva-clip-0"/><clipPath id="kuva-clip-1"/><g x="#kuva-clip-0"/>"##;
        assert_eq!(with_stable_ids(svg), stable);
    }
}

//! A moving picture for pages that play nothing else: the simulated body with the forces of the ground,
//! and the observed joints beside it.

use std::collections::HashMap;
use std::io::Cursor;

use gif::{DisposalMethod, Encoder, Repeat};
use nalgebra::{Isometry3, Rotation3, Translation3, UnitQuaternion, Vector3};

use super::mesh::Mesh;
use super::render::{Camera, Canvas, Color, GROUND, SKY, mixed};
use super::{Recording, side};
use crate::error::{Error, Result};
use crate::motion::Joints;
use crate::motion::skeleton::bones;
use crate::simulation::GRAVITY;

/// Width and height, pixels.
const SIZE: [usize; 2] = [560, 360];
/// Pictures per second at most.
const RATE: f64 = 25.0;
/// Half the distance between the two figures, m.
const APART: f64 = 0.55;
/// Where the camera stands, rad: in front and to the right.
const YAW: f64 = -0.6;
const PITCH: f64 = 0.12;
/// Length of an arrow for a force as large as the body's weight, m.
const WEIGHT_LENGTH: f64 = 0.8;

const RIGHT: Color = [236.0, 128.0, 68.0];
const LEFT: Color = [72.0, 138.0, 210.0];
const TRUNK: Color = [186.0, 182.0, 174.0];
const OBSERVED: Color = [48.0, 168.0, 92.0];
const FORCE: Color = [200.0, 44.0, 132.0];

/// The recording as an animated GIF that plays for ever; `observer` is told every picture that is drawn, and how many
/// there are.
///
/// # Errors
/// [`Error::Internal`] when the file cannot be assembled.
pub fn encode(recording: &Recording, observer: &mut dyn FnMut(usize, usize)) -> Result<Vec<u8>> {
    write(recording, observer).map_err(|e| Error::Internal(format!("gif: {e}")))
}

fn write(
    recording: &Recording,
    observer: &mut dyn FnMut(usize, usize),
) -> std::result::Result<Vec<u8>, gif::EncodingError> {
    let [width, height] = SIZE.map(|pixels| pixels as u16);
    let mut palette = Palette::new();
    let mut file = Cursor::new(Vec::new());
    let mut encoder = Encoder::new(&mut file, width, height, &palette.bytes())?;
    encoder.set_repeat(Repeat::Infinite)?;
    let fps = recording.trajectory.fps;
    let stride = (fps / RATE).ceil().max(1.0) as usize;
    let delay = (100.0 * stride as f64 / fps).round() as u16;
    let scene = Scene::new(recording);
    let mut before: Option<Vec<u8>> = None;
    let pictures = (0..recording.trajectory.frames.len()).step_by(stride);
    let count = pictures.len();
    for (i, t) in pictures.enumerate() {
        let picture = palette.indices(&scene.picture(t));
        let changes = match &before {
            None => picture.clone(),
            Some(before) => changes(before, &picture),
        };
        encoder.write_frame(&gif::Frame {
            width,
            height,
            delay,
            dispose: DisposalMethod::Keep,
            transparent: Some(Palette::UNCHANGED),
            buffer: changes.into(),
            ..gif::Frame::default()
        })?;
        before = Some(picture);
        observer(i + 1, count);
    }
    drop(encoder);
    Ok(file.into_inner())
}

/// What differs from the picture before; the rest shows through.
fn changes(before: &[u8], now: &[u8]) -> Vec<u8> {
    let pixels = before.iter().zip(now);
    pixels
        .map(|(a, b)| if a == b { Palette::UNCHANGED } else { *b })
        .collect()
}

/// The colours of a file, and which of them is nearest to a given one.
struct Palette {
    colors: Vec<Color>,
    nearest: HashMap<[u8; 3], u8>,
}

impl Palette {
    /// The index of what stays as it was.
    const UNCHANGED: u8 = 0;

    /// Every hue from dark to light and, for edges, mixed with the ground.
    fn new() -> Self {
        let mut colors = vec![SKY, SKY, GROUND[0], GROUND[1]];
        colors.extend((1..8).map(|k| mixed(GROUND[0], SKY, f64::from(k) / 8.0)));
        colors.extend((1..4).map(|k| mixed(GROUND[1], SKY, f64::from(k) / 4.0)));
        colors.extend(GROUND.map(|color| color.map(|c| 0.84 * c)));
        for hue in [RIGHT, LEFT, TRUNK, OBSERVED, FORCE] {
            colors.extend((0..16).map(|k| hue.map(|c| c * (0.6 + 0.027 * f64::from(k)))));
            colors
                .extend((1..6).map(|k| mixed(hue.map(|c| 0.8 * c), GROUND[1], f64::from(k) / 6.0)));
        }
        Self {
            colors,
            nearest: HashMap::new(),
        }
    }

    fn bytes(&self) -> Vec<u8> {
        self.colors.iter().flatten().map(|c| *c as u8).collect()
    }

    fn indices(&mut self, pixels: &[Color]) -> Vec<u8> {
        let colors = &self.colors;
        let indices = pixels.iter().map(|pixel| {
            // Colours that differ little are looked up once.
            let key = pixel.map(|c| (c / 4.0) as u8);
            *self
                .nearest
                .entry(key)
                .or_insert_with(|| nearest(colors, pixel))
        });
        indices.collect()
    }
}

fn nearest(colors: &[Color], pixel: &Color) -> u8 {
    let distance = |color: &Color| -> f64 { (0..3).map(|k| (color[k] - pixel[k]).powi(2)).sum() };
    let shown = colors.iter().enumerate().skip(1); // 0 is no colour
    let best = shown.min_by(|a, b| distance(a.1).total_cmp(&distance(b.1)));
    best.map_or(1, |(k, _)| k as u8)
}

/// What stays the same from frame to frame.
struct Scene<'a> {
    recording: &'a Recording,
    simulated: Vec<Joints>,
    /// Shapes of every link and their colour.
    links: Vec<(Mesh, Color)>,
}

impl<'a> Scene<'a> {
    fn new(recording: &'a Recording) -> Self {
        let links = recording.body.links.iter().map(|link| {
            let mut mesh = Mesh::default();
            for shape in &link.shapes {
                mesh.append(Mesh::of(&shape.geometry));
            }
            let color = match side(&link.name) {
                "right" => RIGHT,
                "left" => LEFT,
                _ => TRUNK,
            };
            (mesh, color)
        });
        Self {
            recording,
            simulated: recording.joints(),
            links: links.collect(),
        }
    }

    /// Frame `t` as pixels.
    fn picture(&self, t: usize) -> Vec<Color> {
        let Recording {
            body, reference, ..
        } = self.recording;
        let pelvis = self.simulated[t][0];
        let center = Vector3::new(pelvis.x, pelvis.y, 0.52 * body.stature);
        let camera = Camera::new(center, YAW, PITCH, 1.3 * body.stature, SIZE[1]);
        let aside = match reference.is_empty() {
            true => Vector3::zeros(),
            false => APART * camera.right(),
        };
        let mut parts = self.body(t, &aside);
        if let Some(joints) = reference.get(t) {
            parts.extend(skeleton(joints, &-aside));
        }
        let mut canvas = Canvas::new(camera, SIZE);
        for (mesh, pose, _) in &parts {
            canvas.shadow(mesh, pose);
        }
        for (mesh, pose, color) in &parts {
            canvas.draw(mesh, pose, *color);
        }
        canvas.draw_in_front();
        for (mesh, pose, color) in &self.forces(t, &aside) {
            canvas.draw(mesh, pose, *color);
        }
        canvas.pixels()
    }

    fn body(&self, t: usize, aside: &Vector3<f64>) -> Vec<Part> {
        let poses = &self.recording.trajectory.frames[t].links;
        let links = self.links.iter().zip(poses);
        links
            .map(|((mesh, color), pose)| (mesh.clone(), Translation3::from(*aside) * pose, *color))
            .collect()
    }

    /// An arrow for every force of the ground.
    fn forces(&self, t: usize, aside: &Vector3<f64>) -> Vec<Part> {
        let weight = self.recording.body.mass() * GRAVITY;
        let contacts = self.recording.trajectory.frames[t].contacts.iter();
        let arrows = contacts.filter_map(|contact| {
            let arrow = contact.force * (WEIGHT_LENGTH / weight);
            (arrow.norm() > 0.02).then(|| (contact.point + aside, arrow))
        });
        arrows
            .flat_map(|(start, arrow)| {
                let pose = Isometry3::from_parts(start.into(), UnitQuaternion::identity());
                let head = 0.09_f64.min(0.5 * arrow.norm());
                let end = arrow - head * arrow.normalize();
                [
                    (Mesh::capsule(&Vector3::zeros(), &end, 0.014), pose, FORCE),
                    (cone(&end, &arrow, 0.04), pose, FORCE),
                ]
            })
            .collect()
    }
}

/// A mesh, where it is, and its colour.
type Part = (Mesh, Isometry3<f64>, Color);

/// Balls at the joints, and the bones between them.
fn skeleton(joints: &Joints, aside: &Vector3<f64>) -> Vec<Part> {
    let pose = Isometry3::from_parts((*aside).into(), UnitQuaternion::identity());
    let balls = joints.iter().map(|j| Mesh::capsule(j, j, 0.035));
    let rods = bones().map(|(a, b)| Mesh::capsule(&joints[a], &joints[b], 0.015));
    let meshes = balls.chain(rods);
    meshes.map(|mesh| (mesh, pose, OBSERVED)).collect()
}

/// The head of an arrow, from the middle of its base to its tip.
fn cone(base: &Vector3<f64>, tip: &Vector3<f64>, radius: f64) -> Mesh {
    const SEGMENTS: u32 = 12;
    let turn = Rotation3::rotation_between(&Vector3::z(), &(tip - base))
        .unwrap_or_else(|| Rotation3::from_axis_angle(&Vector3::x_axis(), std::f64::consts::PI));
    let mut mesh = Mesh::default();
    for k in 0..SEGMENTS {
        let (sin, cos) = (std::f64::consts::TAU * f64::from(k) / f64::from(SEGMENTS)).sin_cos();
        let normal = turn * Vector3::new(cos, sin, 0.0);
        mesh.positions.push(base + radius * normal);
        mesh.normals.push(normal);
    }
    mesh.positions.extend([*tip, *base]);
    mesh.normals
        .extend([tip - base, base - tip].map(|n| n.normalize()));
    let rim = (0..SEGMENTS).map(|k| (k, (k + 1) % SEGMENTS));
    mesh.triangles = rim
        .flat_map(|(a, b)| [[a, b, SEGMENTS], [b, a, SEGMENTS + 1]])
        .collect();
    mesh
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::export::fixture;

    #[test]
    fn every_frame_is_a_picture_and_they_differ() {
        let mut told = Vec::new();
        let mut observer = |drawn, count| told.push((drawn, count));
        let bytes = encode(&fixture::recording(), &mut observer).unwrap();
        let mut decoder = gif::DecodeOptions::new()
            .read_info(bytes.as_slice())
            .unwrap();
        let mut frames = Vec::new();
        while let Some(frame) = decoder.read_next_frame().unwrap() {
            frames.push(frame.buffer.to_vec());
        }
        assert!(!frames.is_empty());
        assert_eq!(told.last(), Some(&(frames.len(), frames.len())));
        assert_eq!(frames[0].len(), SIZE[0] * SIZE[1]);
        let shades: std::collections::HashSet<&u8> = frames[0].iter().collect();
        assert!(shades.len() > 20, "{} shades", shades.len());
        let mut moved = frames[1..].iter();
        assert!(moved.all(|frame| frame.iter().any(|pixel| *pixel != Palette::UNCHANGED)));
    }

    #[test]
    fn the_palette_fits_into_a_file() {
        assert!(Palette::new().colors.len() <= 256);
    }
}

//! Ground reactions for OpenSim: a storage file (`.mot`, `.sto`), and the external loads (`.xml`) that say which columns
//! push which foot.

use std::path::Path;

use nalgebra::Vector3;

use super::plate::{LOADED, Plate};
use crate::error::{Error, Result};

/// What the end of a storage file's header is called.
pub const END: &str = "endheader";

/// What a file of external loads holds.
pub const LOADS: &str = "<ExternalLoads";

/// A force on a body, as external loads name it.
#[derive(Clone, Debug, PartialEq)]
pub struct Load {
    body: String,
    force: String,
    point: String,
}

/// The loads of a file's `text`, and the storage file that it names.
pub fn loads(text: &str) -> (Vec<Load>, Option<String>) {
    let text = without_comments(text);
    let forces = text.split("<ExternalForce ").skip(1);
    let forces = forces.map(|force| force.split("</ExternalForce>").next().unwrap_or(force));
    let load = |force: &str| {
        Some(Load {
            body: tag(force, "applied_to_body")?,
            force: tag(force, "force_identifier")?,
            point: tag(force, "point_identifier")?,
        })
    };
    (forces.filter_map(load).collect(), tag(&text, "datafile"))
}

/// What stands between the marks of `name`.
fn tag(text: &str, name: &str) -> Option<String> {
    let (_, rest) = text.split_once(&format!("<{name}>"))?;
    let (value, _) = rest.split_once(&format!("</{name}>"))?;
    let value = value.trim().replace("&lt;", "<").replace("&gt;", ">");
    Some(value.replace("&amp;", "&"))
}

fn without_comments(text: &str) -> String {
    let mut parts = text.split("<!--");
    let mut plain = parts.next().unwrap_or_default().to_string();
    for part in parts {
        plain.push_str(part.split_once("-->").map_or("", |(_, rest)| rest));
    }
    plain
}

/// The external loads beside the storage file at `path`: of the same stem, or those that name it.
pub fn beside(path: &Path) -> Option<Vec<Load>> {
    let name = path.file_name()?.to_string_lossy().into_owned();
    let read = |path: &Path| Some(loads(&std::fs::read_to_string(path).ok()?));
    let own = path.with_extension("xml");
    if let Some((loads, _)) = read(&own).filter(|(loads, _)| !loads.is_empty()) {
        return Some(loads);
    }
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    let entries = std::fs::read_dir(folder.unwrap_or(Path::new("."))).ok()?;
    let mut others: Vec<_> = entries
        .filter_map(|entry| Some(entry.ok()?.path()))
        .collect();
    others.retain(|other| other.extension().is_some_and(|end| end == "xml"));
    others.sort();
    others.iter().find_map(|other| {
        let (loads, data) = read(other)?;
        let data = data?;
        let data = data.rsplit(['/', '\\']).next()?;
        (data == name && !loads.is_empty()).then_some(loads)
    })
}

/// The forces in a storage file's `text`, in its axes (y up), and its times, s. `loads` say which foot they push.
///
/// # Errors
/// [`Error::Input`] naming the line or the columns that are not as they must be.
pub fn read(text: &str, loads: &[Load], origin: &str) -> Result<(Vec<f64>, Vec<Plate>)> {
    let mut lines = (1..).zip(text.lines());
    lines.find(|(_, line)| line.trim().eq_ignore_ascii_case(END));
    let mut lines = lines.filter(|(_, line)| !line.trim().is_empty());
    let names: Vec<&str> = lines
        .next()
        .map_or(Vec::new(), |(_, line)| line.split_whitespace().collect());
    let groups = groups(&names, loads);
    if groups.is_empty() || names.first() != Some(&"time") {
        let found: String = names.join(" ").chars().take(80).collect();
        let advice =
            "the columns are time and, of each force, ..._vx _vy _vz, N, and ..._px _py _pz, m";
        return Err(Error::input(
            origin,
            "columns",
            format!("`{found}`"),
            advice,
        ));
    }
    let mut time = Vec::new();
    let mut plates: Vec<Plate> = groups.iter().map(|group| Plate::of(group.foot)).collect();
    for (number, line) in lines {
        let row = row(line, names.len(), origin, number)?;
        time.push(row[0]);
        for (plate, group) in plates.iter_mut().zip(&groups) {
            let at = |columns: [usize; 3]| Vector3::from(columns.map(|k| row[k]));
            let force = at(group.force);
            plate
                .center
                .push((force.norm() > LOADED).then(|| at(group.point)));
            plate.force.push(force);
        }
    }
    if time.len() < 2 || time.windows(2).any(|w| w[1] <= w[0]) {
        let found = format!("{} rows, or times that do not rise", time.len());
        return Err(Error::input(
            origin,
            "time",
            found,
            "export the forces again",
        ));
    }
    Ok((time, plates))
}

fn row(line: &str, width: usize, origin: &str, number: usize) -> Result<Vec<f64>> {
    let row: Vec<f64> = line
        .split_whitespace()
        .map_while(|cell| cell.parse().ok())
        .collect();
    match row.len() == width && row.iter().all(|value: &f64| value.is_finite()) {
        true => Ok(row),
        false => {
            let found = format!("{} numbers", row.len());
            let advice = format!("there are names for {width} columns");
            Err(Error::input(
                origin,
                format!("line {number}"),
                found,
                advice,
            ))
        }
    }
}

/// Columns of one force.
struct Group {
    force: [usize; 3],
    point: [usize; 3],
    foot: Option<usize>,
}

/// The forces among the columns `names`: those that `loads` name, or else all.
fn groups(names: &[&str], loads: &[Load]) -> Vec<Group> {
    let find = |stem: &str| -> Option<[usize; 3]> {
        let column = |axis: &str| {
            names
                .iter()
                .position(|name| *name == format!("{stem}{axis}"))
        };
        Some([column("x")?, column("y")?, column("z")?])
    };
    if !loads.is_empty() {
        let group = |load: &Load| {
            Some(Group {
                force: find(&load.force)?,
                point: find(&load.point)?,
                foot: foot(&load.body),
            })
        };
        return loads.iter().filter_map(group).collect();
    }
    let stems = names.iter().filter_map(|name| name.strip_suffix("vx"));
    let group = |stem: &str| {
        Some(Group {
            force: find(&format!("{stem}v"))?,
            point: find(&format!("{stem}p"))?,
            foot: foot(stem),
        })
    };
    stems.filter_map(group).collect()
}

/// The foot, 0 for the right and 1 for the left one, that a body or a column's name tells.
fn foot(name: &str) -> Option<usize> {
    let name = name.to_lowercase();
    let mut words = name.split(|c: char| !c.is_alphanumeric());
    words.find_map(|word| match word {
        "r" | "right" => Some(0),
        "l" | "left" => Some(1),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const COLUMNS: &str = "time\t1_ground_force_vx\t1_ground_force_vy\t1_ground_force_vz\t\
                           1_ground_force_px\t1_ground_force_py\t1_ground_force_pz";

    fn text(rows: &str) -> String {
        format!("grf\nversion=1\nnRows=2\nnColumns=7\ninDegrees=yes\nendheader\n{COLUMNS}\n{rows}")
    }

    #[test]
    fn external_loads_say_which_foot() {
        let xml = "<OpenSimDocument><ExternalLoads name=\"x\"><objects><ExternalForce name=\"a\">\
                   <!--<applied_to_body>calcn_r</applied_to_body>--><applied_to_body> calcn_l </applied_to_body>\
                   <force_identifier>1_ground_force_v</force_identifier>\
                   <point_identifier>1_ground_force_p</point_identifier></ExternalForce></objects>\
                   <datafile>a/b.mot</datafile></ExternalLoads></OpenSimDocument>";
        let (loads, data) = loads(xml);
        assert_eq!(data.as_deref(), Some("a/b.mot"));
        let text = text("0\t1\t500\t2\t0.1\t0\t0.2\n0.01\t1\t5\t2\t0.1\t0\t0.2\n");
        let (time, plates) = read(&text, &loads, "x.mot").unwrap();
        assert_eq!(time, [0.0, 0.01]);
        assert_eq!((plates.len(), plates[0].foot), (1, Some(1)));
        assert_eq!(plates[0].force[0], Vector3::new(1.0, 500.0, 2.0));
        assert_eq!(plates[0].center, [Some(Vector3::new(0.1, 0.0, 0.2)), None]);
        assert_eq!(read(&text, &[], "x.mot").unwrap().1[0].foot, None);
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("setup.xml"), xml).unwrap();
        assert_eq!(beside(&dir.path().join("b.mot")).unwrap(), loads);
        assert_eq!(beside(&dir.path().join("c.mot")), None);
    }

    #[test]
    fn broken_files_are_refused_by_line() {
        let told = |rows: &str| read(&text(rows), &[], "x.mot").err().unwrap().to_string();
        assert!(told("0\t1\t2\n").contains("line 8: found 3 numbers"));
        assert!(told("0\t1\t5\t2\t0.1\t0\t0.2\n").contains("time: found 1 rows"));
        let other = "name\nendheader\ntime\thip_flexion_r\n0\t1\n";
        let error = read(other, &[], "x.mot").err().unwrap().to_string();
        assert!(
            error.contains("columns: found `time hip_flexion_r`"),
            "{error}"
        );
    }

    #[test]
    fn names_of_columns_and_bodies_tell_the_foot() {
        for (name, expected) in [
            ("calcn_r", Some(0)),
            ("ground_force_l_", Some(1)),
            ("R_ground_force_", Some(0)),
            ("ground_force_right_", Some(0)),
            ("1_ground_force_", None),
            ("ground_force_", None),
        ] {
            assert_eq!(foot(name), expected, "{name}");
        }
    }
}

use super::*;

#[test]
fn every_up_axis_is_turned_by_a_proper_rotation() {
    for (k, axis) in Axis::ALL.into_iter().enumerate() {
        let mut up = Vector3::zeros();
        up[k % 3] = if k < 3 { 1.0 } else { -1.0 };
        assert_eq!(axis.to_z_up(up), Vector3::z(), "{axis}");
        let [x, y, z] = [Vector3::x(), Vector3::y(), Vector3::z()].map(|e| axis.to_z_up(e));
        assert_eq!(x.cross(&y).dot(&z), 1.0, "{axis} is mirrored");
        assert_eq!(axis.to_string().parse::<Axis>().unwrap(), axis);
    }
    assert!("up".parse::<Axis>().unwrap_err().to_string().contains("-y"));
}

#[test]
fn a_unit_is_found_or_refused_with_what_it_would_mean() {
    for unit in Unit::ALL {
        let found = detect_unit(1.7 / unit.metres(), None, &Unit::ALL, "x.bvh");
        assert_eq!(found.unwrap(), unit);
        assert_eq!(unit.to_string().parse::<Unit>().unwrap(), unit);
    }
    let found = detect_unit(67.0, None, &Unit::METRIC, "x.npy"); // no inches in arrays
    assert_eq!(found.unwrap(), Unit::Centimetre);
    let own: Unit = "0.1".parse().unwrap();
    assert_eq!(
        detect_unit(17.0, Some(own), &Unit::ALL, "x.bvh").unwrap(),
        own
    );
    assert!("-1".parse::<Unit>().is_err() && "ft".parse::<Unit>().is_err());
    let error = detect_unit(17.0, None, &Unit::METRIC, "x.npy")
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("17.0 m if in m, 0.170 m if in cm"),
        "{error}"
    );
    let error = detect_unit(170.0, Some(Unit::Metre), &Unit::METRIC, "x.npy")
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("170 m tall") && error.contains("--units cm"),
        "{error}"
    );
}

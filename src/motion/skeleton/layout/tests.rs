use super::super::tests::numbered;
use super::super::*;
use super::*;

#[test]
fn every_layout_is_found_by_its_name_and_nothing_else_is() {
    for layout in Layout::ALL {
        assert_eq!(layout.to_string().parse::<Layout>().unwrap(), layout);
    }
    let error = "openpose".parse::<Layout>().unwrap_err().to_string();
    assert!(
        error.contains("openpose") && error.contains("h36m17-toes"),
        "{error}"
    );
}

#[test]
fn human36m_layouts_keep_the_joints_and_find_the_toes() {
    let frame = Layout::H36m17Toes.convert(&numbered(19));
    assert_eq!(frame.joints[16].x, 16.0);
    assert_eq!(frame.toes.unwrap().map(|p| p.x), [17.0, 18.0]);
    let frame = Layout::H36m32.convert(&numbered(32));
    assert_eq!(frame.joints.map(|p| p.x as usize), H36M32);
    assert_eq!(frame.toes.unwrap().map(|p| p.x), [4.0, 9.0]);
}

#[test]
fn coco_takes_middles_and_swaps_left_first_to_right_first() {
    let joints = Layout::Coco17.convert(&numbered(17)).joints;
    let x = joints.map(|p| p.x);
    assert_eq!(x[PELVIS], 11.5);
    assert_eq!((x[RIGHT_ANKLE], x[LEFT_ANKLE]), (16.0, 15.0));
    assert_eq!((x[LEFT_WRIST], x[RIGHT_WRIST]), (9.0, 10.0));
    assert_eq!((x[THORAX], x[SPINE], x[NECK]), (5.5, 8.5, 4.5));
    assert_eq!(x[HEAD], 3.5 + 0.5 * (3.5 - 5.5));
}

#[test]
fn smpl_takes_the_middle_of_the_hips_for_the_pelvis() {
    let x = Layout::Smpl24.convert(&numbered(24)).joints.map(|p| p.x);
    assert_eq!((x[PELVIS], x[THORAX], x[NECK]), (1.5, 13.5, 15.0));
    assert_eq!(
        (x[RIGHT_HIP], x[LEFT_HIP], x[RIGHT_WRIST]),
        (2.0, 1.0, 21.0)
    );
}

#[test]
fn detectors_and_generators_have_their_joints_where_they_should() {
    let sides = [RIGHT_HIP, RIGHT_ANKLE, LEFT_ANKLE, LEFT_WRIST, RIGHT_WRIST];
    for (layout, expected, toes) in [
        (Layout::Body25, [9, 11, 14, 7, 4], [22.5, 19.5]),
        (Layout::Halpe26, [12, 16, 15, 9, 10], [22.0, 21.0]),
        (Layout::WholeBody133, [12, 16, 15, 9, 10], [20.5, 17.5]),
        (Layout::MediaPipe33, [24, 28, 27, 15, 16], [31.5, 30.5]),
        (Layout::Soma30, [26, 28, 24, 13, 19], [29.0, 25.0]),
        (Layout::Soma77, [72, 74, 69, 14, 42], [75.0, 70.0]),
        (Layout::Smplx22, [2, 8, 7, 20, 21], [11.0, 10.0]),
    ] {
        let frame = layout.convert(&numbered(layout.joint_count()));
        assert_eq!(
            sides.map(|j| frame.joints[j].x as usize),
            expected,
            "{layout}"
        );
        assert_eq!(frame.toes.unwrap().map(|p| p.x), toes, "{layout}");
        assert_eq!(Layout::of_count(layout.joint_count()), Some(layout));
    }
}

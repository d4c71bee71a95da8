use super::*;

#[test]
fn names_are_compared_by_their_letters() {
    for (name, expected) in [
        ("RKnee", "RKNEE"),
        ("right_knee", "RKNEE"),
        ("Tom:LASI", "LASI"),
        ("R.Acromium", "RACROMIUM"),
        ("KneeLeft", "LKNEE"),
        ("Right", "RIGHT"),
    ] {
        assert_eq!(plain(name), expected);
    }
}

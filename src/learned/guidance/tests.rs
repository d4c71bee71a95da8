use super::*;

#[test]
fn a_coordinate_knows_its_blocks_place_and_its_own_in_the_block() {
    let sight = Sight {
        curvature: false,
        averaged: false,
        block: 3,
    };
    let mut place = [7.0; 5];
    sight.write_place(4, 9, &mut place);
    assert_eq!(place, [0.125, 0.125, 0.0, 1.0, 0.0]);
    sight.write_place(8, 9, &mut place);
    assert_eq!(place, [0.25, 0.0, 0.0, 0.0, 1.0]);
}

use super::*;

#[test]
fn the_gram_matrix_is_the_product() {
    for (n, step) in [(1, 0), (2, 0), (5, 0), (30, 0), (150, 0), (150, 2)] {
        // Zero above a staircase.
        let entry = |i, j| match i < step * (j / 10) {
            true => 0.0,
            false => ((7 * i + 3 * j) as f64).sin(),
        };
        let jacobian = DMatrix::from_fn(50, n, entry);
        let product = jacobian.transpose() * &jacobian;
        let difference = (gram(&jacobian) - &product).norm();
        assert!(
            difference < 1e-13 * product.norm(),
            "{n}, {step}: {difference}"
        );
    }
}

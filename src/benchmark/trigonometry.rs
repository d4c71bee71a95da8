//! Sine and cosine of full turns: branch-free, so that loops over coordinates vectorize, and the
//! same bits on every platform.

/// sin 2πt and cos 2πt, to about one unit in the last place.
///
/// Beyond |t| = 2⁵⁰ a `t` has no fraction left; the result is then some finite number in [−1, 1].
#[inline(always)]
pub fn sin_cos_turns(t: f64) -> (f64, f64) {
    /// Adding and subtracting 1.5 · 2⁵² rounds to the nearest integer.
    const ROUND: f64 = 6_755_399_441_055_744.0;
    // t = q/4 + r with |r| ≤ 1/8; the lowest two bits of the mantissa of `shifted` are q mod 4.
    let shifted = 4.0 * t + ROUND;
    let quadrant = shifted.to_bits();
    let r = (t - 0.25 * (shifted - ROUND)).clamp(-0.125, 0.125);
    let (sin, cos) = kernel(std::f64::consts::TAU * r);
    let swap = 0_u64.wrapping_sub(quadrant & 1);
    let (s, c) = (sin.to_bits(), cos.to_bits());
    let sin_sign = (quadrant & 2) << 62;
    let cos_sign = (quadrant.wrapping_add(1) & 2) << 62;
    (
        f64::from_bits(((s & !swap) | (c & swap)) ^ sin_sign),
        f64::from_bits(((c & !swap) | (s & swap)) ^ cos_sign),
    )
}

/// sin a and cos a for |a| ≤ π/4: the minimax polynomials of the classic `fdlibm`.
#[inline(always)]
fn kernel(a: f64) -> (f64, f64) {
    const SIN: [f64; 6] = [
        -1.666_666_666_666_663_2e-1,
        8.333_333_333_322_49e-3,
        -1.984_126_982_985_795e-4,
        2.755_731_370_707_006_8e-6,
        -2.505_076_025_340_686_3e-8,
        1.589_690_995_211_55e-10,
    ];
    const COS: [f64; 6] = [
        4.166_666_666_666_66e-2,
        -1.388_888_888_887_411e-3,
        2.480_158_728_947_673e-5,
        -2.755_731_435_139_066_3e-7,
        2.087_572_321_298_175e-9,
        -1.135_964_755_778_819_5e-11,
    ];
    let z = a * a;
    let polynomial =
        |c: &[f64; 6]| c[0] + z * (c[1] + z * (c[2] + z * (c[3] + z * (c[4] + z * c[5]))));
    (
        a + a * z * polynomial(&SIN),
        1.0 - 0.5 * z + z * z * polynomial(&COS),
    )
}

/// Coordinates handled together.
const CHUNK: usize = 32;

/// For every coordinate n in order, calls `each(n, sine, cosine)` with those of t = `turns(n, xₙ)`
/// full turns; the sine is that entry of `gradient: (N,)`, for `each` to replace.
#[inline(always)]
pub fn sin_cos_each(
    x: &[f64],
    turns: impl Fn(usize, f64) -> f64,
    gradient: &mut [f64],
    mut each: impl FnMut(usize, &mut f64, f64),
) {
    let mut cos = [0.0; CHUNK];
    for (k, (x, sin)) in x.chunks(CHUNK).zip(gradient.chunks_mut(CHUNK)).enumerate() {
        let first = k * CHUNK;
        for (i, ((x, sin), cos)) in x.iter().zip(&mut *sin).zip(&mut cos).enumerate() {
            (*sin, *cos) = sin_cos_turns(turns(first + i, *x));
        }
        for (i, (sin, cos)) in sin.iter_mut().zip(&cos).enumerate() {
            each(first + i, sin, *cos);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn agrees_with_the_standard_library() {
        for i in -4000..4000 {
            let t = i as f64 * 0.001_237;
            let (sin, cos) = sin_cos_turns(t);
            let (s, c) = (std::f64::consts::TAU * t).sin_cos();
            assert!(
                (sin - s).abs() < 1e-14 && (cos - c).abs() < 1e-14,
                "{t}: {sin} {cos}"
            );
        }
    }

    #[test]
    fn whole_and_quarter_turns_are_exact() {
        for k in -9..9 {
            assert_eq!(sin_cos_turns(k as f64), (0.0, 1.0));
            assert_eq!(sin_cos_turns(k as f64 + 0.25), (1.0, 0.0));
            assert_eq!(sin_cos_turns(k as f64 + 0.5).1, -1.0);
        }
    }

    #[test]
    fn huge_arguments_stay_in_range_and_infinite_ones_show() {
        for t in [1e15, 1e17, -1e30, 1e300] {
            let (sin, cos) = sin_cos_turns(t);
            assert!(sin.abs() <= 1.0 && cos.abs() <= 1.0, "{t}: {sin} {cos}");
        }
        assert!(sin_cos_turns(f64::INFINITY).1.is_nan());
    }
}

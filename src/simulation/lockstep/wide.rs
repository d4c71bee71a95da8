//! Wide registers of numbers of single or double precision.

use pulp::Simd;
use pulp::bytemuck::{cast_slice, cast_slice_mut};

use crate::simulation::simulator;

/// The precision of the numbers that copies are simulated with.
pub trait Precision: Send + Sync + 'static {
    /// Registers of such numbers.
    type Registers<S: Simd>: Wide;

    /// A step of differences between rollouts at which rounding and curvature are both small, rad.
    const DIFFERENCE_STEP: f64;

    /// The registers of the processor `simd`.
    fn registers<S: Simd>(simd: S) -> Self::Registers<S>;
}

/// Twice as many copies at once as in double precision.
pub struct Single;

impl Precision for Single {
    type Registers<S: Simd> = Singles<S>;

    /// Rounding makes an error of 0.5 to 0.7 % of a Jacobian at 5e-4, and in inverse proportion; curvature makes 0.1 to
    /// 1.2 % at 5e-4, and up to 20 % at 1e-3, where feet land or leave (four windows of the samples).
    const DIFFERENCE_STEP: f64 = 3.5e-4;

    #[inline(always)]
    fn registers<S: Simd>(simd: S) -> Singles<S> {
        Singles(simd)
    }
}

/// That of the engine.
pub struct Double;

impl Precision for Double {
    type Registers<S: Simd> = Doubles<S>;

    const DIFFERENCE_STEP: f64 = simulator::DIFFERENCE_STEP;

    #[inline(always)]
    fn registers<S: Simd>(simd: S) -> Doubles<S> {
        Doubles(simd)
    }
}

/// What can be done with all numbers of a register at once.
pub trait Wide: Copy {
    /// A number per lane.
    type Values: Copy;

    /// Numbers in a register.
    const LANES: usize;

    /// `value` in all lanes.
    fn splat(self, value: f64) -> Self::Values;
    /// The number in `lane`.
    fn lane(values: &Self::Values, lane: usize) -> f64;
    /// Replaces the number in `lane`.
    fn set_lane(values: &mut Self::Values, lane: usize, value: f64);
    fn add(self, a: Self::Values, b: Self::Values) -> Self::Values;
    fn sub(self, a: Self::Values, b: Self::Values) -> Self::Values;
    fn mul(self, a: Self::Values, b: Self::Values) -> Self::Values;
    fn div(self, a: Self::Values, b: Self::Values) -> Self::Values;
    fn neg(self, a: Self::Values) -> Self::Values;
    /// a b + c, rounded once.
    fn mul_add(self, a: Self::Values, b: Self::Values, c: Self::Values) -> Self::Values;
    fn sqrt(self, a: Self::Values) -> Self::Values;
    fn max(self, a: Self::Values, b: Self::Values) -> Self::Values;
    fn min(self, a: Self::Values, b: Self::Values) -> Self::Values;
    /// `then` where the first number is less than the second, `otherwise` elsewhere.
    fn select_less(
        self,
        pair: [Self::Values; 2],
        then: Self::Values,
        otherwise: Self::Values,
    ) -> Self::Values;
    /// The largest of the lanes.
    fn largest(self, a: Self::Values) -> f64;
}

/// Registers of one type of number, by pulp's names of what is done with them.
macro_rules! registers {
    (
        $(#[$about:meta])* $name:ident, $number:ident, $values:ident, $lanes:ident, $splat:ident,
        [$($unary:ident = $pulp_unary:ident),*], [$($binary:ident = $pulp_binary:ident),*],
        $mul_add:ident, $less:ident, $select:ident, $largest:ident
    ) => {
        $(#[$about])*
        #[derive(Clone, Copy)]
        pub struct $name<S>(S);

        impl<S: Simd> Wide for $name<S> {
            type Values = S::$values;

            const LANES: usize = S::$lanes;

            #[inline(always)]
            fn splat(self, value: f64) -> Self::Values {
                self.0.$splat(value as $number)
            }

            #[inline(always)]
            fn lane(values: &Self::Values, lane: usize) -> f64 {
                f64::from(cast_slice::<_, $number>(std::slice::from_ref(values))[lane])
            }

            #[inline(always)]
            fn set_lane(values: &mut Self::Values, lane: usize, value: f64) {
                cast_slice_mut::<_, $number>(std::slice::from_mut(values))[lane] = value as $number;
            }

            $(#[inline(always)]
            fn $unary(self, a: Self::Values) -> Self::Values {
                self.0.$pulp_unary(a)
            })*

            $(#[inline(always)]
            fn $binary(self, a: Self::Values, b: Self::Values) -> Self::Values {
                self.0.$pulp_binary(a, b)
            })*

            #[inline(always)]
            fn mul_add(self, a: Self::Values, b: Self::Values, c: Self::Values) -> Self::Values {
                self.0.$mul_add(a, b, c)
            }

            #[inline(always)]
            fn select_less(
                self,
                [a, b]: [Self::Values; 2],
                then: Self::Values,
                otherwise: Self::Values,
            ) -> Self::Values {
                let mask = self.0.$less(a, b);
                self.0.$select(mask, then, otherwise)
            }

            #[inline(always)]
            fn largest(self, a: Self::Values) -> f64 {
                f64::from(self.0.$largest(a))
            }
        }
    };
}

registers! {
    /// Those of single precision.
    Singles, f32, f32s, F32_LANES, splat_f32s,
    [neg = neg_f32s, sqrt = sqrt_f32s],
    [add = add_f32s, sub = sub_f32s, mul = mul_f32s, div = div_f32s, max = max_f32s, min = min_f32s],
    mul_add_f32s, less_than_f32s, select_f32s, reduce_max_f32s
}

registers! {
    /// Those of double precision.
    Doubles, f64, f64s, F64_LANES, splat_f64s,
    [neg = neg_f64s, sqrt = sqrt_f64s],
    [add = add_f64s, sub = sub_f64s, mul = mul_f64s, div = div_f64s, max = max_f64s, min = min_f64s],
    mul_add_f64s, less_than_f64s, select_f64s, reduce_max_f64s
}

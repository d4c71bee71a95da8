//! Convex hulls of points on the ground: what a body can stand on.

use nalgebra::Vector2;

/// Distance of `p` from the convex hull of `points`, m; infinite without any.
pub fn distance_from_hull(p: &Vector2<f64>, points: &[Vector2<f64>]) -> f64 {
    let cross = |a: &Vector2<f64>, b: &Vector2<f64>| a.x * b.y - a.y * b.x;
    let hull = convex_hull(points);
    let edges = hull.iter().zip(hull.iter().cycle().skip(1));
    let is_inside = hull.len() > 2 && edges.clone().all(|(a, b)| cross(&(b - a), &(p - a)) >= 0.0);
    if is_inside {
        return 0.0;
    }
    let distance = |(a, b): (&Vector2<f64>, &Vector2<f64>)| {
        let way = b - a;
        let share = (way.dot(&(p - a)) / way.norm_squared().max(1e-12)).clamp(0.0, 1.0);
        (p - a - share * way).norm()
    };
    edges.map(distance).fold(f64::INFINITY, f64::min)
}

/// The convex hull of `points`, counter-clockwise (Andrew 1979).
fn convex_hull(points: &[Vector2<f64>]) -> Vec<Vector2<f64>> {
    let mut sorted = points.to_vec();
    sorted.sort_by(|a, b| a.x.total_cmp(&b.x).then(a.y.total_cmp(&b.y)));
    sorted.dedup();
    if sorted.len() < 3 {
        return sorted;
    }
    let chain = |points: &mut dyn Iterator<Item = &Vector2<f64>>| {
        let mut chain: Vec<Vector2<f64>> = Vec::new();
        for p in points {
            while let [.., a, b] = chain[..]
                && (b - a).perp(&(p - b)) <= 0.0
            {
                chain.pop();
            }
            chain.push(*p);
        }
        chain.pop();
        chain
    };
    let mut hull = chain(&mut sorted.iter());
    hull.extend(chain(&mut sorted.iter().rev()));
    hull
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_point_is_as_far_from_a_hull_as_from_its_nearest_edge() {
        let square =
            [[0.0, 0.0], [1.0, 0.0], [0.5, 0.5], [1.0, 1.0], [0.0, 1.0]].map(Vector2::from);
        let distance = |x: f64, y: f64| distance_from_hull(&Vector2::new(x, y), &square);
        assert_eq!(distance(0.2, 0.9), 0.0);
        assert!((distance(1.3, 0.4) - 0.3).abs() < 1e-12);
        assert!((distance(2.0, 2.0) - 2.0_f64.sqrt()).abs() < 1e-12);
        assert_eq!(distance_from_hull(&Vector2::zeros(), &[]), f64::INFINITY);
        assert_eq!(
            distance_from_hull(&Vector2::new(0.0, 2.0), &square[..1]),
            2.0
        );
    }
}

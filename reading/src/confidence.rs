//! From the share of a value among its rivals to the share of values like it that are right.
//!
//! The curves are data (`forms/confidence.toml`), fitted by `tools/score/calibrate.py` on cases made for it.

use std::sync::LazyLock;

use serde::Deserialize;

use crate::{candidates::Decision, forms::ValueKind};

/// Nothing that was read is certain.
const MOST: f32 = 0.999;

static CURVES: LazyLock<Vec<Curve>> = LazyLock::new(|| {
    let parsed: Result<Curves, toml::de::Error> = toml::from_str(include_str!("../../forms/confidence.toml"));
    debug_assert!(parsed.is_ok(), "the embedded curves are checked by a test");
    parsed.map(|curves| curves.curves).unwrap_or_default()
});

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Curves {
    curves: Vec<Curve>,
}

/// For some kinds of value: points of share and confidence, both rising; straight between them.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Curve {
    kinds: Vec<ValueKind>,
    points: Vec<[f32; 2]>,
}

/// The calibrated confidence of a decision.
pub fn calibrated(kind: ValueKind, decision: &Decision) -> f32 {
    let share = decision.share.clamp(0.0, 1.0);
    let curve = CURVES.iter().find(|curve| curve.kinds.contains(&kind));
    curve.map_or(share, |curve| on(&curve.points, share)).clamp(0.0, MOST)
}

fn on(points: &[[f32; 2]], share: f32) -> f32 {
    let after = points.partition_point(|[at, _]| *at <= share);
    match (after.checked_sub(1).and_then(|before| points.get(before)), points.get(after)) {
        (Some([x0, y0]), Some([x1, y1])) => y0 + (y1 - y0) * (share - x0) / (x1 - x0).max(1e-6),
        (Some([_, y]), None) | (None, Some([_, y])) => *y,
        (None, None) => share,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_curves_rise_from_nothing_to_nearly_certain() {
        let curves: Curves = toml::from_str(include_str!("../../forms/confidence.toml")).unwrap();

        for curve in &curves.curves {
            let rises = |pair: &[[f32; 2]]| pair[0][0] < pair[1][0] && pair[0][1] <= pair[1][1];
            assert!(curve.points.windows(2).all(rises), "{:?}", curve.kinds);
            assert!(curve.points.iter().flatten().all(|value| (0.0..=1.0).contains(value)));
        }
    }

    #[test]
    fn between_points_the_curve_is_straight() {
        let points = [[0.0, 0.0], [0.5, 0.2], [1.0, 1.0]];

        assert!((on(&points, 0.25) - 0.1).abs() < 1e-6);
        assert!((on(&points, 0.75) - 0.6).abs() < 1e-6);
        assert_eq!((on(&points, 1.0), on(&[], 0.3)), (1.0, 0.3));
    }

    #[test]
    fn a_larger_share_is_never_less_certain() {
        let of = |share| calibrated(ValueKind::Address, &Decision { share, ..Decision::nothing() });

        assert!((0..100).all(|step| of(step as f32 / 100.0) <= of((step + 1) as f32 / 100.0)));
        assert!(of(2.0) <= MOST && of(-1.0) >= 0.0);
    }
}

//! Points, quads and plane projections between pictures.

use domain::geometry::{Point, Quad};

/// A projective map of the plane.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Projection([f64; 9]);

impl Projection {
    /// Leaves every point where it is.
    pub const IDENTITY: Self = Self([1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0]);

    /// Maps the rectangle from 0, 0 to `width`, `height` onto `quad`, corner by corner; the identity when the
    /// quad has no area.
    pub fn onto(quad: &Quad, width: f32, height: f32) -> Self {
        let [p0, p1, p2, p3] = quad.0.map(|point| (f64::from(point.x), f64::from(point.y)));
        let (dx1, dx2, dx3) = (p1.0 - p2.0, p3.0 - p2.0, p0.0 - p1.0 + p2.0 - p3.0);
        let (dy1, dy2, dy3) = (p1.1 - p2.1, p3.1 - p2.1, p0.1 - p1.1 + p2.1 - p3.1);
        let area = dx1 * dy2 - dx2 * dy1;
        if area.abs() < 1e-9 || width <= 0.0 || height <= 0.0 {
            return Self::IDENTITY;
        }
        // Corners come as f32: what is no more than their rounding is a parallelogram.
        let bend = |value: f64| if value.abs() < 1e-5 { 0.0 } else { value };
        let g = bend((dx3 * dy2 - dx2 * dy3) / area);
        let h = bend((dx1 * dy3 - dx3 * dy1) / area);
        let (w, t) = (f64::from(width), f64::from(height));
        Self([
            (p1.0 - p0.0 + g * p1.0) / w,
            (p3.0 - p0.0 + h * p3.0) / t,
            p0.0,
            (p1.1 - p0.1 + g * p1.1) / w,
            (p3.1 - p0.1 + h * p3.1) / t,
            p0.1,
            g / w,
            h / t,
            1.0,
        ])
    }

    /// Stretches by `x` and `y`.
    pub fn scaling(x: f32, y: f32) -> Self {
        Self([f64::from(x), 0.0, 0.0, 0.0, f64::from(y), 0.0, 0.0, 0.0, 1.0])
    }

    /// Moves by `x` and `y`.
    pub fn shift(x: f32, y: f32) -> Self {
        Self([1.0, 0.0, f64::from(x), 0.0, 1.0, f64::from(y), 0.0, 0.0, 1.0])
    }

    /// Takes a point of a picture that was turned clockwise by `quarter_turns` back to the picture of `width` by
    /// `height` it was turned from.
    pub fn unturn(quarter_turns: u8, width: u32, height: u32) -> Self {
        let (w, h) = (f64::from(width), f64::from(height));
        match quarter_turns % 4 {
            1 => Self([0.0, 1.0, 0.0, -1.0, 0.0, h, 0.0, 0.0, 1.0]),
            2 => Self([-1.0, 0.0, w, 0.0, -1.0, h, 0.0, 0.0, 1.0]),
            3 => Self([0.0, -1.0, w, 1.0, 0.0, 0.0, 0.0, 0.0, 1.0]),
            _ => Self::IDENTITY,
        }
    }

    /// Where `point` goes.
    pub fn apply(&self, point: Point) -> Point {
        let (x, y) = self.at(f64::from(point.x), f64::from(point.y));
        Point { x: x as f32, y: y as f32 }
    }

    /// Where the corners of `quad` go.
    pub fn apply_quad(&self, quad: &Quad) -> Quad {
        Quad(quad.0.map(|point| self.apply(point)))
    }

    /// Whether lines that are parallel stay so.
    pub(crate) fn keeps_parallels(&self) -> bool {
        let m = &self.0;
        m[6] == 0.0 && m[7] == 0.0 && m[8] == 1.0
    }

    pub(crate) fn at(&self, x: f64, y: f64) -> (f64, f64) {
        let m = &self.0;
        if self.keeps_parallels() {
            return (m[0] * x + m[1] * y + m[2], m[3] * x + m[4] * y + m[5]);
        }
        let depth = m[6] * x + m[7] * y + m[8];
        let depth = if depth.abs() < 1e-12 { 1e-12 } else { depth };
        ((m[0] * x + m[1] * y + m[2]) / depth, (m[3] * x + m[4] * y + m[5]) / depth)
    }

    /// First `self`, then `next`.
    #[must_use]
    pub fn then(&self, next: &Self) -> Self {
        let (a, b) = (&next.0, &self.0);
        let mut product = [0.0; 9];
        for (index, value) in product.iter_mut().enumerate() {
            let (row, column) = (index / 3, index % 3);
            *value = (0..3).map(|k| a[row * 3 + k] * b[k * 3 + column]).sum();
        }
        Self(product)
    }

    /// The map back; the identity when there is none.
    #[must_use]
    pub fn inverse(&self) -> Self {
        let m = &self.0;
        let cofactors = [
            m[4] * m[8] - m[5] * m[7],
            m[2] * m[7] - m[1] * m[8],
            m[1] * m[5] - m[2] * m[4],
            m[5] * m[6] - m[3] * m[8],
            m[0] * m[8] - m[2] * m[6],
            m[2] * m[3] - m[0] * m[5],
            m[3] * m[7] - m[4] * m[6],
            m[1] * m[6] - m[0] * m[7],
            m[0] * m[4] - m[1] * m[3],
        ];
        let determinant = m[0] * cofactors[0] + m[1] * cofactors[3] + m[2] * cofactors[6];
        if determinant.abs() < 1e-15 {
            return Self::IDENTITY;
        }
        Self(cofactors.map(|value| value / determinant))
    }
}

/// What a line of ink needs to know of its quad.
pub trait QuadMeasure {
    /// Mean length of the sides along the line.
    fn width(&self) -> f32;
    /// Mean length of the sides across the line.
    fn height(&self) -> f32;
    /// Middle of the corners.
    fn centre(&self) -> Point;
    /// Direction of the line, radians from horizontal.
    fn angle(&self) -> f32;
    /// The quad grown along and across the line, by pixels on each side.
    #[must_use]
    fn grown(&self, left: f32, right: f32, across: f32) -> Quad;
}

impl QuadMeasure for Quad {
    fn width(&self) -> f32 {
        let [a, b, c, d] = self.0;
        distance(a, b).midpoint(distance(d, c))
    }

    fn height(&self) -> f32 {
        let [a, b, c, d] = self.0;
        distance(a, d).midpoint(distance(b, c))
    }

    fn centre(&self) -> Point {
        let (x, y) = self.0.iter().fold((0.0, 0.0), |(x, y), point| (x + point.x, y + point.y));
        Point { x: x / 4.0, y: y / 4.0 }
    }

    fn angle(&self) -> f32 {
        let [a, b, c, d] = self.0;
        let (along_x, along_y) = ((b.x - a.x) + (c.x - d.x), (b.y - a.y) + (c.y - d.y));
        if along_x.hypot(along_y) >= 1.0 {
            return along_y.atan2(along_x);
        }
        // Sides this short point anywhere; those across them still know the direction.
        let (across_x, across_y) = ((d.x - a.x) + (c.x - b.x), (d.y - a.y) + (c.y - b.y));
        (-across_x).atan2(across_y)
    }

    fn grown(&self, left: f32, right: f32, across: f32) -> Quad {
        let [a, b, c, d] = self.0;
        let (top, bottom) = (unit(a, b), unit(d, c));
        let (start, end) = (unit(a, d), unit(b, c));
        Quad([
            moved(moved(a, top, -left), start, -across),
            moved(moved(b, top, right), end, -across),
            moved(moved(c, bottom, right), end, across),
            moved(moved(d, bottom, -left), start, across),
        ])
    }
}

/// Straight distance of two points.
pub fn distance(a: Point, b: Point) -> f32 {
    (a.x - b.x).hypot(a.y - b.y)
}

/// The rectangle of least area around the points, as a quad whose first side is the one nearest to horizontal,
/// from the left; `None` for fewer than two different points.
pub fn least_rectangle(points: &[Point]) -> Option<Quad> {
    let hull = convex_hull(points);
    if hull.len() < 2 {
        return None;
    }
    let mut best: Option<(f32, Quad)> = None;
    for (index, &point) in hull.iter().enumerate() {
        let next = hull[(index + 1) % hull.len()];
        let along = nearest_to_horizontal(unit(point, next));
        let (mut from, mut to, mut low, mut high) = (f32::MAX, f32::MIN, f32::MAX, f32::MIN);
        for other in &hull {
            let a = other.x * along.x + other.y * along.y;
            let b = other.y * along.x - other.x * along.y;
            (from, to) = (from.min(a), to.max(a));
            (low, high) = (low.min(b), high.max(b));
        }
        let area = (to - from) * (high - low);
        if best.as_ref().is_none_or(|(least, _)| area < *least) {
            let corner =
                |a: f32, b: f32| Point { x: a * along.x - b * along.y, y: a * along.y + b * along.x };
            best = Some((
                area,
                Quad([corner(from, low), corner(to, low), corner(to, high), corner(from, high)]),
            ));
        }
    }
    best.map(|(_, quad)| quad)
}

/// The direction turned by quarters until it runs to the right, within 45° of horizontal.
fn nearest_to_horizontal(direction: Point) -> Point {
    let Point { x, y } = direction;
    if x.abs() > y.abs() {
        Point { x: x * x.signum(), y: y * x.signum() }
    } else {
        Point { x: y * y.signum(), y: -x * y.signum() }
    }
}

/// The same quad, its corners renamed so that the first side runs to the right, within 45° of horizontal.
pub fn start_horizontally(quad: &Quad) -> Quad {
    let mut corners = quad.0;
    for _ in 0..3 {
        let angle = Quad(corners).angle();
        if (-std::f32::consts::FRAC_PI_4..std::f32::consts::FRAC_PI_4).contains(&angle) {
            break;
        }
        corners.rotate_left(1);
    }
    Quad(corners)
}

/// Corners of the convex hull, in order around it.
pub fn convex_hull(points: &[Point]) -> Vec<Point> {
    let mut sorted = points.to_vec();
    sorted.sort_by(|a, b| a.x.total_cmp(&b.x).then(a.y.total_cmp(&b.y)));
    sorted.dedup();
    if sorted.len() < 3 {
        return sorted;
    }
    let mut hull = half_hull(sorted.iter().copied());
    let back = half_hull(sorted.iter().rev().copied());
    hull.pop();
    hull.extend(&back[..back.len() - 1]);
    hull
}

fn half_hull(points: impl Iterator<Item = Point>) -> Vec<Point> {
    let mut hull: Vec<Point> = Vec::new();
    for point in points {
        while let [.., a, b] = hull[..] {
            if (b.x - a.x) * (point.y - a.y) - (b.y - a.y) * (point.x - a.x) > 0.0 {
                break;
            }
            hull.pop();
        }
        hull.push(point);
    }
    hull
}

/// Area of a polygon, positive when its corners run clockwise on the page.
pub fn signed_area(corners: &[Point]) -> f32 {
    let mut doubled = 0.0;
    for (index, a) in corners.iter().enumerate() {
        let b = corners[(index + 1) % corners.len()];
        doubled += a.x * b.y - b.x * a.y;
    }
    doubled / 2.0
}

fn unit(from: Point, to: Point) -> Point {
    let length = distance(from, to).max(1e-6);
    Point { x: (to.x - from.x) / length, y: (to.y - from.y) / length }
}

fn moved(point: Point, direction: Point, by: f32) -> Point {
    Point { x: point.x + direction.x * by, y: point.y + direction.y * by }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn near(a: Point, b: Point) -> bool {
        distance(a, b) < 0.01
    }

    #[test]
    fn a_projection_takes_corners_to_corners() {
        let quad = Quad([
            Point { x: 10.0, y: 5.0 },
            Point { x: 90.0, y: 12.0 },
            Point { x: 85.0, y: 70.0 },
            Point { x: 4.0, y: 60.0 },
        ]);

        let projection = Projection::onto(&quad, 200.0, 100.0);

        assert!(near(projection.apply(Point { x: 0.0, y: 0.0 }), quad.0[0]));
        assert!(near(projection.apply(Point { x: 200.0, y: 0.0 }), quad.0[1]));
        assert!(near(projection.apply(Point { x: 200.0, y: 100.0 }), quad.0[2]));
        assert!(near(projection.apply(Point { x: 0.0, y: 100.0 }), quad.0[3]));
        let there_and_back = projection.then(&projection.inverse());
        assert!(near(there_and_back.apply(Point { x: 33.0, y: 44.0 }), Point { x: 33.0, y: 44.0 }));
    }

    #[test]
    fn unturning_matches_the_turning_of_pictures() {
        let mut picture = image::RgbImage::new(5, 3);
        picture.put_pixel(4, 0, image::Rgb([255, 0, 0]));
        let turned = [
            picture.clone(),
            image::imageops::rotate90(&picture),
            image::imageops::rotate180(&picture),
            image::imageops::rotate270(&picture),
        ];

        for (turns, other) in turned.iter().enumerate() {
            let (x, y, _) = other.enumerate_pixels().find(|(_, _, pixel)| pixel[0] == 255).unwrap();
            let back =
                Projection::unturn(turns as u8, 5, 3).apply(Point { x: x as f32 + 0.5, y: y as f32 + 0.5 });
            assert!(near(back, Point { x: 4.5, y: 0.5 }), "{turns}: {back:?}");
        }
    }

    proptest! {
        #[test]
        fn the_least_rectangle_holds_every_point(
            raw in proptest::collection::vec((-500.0_f32..500.0, -500.0_f32..500.0), 0..40),
        ) {
            let points: Vec<Point> = raw.iter().map(|(x, y)| Point { x: *x, y: *y }).collect();

            if let Some(quad) = least_rectangle(&points) {
                let (width, height) = (quad.width(), quad.height());
                let inside = Projection::onto(&quad, width.max(1.0), height.max(1.0)).inverse();
                if width.max(height) > 1.0 {
                    prop_assert!(quad.angle().abs() < 0.8, "{quad:?}");
                }
                for point in points {
                    let place = inside.apply(point);
                    if width > 1.0 && height > 1.0 {
                        prop_assert!(place.x > -2.0 && place.x < width + 2.0, "{place:?}");
                        prop_assert!(place.y > -2.0 && place.y < height + 2.0, "{place:?}");
                    }
                }
            }
        }
    }
}

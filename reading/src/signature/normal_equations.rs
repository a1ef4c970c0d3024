//! Weighted least squares with few unknowns, of which each equation names only some.

/// The sum of all equations; asked for the unknowns at the end.
pub(super) struct NormalEquations {
    unknowns: usize,
    matrix: Vec<f64>,
    right: Vec<f64>,
}

impl NormalEquations {
    /// No equations yet, except that every unknown would rather be zero, by a weight that must be positive.
    pub(super) fn new(unknowns: usize, stiffness: f32) -> Self {
        let mut matrix = vec![0.0; unknowns * unknowns];
        for index in 0..unknowns {
            matrix[index * unknowns + index] = f64::from(stiffness);
        }
        Self { unknowns, matrix, right: vec![0.0; unknowns] }
    }

    /// One equation: unknowns with their factors, what they should add up to, and how much it counts.
    pub(super) fn add(&mut self, factors: &[(usize, f32)], sum: f32, weight: f32) {
        for &(row, one) in factors {
            let weighted = f64::from(weight * one);
            self.right[row] += weighted * f64::from(sum);
            for &(column, other) in factors {
                self.matrix[row * self.unknowns + column] += weighted * f64::from(other);
            }
        }
    }

    /// The unknowns, by Cholesky's decomposition; the matrix is positive since every unknown has a stiffness.
    pub(super) fn solve(mut self) -> Vec<f32> {
        let n = self.unknowns;
        for column in 0..n {
            for row in column..n {
                let sum: f64 =
                    (0..column).map(|k| self.matrix[row * n + k] * self.matrix[column * n + k]).sum();
                let rest = self.matrix[row * n + column] - sum;
                let diagonal = self.matrix[column * n + column];
                self.matrix[row * n + column] =
                    if row == column { rest.max(1e-12).sqrt() } else { rest / diagonal };
            }
        }
        for row in 0..n {
            let sum: f64 = (0..row).map(|k| self.matrix[row * n + k] * self.right[k]).sum();
            self.right[row] = (self.right[row] - sum) / self.matrix[row * n + row];
        }
        for row in (0..n).rev() {
            let sum: f64 = (row + 1..n).map(|k| self.matrix[k * n + row] * self.right[k]).sum();
            self.right[row] = (self.right[row] - sum) / self.matrix[row * n + row];
        }
        self.right.into_iter().map(|value| value as f32).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equations_that_agree_are_solved() {
        let mut equations = NormalEquations::new(3, 1e-6);
        for (x, y) in [(0.0, 1.0), (1.0, 3.0), (2.0, 5.0), (3.0, 7.0)] {
            equations.add(&[(0, 1.0), (1, x)], y, 2.0);
        }

        let [constant, slope, unused] = equations.solve()[..] else { panic!("three unknowns") };

        assert!((constant - 1.0).abs() < 1e-4 && (slope - 2.0).abs() < 1e-4, "{constant} {slope}");
        assert!(unused.abs() < 1e-6);
    }
}

//! Optimizers and test functions.

use std::ops::ControlFlow;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use motionfit::benchmark::Problem;
use motionfit::benchmark::functions::{FUNCTIONS, index_of};
use motionfit::learned;
use motionfit::objective::{Evaluation, Objective};
use motionfit::optim::{self, Budget, Options};
use numpy::{IntoPyArray, PyArray1, PyReadonlyArray1};
use pyo3::prelude::*;

use crate::{on_threads, raised};

/// A classic test function of any number of variables.
#[pyclass(module = "motionfit", frozen)]
pub(crate) struct Function {
    index: usize,
}

#[pymethods]
impl Function {
    #[new]
    fn new(name: &str) -> PyResult<Self> {
        index_of(name).map(|index| Self { index }).map_err(raised)
    }

    #[getter]
    fn name(&self) -> &'static str {
        FUNCTIONS[self.index].name()
    }

    /// Lower and upper end of the usual domain of every coordinate.
    fn domain(&self, dimension: usize) -> (f64, f64) {
        FUNCTIONS[self.index].domain(dimension)
    }

    fn minimum(&self, dimension: usize) -> f64 {
        FUNCTIONS[self.index].minimum(dimension)
    }

    fn minimizer<'py>(&self, py: Python<'py>, dimension: usize) -> Bound<'py, PyArray1<f64>> {
        FUNCTIONS[self.index].minimizer(dimension).into_pyarray(py)
    }

    /// Value and gradient.
    fn __call__<'py>(
        &self,
        py: Python<'py>,
        x: PyReadonlyArray1<'py, f64>,
    ) -> PyResult<(f64, Bound<'py, PyArray1<f64>>)> {
        let x = x.as_slice()?;
        let mut gradient = vec![0.0; x.len()];
        let value = FUNCTIONS[self.index].evaluate(x, &mut gradient);
        Ok((value, gradient.into_pyarray(py)))
    }

    fn __repr__(&self) -> String {
        format!("<motionfit.Function '{}'>", self.name())
    }
}

/// Names of the test functions.
#[pyfunction]
pub(crate) fn functions() -> Vec<&'static str> {
    FUNCTIONS.iter().map(|function| function.name()).collect()
}

/// Names of the optimizers, classical and learned.
#[pyfunction]
pub(crate) fn optimizers() -> Vec<&'static str> {
    optim::NAMES.into_iter().chain(learned::NAMES).collect()
}

/// What an optimizer found.
#[pyclass(module = "motionfit", frozen)]
pub(crate) struct Minimum(optim::Minimum);

#[pymethods]
impl Minimum {
    #[getter]
    fn x<'py>(&self, py: Python<'py>) -> Bound<'py, PyArray1<f64>> {
        self.0.x.clone().into_pyarray(py)
    }

    #[getter]
    fn value(&self) -> f64 {
        self.0.value
    }

    #[getter]
    fn values<'py>(&self, py: Python<'py>) -> Bound<'py, PyArray1<f64>> {
        self.0.values.clone().into_pyarray(py)
    }

    #[getter]
    fn evaluations(&self) -> usize {
        self.0.evaluations
    }

    #[getter]
    fn iterations(&self) -> usize {
        self.0.iterations()
    }

    #[getter]
    fn termination(&self) -> String {
        format!("{:?}", self.0.termination)
    }

    fn __repr__(&self) -> String {
        let (value, evaluations) = (self.0.value, self.0.evaluations);
        format!("<motionfit.Minimum {value:.6e} after {evaluations} evaluations>")
    }
}

/// A Python function that gives value and gradient; what it raises is kept.
struct Callable {
    function: Py<PyAny>,
    dimension: usize,
    raised: Mutex<Option<PyErr>>,
}

impl Callable {
    fn call(&self, x: &[f64]) -> PyResult<(f64, Vec<f64>)> {
        Python::attach(|py| {
            let x = PyArray1::from_slice(py, x);
            let found = self.function.bind(py).call1((x,))?;
            let (value, gradient): (f64, Vec<f64>) = found.extract()?;
            if gradient.len() != self.dimension {
                let message = format!(
                    "fun: gradient: found {} numbers; give {}",
                    gradient.len(),
                    self.dimension
                );
                return Err(pyo3::exceptions::PyValueError::new_err(message));
            }
            Ok((value, gradient))
        })
    }
}

impl Objective for Callable {
    fn dimension(&self) -> usize {
        self.dimension
    }

    fn value(&self, x: &[f64]) -> f64 {
        self.value_and_gradient(x, &mut vec![0.0; x.len()])
    }

    fn value_and_gradient(&self, x: &[f64], gradient: &mut [f64]) -> f64 {
        match self.call(x) {
            Ok((value, slopes)) => {
                gradient.copy_from_slice(&slopes);
                value
            }
            Err(error) => {
                let mut raised = self.raised.lock().unwrap_or_else(|e| e.into_inner());
                raised.get_or_insert(error);
                f64::NAN
            }
        }
    }
}

/// Minimizes `fun`, a [`Function`] or a callable that gives value and gradient, from `x0`.
#[pyfunction]
#[pyo3(signature = (fun, x0, optimizer="l-bfgs", *, evaluations=1000, iterations=None, learning_rate=None, seed=0))]
#[allow(clippy::too_many_arguments)] // keyword arguments
pub(crate) fn minimize(
    py: Python<'_>,
    fun: &Bound<'_, PyAny>,
    x0: Vec<f64>,
    optimizer: &str,
    evaluations: usize,
    iterations: Option<usize>,
    learning_rate: Option<f64>,
    seed: u64,
) -> PyResult<Minimum> {
    let options = Options {
        learning_rate,
        seed,
        ..Options::default()
    };
    let optimizer = learned::by_name(optimizer, &options).map_err(raised)?;
    let budget = Budget {
        evaluations,
        iterations,
        ..Budget::default()
    };
    let interrupted = AtomicBool::new(false);
    let mut observer =
        |_: usize, _: &[f64], _: &Evaluation| match interrupted.load(Ordering::Relaxed) {
            true => ControlFlow::Break(()),
            false => ControlFlow::Continue(()),
        };
    let callable = Callable {
        function: fun.clone().unbind(),
        dimension: x0.len(),
        raised: Mutex::new(None),
    };
    let known = fun.cast::<Function>().ok().map(|known| known.get().index);
    let found = on_threads(py, Some(1), &interrupted, || match known {
        Some(index) => {
            let problem = Problem::new(FUNCTIONS[index], x0.len());
            optimizer.minimize(&problem, &x0, &budget, &mut observer)
        }
        None => optimizer.minimize(&callable, &x0, &budget, &mut observer),
    })?;
    let raised_by_fun = callable
        .raised
        .into_inner()
        .unwrap_or_else(|e| e.into_inner());
    if let Some(error) = raised_by_fun {
        return Err(error);
    }
    found.map(Minimum).map_err(raised)
}

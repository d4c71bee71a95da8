"""Milliseconds that an iteration of SciPy's BFGS and L-BFGS-B takes, objective included.

usage: python tools/scipy_step_time.py [DIMENSION] [ITERATIONS]     (needs numpy and scipy)

Runs on Rosenbrock from uniform points in [-10, 10]. Beside it, `cargo bench --bench
optimizer_step` prints the times of this program; run both in the same state of the machine, with
OMP_NUM_THREADS=1 and OPENBLAS_NUM_THREADS=1.
"""

import sys
import time

import numpy as np
from scipy.optimize import minimize, rosen, rosen_der


def main():
    dimension = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    iterations = int(sys.argv[2]) if len(sys.argv) > 2 else 20
    x0 = np.random.default_rng(0).uniform(-10, 10, dimension)
    for method in ("BFGS", "L-BFGS-B"):
        fastest = np.inf
        for _ in range(3):
            start = time.perf_counter()
            found = minimize(rosen, x0, jac=rosen_der, method=method, options={"maxiter": iterations})
            fastest = min(fastest, (time.perf_counter() - start) / found.nit)
        print(f"{method:9} d={dimension}: {1e3 * fastest:.4f} ms per iteration")


if __name__ == "__main__":
    main()

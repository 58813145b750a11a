"""A model of what a sampler is told: one Gaussian process for each value, over features of the network."""

import warnings
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from sklearn.gaussian_process import GaussianProcessRegressor

Floats = NDArray[np.float64]

SHORTEST = 2.0
"""Least length scale in standard deviations, between networks that differ in one gene of two choices: below, the smooth
part would be noise by another name, and single trainings would be believed."""

FIT_AGAIN = 1.15
"""Length scales and noise are fitted again when the networks have grown by this factor; data count at once."""


@dataclass(eq=False)
class Surrogate:
    """Means and deviations of ``m`` values for networks that are not trained.

    The kernel is a trend in every feature, a smooth part and noise: the error of a short run on a few hundred samples
    scatters as much as neighbours differ.
    """

    kernels: list[Any] | None = None
    fitted: int = 0

    def fit(self, features: Floats, values: Floats) -> "Fitted":
        """Condition on ``n x d`` features and ``n x m`` values, NaN where one is not known."""
        again = self.kernels is None or len(features) >= FIT_AGAIN * self.fitted
        centre, scale = features.mean(axis=0), features.std(axis=0)
        scale = np.where(scale > 0, scale, 1.0)
        before = self.kernels or [fresh_kernel()] * values.shape[1]
        placed = (features - centre) / scale
        models = [_fitted(kernel, placed, column, again) for kernel, column in zip(before, values.T, strict=True)]
        if again:
            self.kernels, self.fitted = [model.kernel_ for model in models], len(features)
        return Fitted(models, centre, scale)


@dataclass(frozen=True, eq=False)
class Fitted:
    """Gaussian processes of ``m`` values, and how features are scaled for them."""

    models: "list[GaussianProcessRegressor]"
    centre: Floats
    scale: Floats

    def predict(self, features: Floats) -> tuple[Floats, Floats]:
        """Means and standard deviations of the values without noise, ``n x m`` each."""
        placed = (features - self.centre) / self.scale
        found = [model.predict(placed, return_std=True) for model in self.models]
        means = np.stack([mean for mean, _ in found], axis=-1)
        spread = np.stack([deviation for _, deviation in found], axis=-1)
        return means, np.sqrt(np.maximum(spread**2 - self.noise**2, 0.0))

    @cached_property
    def noise(self) -> Floats:
        """Standard deviation of what a training adds to each value and neighbours do not share, ``m``."""
        return np.array([np.sqrt(model.kernel_.k2.noise_level) * model._y_train_std for model in self.models])


def fresh_kernel() -> Any:
    """Trend, smooth part and noise of standardised values."""
    from sklearn.gaussian_process.kernels import ConstantKernel, DotProduct, Matern, WhiteKernel

    trend = ConstantKernel(0.1, (1e-4, 10.0)) * DotProduct(0.0, "fixed")
    smooth = ConstantKernel(0.5, (1e-3, 10.0)) * Matern(3.0, (SHORTEST, 50.0), nu=2.5)
    return (trend + smooth) + WhiteKernel(0.1, (1e-4, 1.0))


def _fitted(kernel: Any, features: Floats, values: Floats, again: bool) -> "GaussianProcessRegressor":
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.gaussian_process import GaussianProcessRegressor

    told = ~np.isnan(values)
    if not told.any():
        told, values = np.ones_like(told), np.zeros_like(values)
    again = again and float(np.ptp(values[told])) > 0  # nothing to fit in a constant
    model = GaussianProcessRegressor(kernel, optimizer="fmin_l_bfgs_b" if again else None, normalize_y=True, alpha=1e-8)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # a bound reached is an answer
        return model.fit(features[told], values[told])

"""Many scenarios: one after another in this process, or in parallel over processes and machines with Ray."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import Any, TypeVar

from behaviors_ros.errors import InputError
from behaviors_ros.evaluation.case import Result, Stopwatch, error_row, run_case, setup
from behaviors_ros.evaluation.options import Options
from behaviors_ros.evaluation.sets import Case, load
from behaviors_ros.simulation.rollout import drive

Made = TypeVar("Made")
WARM_CYCLES = 3
_warmed: list[bool] = []  # whether this process has loaded its compiled kernels


def evaluated(
    cases: Sequence[Case], options: Options, workers: int = 1, address: str | None = None
) -> Iterator[Result]:
    """Results of the cases as they finish."""
    return mapped(evaluate_case, died, cases, options, workers, address)


def died(case: Case, error: BaseException) -> Result:
    """The result of a case whose process was lost."""
    return Result(error_row(case, error, Stopwatch()), {})


def evaluate_case(case: Case, options: Options) -> Result:
    """`run_case` in a process whose kernels are loaded, so that loading does not count as planning time."""
    if not _warmed:
        _warmed.append(True)
        run_case_quietly(case, options)
    return run_case(case, options)


def run_case_quietly(case: Case, options: Options) -> None:
    """A few cycles of a case; what is wrong with the case will be told by its own run."""
    try:
        scenario = load(case, options).scenario
        made = setup(scenario, options)
        list(islice(drive(scenario, made.stages, made.controller, made.parameters), WARM_CYCLES))
    except (InputError, ValueError, ArithmeticError, LookupError):
        return


def mapped(
    work: Callable[[Case, Options], Made],
    lost: Callable[[Case, BaseException], Made],
    cases: Sequence[Case],
    options: Options,
    workers: int = 1,
    address: str | None = None,
) -> Iterator[Made]:
    """What `work` makes of each case, as they finish; with one worker and no address in this process, in order.

    Ray: on this machine, or the cluster at `address`, where the package and the data must be at the same places. `lost`
    says what becomes of a case whose process died.
    """
    if workers <= 1 and address is None:
        yield from (work(case, options) for case in cases)
        return
    yield from _with_ray(work, lost, cases, options, workers, address)


def _with_ray(
    work: Callable[[Case, Options], Made],
    lost: Callable[[Case, BaseException], Made],
    cases: Sequence[Case],
    options: Options,
    workers: int,
    address: str | None,
) -> Iterator[Made]:
    try:
        import ray
    except ModuleNotFoundError:
        raise InputError("--workers", "ray", "is not installed", "pip install 'behaviors_ros[scale]', or 1") from None
    begun_here = not ray.is_initialized()
    if begun_here:
        _connect(ray, workers, address)
    try:
        remote = ray.remote(num_cpus=1)(work)
        case_of = {remote.remote(case, options): case for case in cases}
        while case_of:
            done = ray.wait(list(case_of), num_returns=1)[0][0]
            case = case_of.pop(done)
            try:
                made = ray.get(done)
            except ray.exceptions.RayError as error:
                made = lost(case, error)
            yield made
    finally:
        if begun_here:
            ray.shutdown()


def _connect(ray: Any, workers: int, address: str | None) -> None:
    settings: dict[str, Any] = {"log_to_driver": False, "logging_level": "error", "include_dashboard": False}
    if address is None:
        ray.init(num_cpus=workers, **settings)
        return
    try:
        ray.init(address=address, log_to_driver=False, logging_level="error")
    except (ConnectionError, ValueError) as error:
        raise InputError("--address", address, f"there is no cluster ({error})", "start one with ray start") from None

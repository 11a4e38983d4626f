"""A learned model in onnxruntime, on the provider that was asked for and no other.

The model's bytes, graph and a first answer are held to the contract when the session is made, so that a model that
cannot be used is refused before driving. onnxruntime is imported here only, and only when a session is made. Inputs go
in without a copy; binding the answers to kept buffers was measured and does not pay (8.5 for 8.3 ms).
"""

from __future__ import annotations

from typing import Any, Literal

import numpy as np

from behaviors_ros.datatypes import Array
from behaviors_ros.errors import BehaviorsError, InputError
from behaviors_ros.prediction.model_contract import Model, require_tensors, shapes

Provider = Literal["cpu", "cuda", "tensorrt"]

PROVIDERS: dict[str, tuple[str, ...]] = {
    "cpu": ("CPUExecutionProvider",),
    "cuda": ("CUDAExecutionProvider",),
    "tensorrt": ("TensorrtExecutionProvider", "CUDAExecutionProvider"),
}
INSTALL = {"cpu": "pip install behaviors_ros[cpu]", "cuda": "pip install behaviors_ros[gpu]",
           "tensorrt": "pip install behaviors_ros[gpu] and TensorRT"}  # fmt: skip


class Session:
    """A model ready to run. provider: what runs it, as onnxruntime names it; inputs: names of what it is given."""

    def __init__(self, model: Model, provider: Provider, threads: int) -> None:
        """Load the model; raises BehaviorsError without onnxruntime or the provider, InputError for a bad graph."""
        runtime = _runtime(provider)
        wanted = PROVIDERS[provider]
        if wanted[0] not in runtime.get_available_providers():
            raise BehaviorsError(
                f"provider '{provider}': this onnxruntime has no {wanted[0]}, only "
                f"{', '.join(runtime.get_available_providers())}; {INSTALL[provider]}"
            )
        self.model, self._failures = model, _failures(runtime)
        try:
            self._session = runtime.InferenceSession(model.data, _options(runtime, threads), providers=list(wanted))
        except self._failures as error:
            raise InputError(model.path, "model", f"cannot be loaded ({_line(error)})", "export it anew") from None
        # onnxruntime goes on with the CPU where a provider cannot start: that is another machine than was asked for.
        self.provider = self._session.get_providers()[0]
        if self.provider != wanted[0]:
            problem = f"provider '{provider}': {wanted[0]} could not be started, {self.provider} would run"
            raise BehaviorsError(f"{problem}; check the driver and CUDA, or set provider: cpu")
        self._require_graph()
        self.inputs = tuple(tensor.name for tensor in model.contract.inputs)
        self._outputs = [tensor.name for tensor in model.contract.outputs]

    def _require_graph(self) -> None:
        """The graph has the contract's inputs and outputs, all float32."""
        for field, tensors in (("inputs", self._session.get_inputs()), ("outputs", self._session.get_outputs())):
            found = {tensor.name: tuple(tensor.shape[1:]) for tensor in tensors}
            require_tensors(self.model.path, field, found, shapes(getattr(self.model.contract, field)))
            for tensor in tensors:
                if tensor.type != "tensor(float)" or isinstance(tensor.shape[0], int):
                    problem = (
                        f"'{tensor.name}' is {tensor.type} with {tensor.shape[0]} agents, not any number of float32"
                    )
                    raise InputError(self.model.path, field, problem, "export it anew")

    def run(self, arrays: dict[str, Array]) -> dict[str, Array] | str:
        """The answers by name, float32, first axis as that of the inputs; in words why there is none."""
        try:
            answers = self._session.run(self._outputs, {name: arrays[name] for name in self.inputs if name in arrays})
        except self._failures as error:
            return _line(error)
        return dict(zip(self._outputs, (np.asarray(answer) for answer in answers), strict=True))


def _runtime(provider: str) -> Any:
    """The module onnxruntime."""
    try:
        import onnxruntime
    except ImportError:
        raise BehaviorsError(f"learned models need onnxruntime; {INSTALL[provider]}") from None
    return onnxruntime


def _options(runtime: Any, threads: int) -> Any:
    options = runtime.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
    options.execution_mode = runtime.ExecutionMode.ORT_SEQUENTIAL
    options.log_severity_level = 4
    # Threads that wait for work do not take the core from the other stages.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.use_deterministic_compute = True
    return options


def _failures(runtime: Any) -> tuple[type[Exception], ...]:
    """What onnxruntime raises: its own exceptions have no common base of their own."""
    state = runtime.capi.onnxruntime_pybind11_state
    own = [kind for kind in vars(state).values() if isinstance(kind, type) and issubclass(kind, Exception)]
    return (*own, RuntimeError, ValueError)


def _line(error: Exception) -> str:
    return " ".join(str(error).split())[:200]

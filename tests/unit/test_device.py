"""Where nets are trained: what a user chooses, what this machine has."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from pyheta import device
from pyheta.commands.worker import worker_options
from pyheta.device import Device, available_cpus, failure, resolve_device, works
from pyheta.errors import ConfigError, StepError
from pyheta.steps import Kind


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[bool]]:
    """Makes a machine with or without a driver, and with or without a GPU that torch finds."""
    asked: list[bool] = []

    def make(*, driver: bool, torch_finds: bool) -> list[bool]:
        def ask() -> bool:
            asked.append(True)
            return torch_finds

        monkeypatch.setattr(
            device, "DRIVERS", (str(Path(__file__)) if driver else "/no/such/driver",)
        )
        monkeypatch.setattr(device, "_torch_finds_gpu", ask)
        return asked

    return make


@pytest.mark.parametrize(
    ("choice", "driver", "torch_finds", "expected"),
    [
        (Device.CPU, True, True, Device.CPU),
        (Device.AUTO, True, True, Device.CUDA),
        (Device.AUTO, True, False, Device.CPU),
        (Device.AUTO, False, True, Device.CPU),
        (Device.CUDA, True, True, Device.CUDA),
        (Device.CUDA, False, True, Device.CUDA),  # a driver may lie elsewhere
    ],
)
def test_nets_are_trained_where_they_can_be(
    machine: Callable[..., list[bool]],
    choice: Device,
    driver: bool,
    torch_finds: bool,
    expected: Device,
) -> None:
    machine(driver=driver, torch_finds=torch_finds)
    assert resolve_device(choice) is expected


def test_torch_is_not_asked_where_nobody_needs_the_answer(
    machine: Callable[..., list[bool]],
) -> None:
    asked = machine(driver=False, torch_finds=False)
    resolve_device(Device.AUTO)
    resolve_device(Device.CPU)
    assert not asked


def test_a_gpu_that_was_chosen_and_not_there_is_an_error(
    machine: Callable[..., list[bool]],
) -> None:
    machine(driver=True, torch_finds=False)
    with pytest.raises(ConfigError, match="--device: torch finds no GPU here; use --device cpu"):
        resolve_device(Device.CUDA)


def test_a_worker_that_only_trains_on_a_gpu_is_one_process_with_one_large_stack(
    machine: Callable[..., list[bool]],
) -> None:
    machine(driver=True, torch_finds=True)

    trains = worker_options((Kind.TRAIN,), None, None, Device.AUTO)
    takes_all = worker_options(tuple(Kind), None, None, Device.AUTO)
    told = worker_options((Kind.TRAIN,), 3, 7, Device.CUDA)

    assert (trains.procs, trains.lanes, trains.device) == (1, 256, Device.CUDA)
    assert takes_all.procs == available_cpus()
    assert (told.procs, told.lanes) == (3, 7)


ASSERTED = "CUDA error: device-side assert triggered"
HELP = (
    "Search for `cudaErrorAssert' …\nCompile with `TORCH_USE_CUDA_DSA` to enable "
    "device-side assertions.\n"
)


@pytest.mark.parametrize(
    "said",
    [
        ASSERTED,
        "CUDA error: uncorrectable ECC error encountered",
        "CUDA error: CUBLAS_STATUS_EXECUTION_FAILED when calling `cublasSgemm( handle, …)`",
        "CUDA driver error: unspecified launch failure",
        "HIP error: an illegal memory access was encountered",
        "cuDNN error: CUDNN_STATUS_EXECUTION_FAILED",
    ],
)
@pytest.mark.parametrize(
    "wording", ["{}", f"{{}}\n{HELP}", f"while a net was computed:\n  {{}}\n{HELP}"]
)
@pytest.mark.parametrize("kind", [torch.AcceleratorError, RuntimeError])
def test_a_device_that_has_failed_is_recognised_by_its_words(
    kind: type[Exception], wording: str, said: str
) -> None:
    assert failure(kind(wording.format(said))) == said


def test_a_device_that_has_failed_is_recognised_behind_the_error_that_blames_a_net() -> None:
    blamed = StepError("the net cannot forecast")
    blamed.__cause__ = RuntimeError(ASSERTED)
    assert failure(blamed) == ASSERTED


def test_a_device_that_has_failed_is_recognised_behind_an_error_in_between() -> None:
    tidied = KeyError("what tidies up fails too")
    tidied.__context__ = RuntimeError(ASSERTED)
    assert failure(tidied) == ASSERTED


def test_a_device_works_that_adds() -> None:
    assert works(Device.CPU)
    assert not works(Device.CUDA) or torch.cuda.is_available()


@pytest.mark.parametrize(
    "error",
    [
        torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 MiB."),
        torch.AcceleratorError("CUDA error: out of memory"),
        RuntimeError(
            "CUDA error: out of memory\nCUDA kernel errors might be asynchronously reported"
        ),
        RuntimeError("mat1 and mat2 shapes cannot be multiplied (3x4 and 5x6)"),
        RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`"),
        RuntimeError(
            "CUDA error: CUBLAS_STATUS_INVALID_VALUE when calling `cublasSgemm( handle, …)`"
        ),
        RuntimeError("cuDNN error: CUDNN_STATUS_NOT_SUPPORTED. This error may appear if …"),
        torch.AcceleratorError(
            "CUDA error: no kernel image is available for execution on the device"
        ),
        torch.AcceleratorError("CUDA error: invalid configuration argument"),
        RuntimeError("cudnn RNN backward can only be called in training mode"),
        StepError(f"a net of one's own: {ASSERTED}"),
        ValueError(ASSERTED),
        OSError("torch finds no GPU"),
    ],
)
def test_other_errors_leave_the_device_as_it_was(error: Any) -> None:
    assert failure(error) is None

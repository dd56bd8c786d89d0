"""Which precision a net is computed in: one rule for every CPU, and the same on each call."""

import pytest

from fer_batch import detection
from fer_batch.openvino_net import BF16, F32, INT8, Cpu

CPUS = {
    "AMD with AVX512-BF16": Cpu(is_x86=True, has_bf16=True, is_amd=True, has_amx=False),
    "AMD before that": Cpu(is_x86=True, has_bf16=False, is_amd=True, has_amx=False),
    "Intel with AMX": Cpu(is_x86=True, has_bf16=True, is_amd=False, has_amx=True),
    "Intel with AVX512-BF16 alone": Cpu(is_x86=True, has_bf16=True, is_amd=False, has_amx=False),
    "Intel with AVX2": Cpu(is_x86=True, has_bf16=False, is_amd=False, has_amx=False),
    "ARM": Cpu(is_x86=False, has_bf16=False, is_amd=False, has_amx=False),
    "ARM with bf16": Cpu(is_x86=False, has_bf16=True, is_amd=False, has_amx=False),
}


@pytest.mark.parametrize("cpu", CPUS)
def test_bf16_is_for_cpus_on_which_it_is_faster(cpu: str) -> None:
    fast = cpu in ("AMD with AVX512-BF16", "Intel with AMX")
    assert CPUS[cpu].precision([BF16]).name == (BF16 if fast else F32)


@pytest.mark.parametrize("cpu", CPUS)
def test_8_bits_are_for_x86(cpu: str) -> None:
    assert CPUS[cpu].precision([INT8]).name == (F32 if "ARM" in cpu else INT8)


@pytest.mark.parametrize("cpu", CPUS)
def test_a_net_gets_nothing_that_it_has_not(cpu: str) -> None:
    assert CPUS[cpu].precision([]).name == F32


def test_every_choice_has_a_reason() -> None:
    reasons = {cpu.precision([BF16]).why for cpu in CPUS.values()}
    assert len(reasons) == 4
    assert all(reasons)


def test_the_same_machine_always_gives_the_same() -> None:
    assert Cpu.here() == Cpu.here()
    facts = detection.make(detection.DEFAULT).facts
    found = Cpu.here().precision([BF16])
    assert (facts["precision"], facts["precision_why"]) == (found.name, found.why)
